/** examples/plugins/address-list.ts, and the program that docs/write-a-plugin.md shows, run as they stand. */
import { afterAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rejectionOf } from '../testing.ts';
import { createRuntime, loadNetwork } from './index.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const example = join(repository, 'examples/plugins/address-list.ts');
const bun = join(repository, 'node_modules/.bin/bun');
const page = readFileSync(join(repository, 'docs/write-a-plugin.md'), 'utf8');
const blocks = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code);

const dir = mkdtempSync(join(tmpdir(), 'fairlead-example-'));
afterAll(() => rmSync(dir, { recursive: true }));

const bin = join(dir, 'bin');
const addresses = join(dir, 'addresses');

function plugin(type: string, script: string): void {
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, type), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, type), 0o755);
}

plugin('address-list', `exec ${bun} ${example}`);
plugin('give', `echo '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"},{"address":"fd00::2/64"}]}'`);
writeFileSync(
  join(dir, 'pods.conflist'),
  JSON.stringify({
    cniVersion: '1.1.0',
    name: 'pods',
    plugins: [{ type: 'give' }, { type: 'address-list', directory: addresses }],
  }),
);

test('the plugin does what every verb asks, called by the runtime', async () => {
  const network = loadNetwork(dir, 'pods');
  const runtime = createRuntime({
    pluginPath: [bin],
    cacheDir: join(dir, 'cache'),
    env: { PATH: process.env.PATH },
  });
  const attachment = { containerId: 'c1', ifname: 'eth0', netns: '/run/netns/c1' };
  const file = join(addresses, 'pods:c1:eth0');
  const { problems } = await runtime.validate({
    ...network,
    plugins: [network.plugins[1] ?? network.plugins[0]],
  });
  expect(problems).toEqual([]);
  await runtime.status(network);
  const result = await runtime.add(network, attachment);
  expect(result).toEqual({
    cniVersion: '1.1.0',
    ips: [{ address: '10.0.0.2/24' }, { address: 'fd00::2/64' }],
  });
  expect(readFileSync(file, 'utf8')).toBe('10.0.0.2/24\nfd00::2/64\n');
  await runtime.check(network, attachment);
  writeFileSync(join(addresses, 'pods:gone:eth0'), '');
  writeFileSync(join(addresses, 'other:c1:eth0'), '');
  await runtime.gc(network, [attachment]);
  expect(readdirSync(addresses).sort()).toEqual(['other:c1:eth0', 'pods:c1:eth0']);
  writeFileSync(file, 'changed');
  expect(await rejectionOf(() => runtime.check(network, attachment))).toMatchObject({ code: 100 });
  await runtime.del(network, attachment);
  await runtime.del(network, attachment);
  expect(existsSync(file)).toBe(false);
  expect(runtime.cachedAttachments()).toEqual([]);
});

test('the program of the page attaches a container', () => {
  const program = (blocks[0] ?? '')
    .replace("'fairlead/cni/runtime'", `'${join(repository, 'src/cni/runtime/index.ts')}'`)
    .replace("'/etc/cni/net.d'", `'${dir}'`)
    .replace("'/opt/cni/bin'", `'${bin}'`)
    .replace('env: process.env', `env: process.env, cacheDir: '${join(dir, 'cache')}'`);
  writeFileSync(join(dir, 'program.ts'), program);
  const { status, stdout, stderr } = spawnSync(bun, [join(dir, 'program.ts')], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toContain('10.0.0.2/24');
});
