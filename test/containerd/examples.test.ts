/** The configuration lists in examples/: each is valid, and does what examples/README.md says of it. */
// packages: containerd runc busybox-static
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { createContainer, ip, within } from '../support/container.ts';
import { binDirectory, dist } from '../support/plugin.ts';
import { output } from '../support/program.ts';
import { limit } from '../support/sandbox.ts';
import { type Containerd, startContainerd } from './containerd.ts';
import { example } from './example.ts';
import { fairlead } from './installation.ts';
import { createNeighbour, type Neighbour, wire } from './neighbour.ts';
import { getFrom, ping, removePod, startPod } from './pod.ts';
import { get, url } from './web.ts';

setDefaultTimeout(limit(60));

const directory = new URL('../../examples', import.meta.url).pathname;
const names = readdirSync(directory).flatMap((name) => /^(.*)\.conflist$/.exec(name)?.[1] ?? []);

test.each(names)('%s: valid, called as its file, and in README.md', async (name) => {
  await fairlead('validate', `--plugin-path=${binDirectory}`, `${directory}/${name}.conflist`);
  expect(example(name).name).toBe(name);
  expect(readFileSync(`${directory}/README.md`, 'utf8')).toContain(`\`${name}.conflist\``);
});

describe('isolated', () => {
  let containerd: Containerd;
  let outside: Neighbour;
  beforeAll(async () => {
    outside = await createNeighbour();
    containerd = await startContainerd({ conflist: example('isolated') });
  });
  afterAll(async () => {
    await containerd?.remove();
    await outside?.remove();
  });

  test('Pods reach the world and the node, but not one another', async () => {
    const [one, two] = [await startPod(containerd, 'one'), await startPod(containerd, 'two')];
    for (const family of ['ipv4', 'ipv6'] as const) {
      expect(await getFrom(containerd, one, url(wire.neighbour[family]))).toMatchObject({
        stdout: 'outside\n',
      });
      expect(await get(undefined, url(two[family]))).toMatchObject({ stdout: 'two\n' });
      expect(await ping(containerd, one, wire.node[family])).toMatchObject({ exitCode: 0 });
      expect(await ping(containerd, one, two[family], 1)).toMatchObject({ exitCode: 1 });
    }
    for (const pod of [one, two]) await removePod(containerd, pod);
  });
});

test('fixed-address: the address and the MAC are the caller’s', async () => {
  using container = createContainer('fixed');
  const env = {
    PATH: String(process.env.PATH),
    NETCONFPATH: directory,
    CNI_PATH: binDirectory,
    CAP_ARGS: '{"ips":["10.90.0.7/24"],"mac":"02:00:00:00:00:07"}',
  };
  await output([`${dist}/fairlead`, 'add', 'fixed-address', container.netns], { env });
  const [link] = await ip(container.netns, 'address', 'show', 'eth0');
  expect(link).toMatchObject({
    address: '02:00:00:00:00:07',
    addr_info: [{ local: '10.90.0.7', prefixlen: 24 }, { family: 'inet6' }],
  });
  expect(await output(within(container.netns, ['ip', 'route']))).toContain('default via 10.90.0.1');
  await output([`${dist}/fairlead`, 'del', 'fixed-address', container.netns], { env });
  expect(await ip(undefined, 'link', 'show', 'master', 'fixed0')).toEqual([]);
});
