/**
 * A chained CNI plugin: keeps a file per interface with the addresses it got, for whoever wants to read them.
 * In a network's configuration, after the plugin that gives addresses:
 *
 *     { "type": "address-list", "directory": "/run/addresses" }
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CniError, definePlugin, nodeHost, object, type Result, runPlugin, string } from 'fairlead/cni';

const config = object({
  directory: string({ pattern: /^\//, expected: 'an absolute path' }).default('/run/addresses'),
});

const textOf = ({ ips = [] }: Result) => ips.map(({ address }) => `${address}\n`).join('');

const plugin = definePlugin({
  name: 'address-list',
  about: 'keeps a file with the addresses of every interface',
  config,

  add({ config, attachment, previousResult = {}, onFailure }) {
    const file = fileOf(config.directory, attachment);
    mkdirSync(config.directory, { recursive: true });
    onFailure(file, () => rmSync(file, { force: true }));
    writeFileSync(file, textOf(previousResult));
    return previousResult;
  },

  del({ config, attachment }) {
    rmSync(fileOf(config.directory, attachment), { force: true });
  },

  check({ config, attachment, previousResult }) {
    const file = fileOf(config.directory, attachment);
    const found = readFileSync(file, 'utf8');
    if (found === textOf(previousResult)) return;
    throw new CniError(100, `${file} does not hold the addresses of the interface`, `it holds ${found}`);
  },

  gc({ config, network, validAttachments }) {
    mkdirSync(config.directory, { recursive: true });
    const valid = validAttachments.map((attachment) => fileOf(config.directory, { network, ...attachment }));
    for (const name of readdirSync(config.directory)) {
      const file = join(config.directory, name);
      if (name.startsWith(`${network}:`) && !valid.includes(file)) rmSync(file);
    }
  },

  status({ config }) {
    mkdirSync(config.directory, { recursive: true });
  },
});

interface Owner {
  readonly network: string;
  readonly containerId: string;
  readonly ifname: string;
}

/** None of the three names may have a colon, so two interfaces never share a file. */
function fileOf(directory: string, { network, containerId, ifname }: Owner): string {
  return join(directory, `${network}:${containerId}:${ifname}`);
}

void runPlugin(plugin, nodeHost()).then((exitCode) => process.exit(exitCode));
