/** DEL removes everything, however little is left or known, as often as it is asked. */
// packages: containernetworking-plugins
import { afterEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { createContainer, inNetns, ip } from '../../support/container.ts';
import { diff, type Snapshot, snapshot } from '../../support/node.ts';
import { type PluginEnded, runPlugin } from '../../support/plugin.ts';
import { reference } from '../../support/reference.ts';
import { type Attached, attach, detachAll, gatewaySettled, link, network } from './network.ts';

afterEach(detachAll);

/** What an ADD leaves for those after it: bridge, gateway, the shared rules, host-local's own files. */
const config = network({ isDefaultGateway: true, ipMasq: true, macspoofchk: true });

async function before(): Promise<Snapshot> {
  const { call, container } = await attach(config);
  await gatewaySettled(config);
  await runPlugin({ ...call, command: 'DEL', ifname: 'eth0' });
  container.remove();
  return snapshot();
}

/**
 * host-local remembers the last address; its index lists who has been there. The bridge's own link-local address
 * comes when detection of duplicates is done with it. The containers' namespaces are the test's own.
 */
const lasting =
  /^file \/var\/lib\/cni\/networks\/(net\d+\/last_reserved_ip|\.fairlead)|"fe80:|^file \/run\/netns/;

async function expectNothingLeft(old: Snapshot): Promise<void> {
  await Bun.sleep(20);
  expect(diff(old, await snapshot(), lasting)).toEqual([]);
}

const succeeded = (ended: PluginEnded) =>
  expect({ ...ended, json: undefined }).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });

describe('leaves nothing of the attachment', () => {
  const call = ({ call }: Attached) => ({ ...call, command: 'DEL', ifname: 'eth0' });
  test.each<[string, (attached: Attached) => Promise<PluginEnded>]>([
    ['with everything known', (attached) => runPlugin(call(attached))],
    ['without the result', (attached) => runPlugin({ ...call(attached), config })],
    ['without the namespace', (attached) => runPlugin({ ...call(attached), netns: '' })],
    ['without both', (attached) => runPlugin({ ...call(attached), config, env: { CNI_NETNS: undefined } })],
    [
      "when the namespace's file is gone, and something keeps it alive",
      async (attached) => {
        const { netns } = attached.container;
        const sleeper = Bun.spawn(['nsenter', `--net=${netns}`, 'sleep', '60']);
        await Bun.sleep(50);
        attached.container.remove();
        expect(await link(undefined, attached.hostName)).toBeDefined();
        try {
          return await runPlugin(call(attached));
        } finally {
          sleeper.kill();
          await sleeper.exited;
        }
      },
    ],
    [
      'when the namespace and all that was in it is gone',
      async (attached) => {
        attached.container.remove();
        return runPlugin(call(attached));
      },
    ],
    [
      'when a plain file is in its place',
      async (attached) => {
        attached.container.remove();
        writeFileSync(attached.container.netns, '');
        const ended = await runPlugin(call(attached));
        await Bun.file(attached.container.netns).delete();
        return ended;
      },
    ],
    [
      'when the interface was renamed',
      async (attached) => {
        await inNetns(attached.container.netns, ['ip', 'link', 'set', 'eth0', 'name', 'other']);
        return runPlugin(call(attached));
      },
    ],
    [
      'when the interface was moved to another namespace',
      async (attached) => {
        const other = createContainer();
        const { netns } = attached.container;
        await inNetns(netns, ['ip', 'link', 'set', 'eth0', 'netns', other.netns]);
        return runPlugin(call(attached));
      },
    ],
    [
      'when the host side has left the bridge',
      async (attached) => {
        await Bun.$`ip link set ${attached.hostName} nomaster`;
        return runPlugin(call(attached));
      },
    ],
    [
      'when the links are gone',
      async (attached) => {
        await Bun.$`ip link delete ${attached.hostName}`;
        return runPlugin(call(attached));
      },
    ],
    [
      'twice',
      async (attached) => {
        succeeded(await runPlugin(call(attached)));
        return runPlugin(call(attached));
      },
    ],
    [
      'when the options have changed since',
      (attached) =>
        runPlugin({ ...call(attached), config: { ...config, ipMasq: false, macspoofchk: false } }),
    ],
    [
      'in version 0.2.0',
      (attached) => runPlugin({ ...call(attached), config: { ...config, cniVersion: '0.2.0' } }),
    ],
  ])('%s', async (_what, remove) => {
    const old = await before();
    const attached = await attach(config);
    succeeded(await remove(attached));
    await expectNothingLeft(old);
  });
});

test('of two interfaces of a container, the other one stays', async () => {
  const container = createContainer();
  const [one] = [await attach(config, { container }), await attach(config, { container, ifname: 'net1' })];
  succeeded(await runPlugin({ ...one.call, command: 'DEL', ifname: 'eth0' }));
  const names = (await ip(container.netns, 'link', 'show', 'type', 'veth')).map(({ ifname }) => ifname);
  expect(names).toEqual(['net1']);
});

test('an interface of another kind that has the name stays', async () => {
  const container = createContainer();
  await inNetns(container.netns, ['ip', 'link', 'add', 'eth0', 'type', 'ifb']);
  succeeded(await runPlugin({ plugin: 'bridge', command: 'DEL', config, container, ifname: 'eth0' }));
  expect(await link(container.netns, 'eth0')).toBeDefined();
});

test("another's link that has the host side's name stays", async () => {
  const attached = await attach(config);
  await Bun.$`ip link delete ${attached.hostName}`;
  await Bun.$`ip link add ${attached.hostName} type veth peer name other`;
  const call = { ...attached.call, command: 'DEL', ifname: 'eth0' };
  succeeded(await runPlugin(call));
  expect(await link(undefined, attached.hostName)).toBeDefined();
  await Bun.$`ip link delete ${attached.hostName}`;
});

test('a step that fails does not keep the others from being done', async () => {
  const attached = await attach(config);
  // The IPAM plugin cannot be found any more.
  const broken = { ...config, ipam: { type: 'gone' } };
  const call = { ...attached.call, command: 'DEL', ifname: 'eth0' };
  const ended = await runPlugin({ ...call, config: broken });
  expect(ended.exitCode).toBe(1);
  expect(ended.json).toMatchObject({ msg: expect.stringContaining('gone') });
  expect(await link(undefined, attached.hostName)).toBeUndefined();
  const { stdout } = Bun.spawnSync(['nft', 'list', 'ruleset']);
  expect(stdout.toString()).not.toContain(attached.container.id);
  succeeded(await runPlugin(call));
});

test('where nothing ever was it makes nothing', async () => {
  await Bun.$`nft flush ruleset`;
  const fresh = network({ isDefaultGateway: true, ipMasq: true, macspoofchk: true });
  const old = await snapshot();
  const container = createContainer();
  const call = { plugin: 'bridge', command: 'DEL', config: fresh, container, ifname: 'eth0' };
  succeeded(await runPlugin(call));
  succeeded(await runPlugin({ ...call, netns: '' }));
  container.remove();
  expect(diff(old, await snapshot())).toEqual([]);
});

test("what the reference attached, without its namespace's path: by the result", async () => {
  const theirs = await attach(network({ cniVersion: '1.0.0' }), { binDirectory: reference });
  const { binDirectory: _, ...call } = theirs.call;
  succeeded(await runPlugin({ ...call, command: 'DEL', ifname: 'eth0', netns: '' }));
  expect(await link(undefined, theirs.hostName)).toBeUndefined();
});
