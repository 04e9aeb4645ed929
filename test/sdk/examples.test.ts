/** The plugins in examples/plugins, by their life cycle against the kernel. */
// packages: iputils-ping
// seconds: 240
import { afterEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { plugin as pointToPoint } from '../../examples/plugins/point-to-point.ts';
import { plugin as smallest } from '../../examples/plugins/smallest.ts';
import { compile } from '../../scripts/compile.ts';
import {
  assertThat,
  createContainer,
  removeContainers,
  serve,
  stopServers,
  testPlugin,
} from '../../src/testing/index.ts';
import { broken, conform } from '../conformance/conform.ts';
import { diff, snapshot } from '../support/node.ts';
import { binDirectory } from '../support/plugin.ts';
import { limit } from '../support/sandbox.ts';

afterEach(async () => {
  await stopServers();
  removeContainers();
});

const root = new URL('../..', import.meta.url).pathname;
const ranges = [[{ subnet: '10.30.0.0/24' }], [{ subnet: 'fd30::/64' }]];
const config = { mtu: 1400, ipam: { type: 'host-local', ranges } };
/** host-local's own files, and forwarding, stay. */
const lasting = /^file \/var\/lib\/cni|^sysctl .*forward|"anycast"|^file \/run\/cni/;

test('they are as short as the documentation says', () => {
  const lines = (name: string) =>
    readFileSync(`${root}/examples/plugins/${name}.ts`, 'utf8').trimEnd().split('\n').length;
  expect(lines('smallest')).toBeLessThanOrEqual(25);
  expect(lines('point-to-point')).toBeLessThanOrEqual(80);
});

describe('point-to-point', () => {
  test('connects containers with the node and one another, by both families', async () => {
    const before = await snapshot();
    const network = testPlugin(pointToPoint, { config });
    await network.status();
    const [one, two] = [createContainer(), createContainer()];
    const [first, second] = [await network.add(one), await network.add(two)];

    expect(first.ips).toEqual([
      { address: '10.30.0.2/32', gateway: '10.30.0.1', interface: 1 },
      { address: 'fd30::2/128', gateway: 'fd30::1', interface: 1 },
    ]);
    assertThat(one)
      .hasLink('eth0')
      .up()
      .ofKind('veth')
      .withMtu(1400)
      .withAddress('10.30.0.2/32')
      .withAddress('fd30::2/128');
    assertThat(one).hasRoute('0.0.0.0/0', { via: '10.30.0.1', dev: 'eth0' });
    assertThat('node')
      .hasLink(first.interfaces?.[0]?.name ?? '')
      .up();
    assertThat('node').hasRoute('10.30.0.3/32', { dev: second.interfaces?.[0]?.name ?? '' });
    await assertThat(one).reaches('10.30.0.1');
    await assertThat(one).reaches('fd30::3');
    await assertThat('node').reaches('10.30.0.3');
    await serve(two.netns, 'tcp', 80, 'two');
    await assertThat(one).reaches('10.30.0.3', { protocol: 'tcp', port: 80 });

    await network.check(one);
    await network.del(one);
    await network.del(one);
    assertThat(one).hasNoLink('eth0');
    await network.gc([]);
    assertThat(two).hasNoLink('eth0');
    removeContainers();
    expect(diff(before, await snapshot(), lasting)).toEqual([]);
  });

  test('CHECK with a result as older runtimes keep it: routes have no scope there', async () => {
    const network = testPlugin(pointToPoint, { config, cniVersion: '1.0.0' });
    const container = createContainer();
    const { routes = [], ...result } = await network.add(container);
    const previousResult = { ...result, routes: routes.map(({ scope: _, ...route }) => route) };
    await network.check(container, { previousResult });
    await network.del(container);
  });

  test('an ADD that fails leaves nothing', async () => {
    const before = await snapshot();
    const network = testPlugin(pointToPoint, {
      config: { ipam: { type: 'static', addresses: [{ address: '10.30.0.2/24' }] } },
    });
    const container = createContainer();
    await expect(network.add(container)).rejects.toMatchObject({
      code: 7,
      msg: 'the IPAM plugin gave no gateway for 10.30.0.2/24',
    });
    assertThat(container).hasNoLink('eth0');
    removeContainers();
    expect(diff(before, await snapshot(), lasting)).toEqual([]);
  });
});

test('smallest, in a chain, and what it finds wrong', async () => {
  const container = createContainer();
  const cable = testPlugin(pointToPoint, { config });
  const previousResult = await cable.add(container);
  const mtu = testPlugin(smallest, { config: { mtu: 1300 } });
  expect(await mtu.add(container, { previousResult })).toEqual(previousResult);
  assertThat(container).hasLink('eth0').withMtu(1300);
  await mtu.check(container);
  const other = testPlugin(smallest, { config: { mtu: 1301 } });
  await expect(other.check(container, { previousResult })).rejects.toMatchObject({
    code: 102,
    msg: 'eth0 has MTU 1300, not 1301',
  });
  await expect(testPlugin(smallest, { config: { mtu: 5 } }).add(container)).rejects.toMatchObject({
    code: 7,
    msg: '`mtu` of plugin `smallest` must be 1280–65535, got 5',
  });
  await mtu.del(container);
  await cable.del(container);
});

test(
  'compiled, they keep every rule of the specification',
  async () => {
    const directory = mkdtempSync(`${tmpdir()}/fairlead-example-`);
    try {
      const plugins = [
        { type: 'point-to-point', ...config },
        { type: 'smallest', mtu: 1300 },
      ];
      const list = `${directory}/list.conflist`;
      writeFileSync(list, JSON.stringify({ cniVersion: '1.1.0', name: 'n', plugins }));
      for (const name of ['point-to-point', 'smallest']) {
        compile(`${root}/examples/plugins/${name}.ts`, `${directory}/${name}`);
        const path = ['--plugin-path', binDirectory];
        const { exitCode, report } = await conform(`${directory}/${name}`, '--config', list, ...path);
        expect({ name, exitCode, broken: broken(report) }).toEqual({ name, exitCode: 0, broken: [] });
        expect(report.holds).toBeGreaterThan(20);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
  limit(150),
);

test('compiled, it is an executable as good as any', async () => {
  const directory = mkdtempSync(`${tmpdir()}/fairlead-example-`);
  try {
    const executable = `${directory}/point-to-point`;
    compile(`${root}/examples/plugins/point-to-point.ts`, executable);
    const network = testPlugin(executable, { config });
    expect(await network.versions()).toContain('1.1.0');
    const container = createContainer();
    await network.add(container);
    await network.check(container);
    await assertThat(container).reaches('10.30.0.1');
    await network.del(container);
    assertThat(container).hasNoLink('eth0');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
