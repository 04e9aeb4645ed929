/** fairlead/testing: what its assertions say where they hold, and above all where they do not; with node:test as well. */
// packages: iproute2 iputils-ping containernetworking-plugins iptables
import { afterEach, describe, expect, test } from 'bun:test';
import { plugin as pointToPoint } from '../../examples/plugins/point-to-point.ts';
import {
  assertThat,
  type Container,
  createContainer,
  removeContainers,
  runProgram,
  testPlugin,
} from '../../src/testing/index.ts';
import { ip } from '../support/container.ts';
import { createProject, repository } from './project.ts';

afterEach(removeContainers);

/** A container with a dead end, made by iproute2: a veth, up, whose other end is down. */
async function withLink(): Promise<Container> {
  const container = createContainer();
  await ip(
    container.netns,
    'link',
    'add',
    'eth0',
    'mtu',
    '1400',
    'address',
    '02:00:00:00:00:05',
    'type',
    'veth',
    'peer',
    'other',
  );
  await ip(container.netns, 'address', 'add', '10.1.0.5/16', 'dev', 'eth0');
  await ip(container.netns, 'link', 'set', 'eth0', 'up');
  await ip(container.netns, 'route', 'add', 'default', 'via', '10.1.0.1', 'dev', 'eth0', 'onlink');
  return container;
}

test('what holds passes', async () => {
  const container = await withLink();
  const { hasLink, hasNoLink, hasRoute, hasNoRoute } = assertThat(container);
  hasLink('eth0').up().ofKind('veth').withMtu(1400).withMac('02:00:00:00:00:05').withAddress('10.1.0.5/16');
  hasLink('other').down().withoutAddress();
  hasNoLink('eth1');
  hasRoute('0.0.0.0/0', { via: '10.1.0.1', dev: 'eth0' });
  hasRoute('10.1.0.0/16');
  await ip(container.netns, 'route', 'add', '10.3.0.0/16', 'dev', 'eth0', 'metric', '50');
  hasRoute('10.3.0.0/16', { metric: 50 });
  expect(() => hasRoute('10.3.0.0/16', { metric: 51 })).toThrow('should have the route');
  hasNoRoute('10.2.0.0/16');
  await assertThat(container).doesNotReach('10.1.0.1');
});

