import { existsSync } from 'node:fs';
import { createResultCache } from '../../cni/runtime/cache.ts';
import {
  type CachedAttachment,
  formatLoadProblem,
  loadNetworks,
  type NetworkConfigurationList,
} from '../../cni/runtime/index.ts';
import type { Call, Command, Report } from '../command.ts';
import { decodeKeptResult } from '../kept-result.ts';
import * as option from '../option.ts';
import { directoryOf } from '../settings.ts';
import type { Style } from '../text/style.ts';
import { table } from '../text/table.ts';

/** `fairlead list`. */
export const list: Command = {
  name: 'list',
  summary: 'shows the networks and what is connected to them',
  about: `Shows the networks of the configuration directory, and the attachments in the result cache: those
that this command, cnitool, containerd or another user of libcni has made.`,
  parameters: [],
  options: [option.netConfPath, option.cacheDir],
  examples: ['fairlead list', 'fairlead list --json'],
  run,
};

/** An attachment as it is shown. */
interface Shown {
  readonly network: string;
  readonly containerId: string;
  readonly ifname: string;
  readonly netns: string;
  readonly netnsExists: boolean;
  readonly addresses: readonly string[];
}

function run(call: Call): Report {
  const folder = directoryOf(call, option.netConfPath);
  const { networks, problems } = loadNetworks(folder);
  const attachments = createResultCache(directoryOf(call, option.cacheDir)).list().map(show);
  return {
    text: (style) =>
      [
        networkTable(networks, attachments, style) || `no networks in ${folder}\n`,
        attachmentTable(attachments, style) || 'no attachments\n',
      ].join('\n'),
    json: { networks: networks.map((network) => networkJson(network, attachments)), attachments, problems },
    warnings: problems.map(formatLoadProblem),
  };
}

function show({ network, containerId, ifname, netns, result }: CachedAttachment): Shown {
  return {
    network,
    containerId,
    ifname,
    netns,
    netnsExists: existsSync(netns),
    addresses: addressesOf(result),
  };
}

/** Of a result of any version; none where it cannot be read, since a list must not fail by one old entry. */
function addressesOf(result: CachedAttachment['result']): readonly string[] {
  try {
    return decodeKeptResult(result ?? {}).ips?.map(({ address }) => address) ?? [];
  } catch {
    return [];
  }
}

function networkJson(network: NetworkConfigurationList, attachments: readonly Shown[]) {
  const { name, cniVersion, plugins, file } = network;
  const count = attachments.filter((attachment) => attachment.network === name).length;
  return { name, cniVersion, plugins: plugins.map(({ type }) => type), attachments: count, file };
}

function networkTable(
  networks: readonly NetworkConfigurationList[],
  attachments: readonly Shown[],
  style: Style,
): string {
  const rows = networks.map((network) => {
    const { name, cniVersion, plugins, attachments: count, file = '' } = networkJson(network, attachments);
    return [name, cniVersion, plugins.join(' → '), String(count), file];
  });
  return table(['NETWORK', 'VERSION', 'PLUGINS', 'ATTACHMENTS', 'FILE'], rows, style);
}

function attachmentTable(attachments: readonly Shown[], style: Style): string {
  const rows = attachments.map(({ network, containerId, ifname, addresses, netns, netnsExists }) => {
    const where = netnsExists ? netns : { text: `${netns} (gone)`.trim(), style: style.yellow };
    return [network, containerId, ifname, addresses, where];
  });
  return table(['NETWORK', 'CONTAINER ID', 'INTERFACE', 'ADDRESS', 'NAMESPACE'], rows, style);
}