describe('what does not hold is a sentence with what is there', () => {
  test.each<[(container: Container) => unknown, RegExp]>([
    [
      (one) => assertThat(one).hasLink('eth1'),
      /^\/run\/netns\/\w+ should have a link eth1; what is there: \["lo","other","eth0"\]$/,
    ],
    [(one) => assertThat(one).hasNoLink('eth0'), /should have no link eth0/],
    [(one) => assertThat(one).hasLink('eth0').down(), /^link eth0 of \S+ should be down; what is there: up$/],
    [(one) => assertThat(one).hasLink('other').up(), /^link other of \S+ should be up; what is there: down$/],
    [
      (one) => assertThat(one).hasLink('eth0').withAddress('10.1.0.6/16'),
      /should have address 10\.1\.0\.6\/16; what is there: \["10\.1\.0\.5\/16"/,
    ],
    [
      (one) => assertThat(one).hasLink('eth0').withoutAddress(),
      /should have no address; what is there: \["10\.1\.0\.5\/16"\]/,
    ],
    [(one) => assertThat(one).hasLink('eth0').withMtu(1500), /should have MTU 1500; what is there: 1400/],
    [
      (one) => assertThat(one).hasLink('eth0').withMac('02:00:00:00:00:06'),
      /hardware address 02:00:00:00:00:06; what is there: 02:00:00:00:00:05/,
    ],
    [
      (one) => assertThat(one).hasLink('eth0').ofKind('dummy'),
      /should be of kind dummy; what is there: veth/,
    ],
    [
      (one) => assertThat(one).hasLink('eth0').portOf('br0'),
      /should be a port of br0; what is there: nothing/,
    ],
    [
      (one) => assertThat(one).hasRoute('0.0.0.0/0', { via: '10.1.0.2' }),
      /should have the route \{"dst":"0\.0\.0\.0\/0","via":"10\.1\.0\.2"\}; what is there: \[/,
    ],
    [(one) => assertThat(one).hasNoRoute('10.1.0.0/16'), /should have no route to 10\.1\.0\.0\/16/],
  ])('%#', async (claim, message) => {
    const container = await withLink();
    expect(() => claim(container)).toThrow(message);
  });

  test('of packets', async () => {
    const config = {
      ipam: { type: 'static', addresses: [{ address: '10.30.0.2/24', gateway: '10.30.0.1' }] },
    };
    const container = createContainer();
    const network = testPlugin(pointToPoint, { config });
    await network.add(container);
    await expect(assertThat(container).reaches('10.30.0.9')).rejects.toThrow(
      /should reach 10\.30\.0\.9; what is there: none in 3 s/,
    );
    await expect(assertThat(container).doesNotReach('10.30.0.1')).rejects.toThrow(
      /should not reach 10\.30\.0\.1/,
    );
    const port = { protocol: 'tcp', port: 80 } as const;
    await expect(assertThat(container).reaches('10.30.0.1', port)).rejects.toThrow(
      /should reach tcp port 80 of 10\.30\.0\.1/,
    );
    await network.del(container);
  });
});

test('an executable of anyone, in Go: the reference ptp, by versions old and new', async () => {
  const subnet = { type: 'host-local', subnet: '10.31.0.0/24' };
  const ptp = testPlugin('/usr/lib/cni/ptp', {
    config: { ipam: subnet },
    cniVersion: '0.4.0',
    network: 'go',
  });
  expect(await ptp.versions()).toContain('0.4.0');
  const container = createContainer();
  const result = await ptp.add(container);
  expect(result.ips).toMatchObject([{ address: '10.31.0.2/24', gateway: '10.31.0.1' }]);
  assertThat(container).hasLink('eth0').up().ofKind('veth').withAddress('10.31.0.2/24');
  await assertThat(container).reaches('10.31.0.1');
  await ptp.check(container);
  await ptp.del(container);
  assertThat(container).hasNoLink('eth0');
  await expect(testPlugin('/usr/lib/cni/ptp', { cniVersion: '1.1.0' }).add(container)).rejects.toMatchObject({
    code: 1,
  });
  await expect(testPlugin('/usr/lib/cni/none').add(container)).rejects.toMatchObject({
    msg: expect.stringContaining('cannot execute /usr/lib/cni/none'),
  });
});

test('a container is gone with its scope', () => {
  let path = '';
  {
    using container = createContainer();
    path = container.netns;
    assertThat(container).hasLink('lo');
  }
  expect(() => assertThat({ netns: path }).hasLink('lo')).toThrow('ENOENT');
});

test('with node:test', async () => {
  using project = createProject();
  const file = project.write(
    'mine.test.ts',
    `import test from 'node:test';
import { assertThat, createContainer, testPlugin } from 'fairlead/testing';
import { plugin } from '${repository}/examples/plugins/point-to-point.ts';

test('its life cycle', async () => {
  using container = createContainer();
  const network = testPlugin(plugin, { config: { ipam: { type: 'static', addresses: [{ address: '10.30.0.2/24', gateway: '10.30.0.1' }] } } });
  await network.add(container);
  assertThat(container).hasLink('eth0').up();
  await network.del(container);
});

test('one that fails', () => {
  using container = createContainer();
  assertThat(container).hasLink('eth0');
});
`,
  );
  const { stderr } = await runProgram([process.execPath, 'test', file], { cwd: project.directory });
  expect(stderr).toContain('should have a link eth0; what is there: ["lo"]');
  expect(stderr).toMatch(/ 1 pass\n 1 fail\n/);
});
