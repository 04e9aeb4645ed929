/** Neighbours, forwarding entries and bridges' vlans: written and read like iproute2 does. */
// kernels: first, second
// packages: iproute2
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Connection, NETLINK_ROUTE, openConnection, rtnetlink as r } from '../../src/kernel/index.ts';
import { formatAddress } from '../../src/lib/ip.ts';
import { address } from '../../src/lib/ip-literal.ts';
import { limit } from '../support/sandbox.ts';
import { testUnless } from '../support/unless.ts';
import { iproute, show, until } from './iproute.ts';

const noFiltering = await unlessVlanFiltering();

let connection: Connection;
let v1: r.Link;
let sw1: r.Link;
beforeAll(async () => {
  connection = openConnection(NETLINK_ROUTE);
  await iproute('ip link add sw1 address 02:00:00:00:00:aa type bridge');
  await iproute('ip link add v1 address 02:00:00:00:00:01 master sw1 type veth peer name v2');
  // No packets that nobody asked for: the bridge learns from them.
  for (const name of ['sw1', 'v1', 'v2']) await iproute(`ip link set ${name} addrgenmode none`);
  for (const name of ['sw1', 'v1', 'v2']) await iproute(`ip link set ${name} up`);
  // A carrier that comes takes neighbours away; forwarding entries that age are only for ports that can learn.
  await until('v2 up', () => link('v2').operState === 'up');
  await until('v1 forwarding', () => link('v1').bridgePort?.state === 'forwarding');
  [v1, sw1] = [link('v1'), link('sw1')];
}, limit(20));
afterAll(async () => {
  connection.close();
  await iproute('ip link del v1');
  await iproute('ip link del sw1');
});

function link(name: string): r.Link {
  const found = r.getLink(connection, name);
  if (found === undefined) throw new Error(`no link ${name}`);
  return found;
}

const mac = '02:00:00:00:00:05';

describe('neighbours', () => {
  test.each([
    ['10.1.0.5', 'permanent', 'permanent'],
    ['10.1.0.5', 'noarp', 'noArp'],
    ['10.1.0.5', 'stale', 'stale'],
    ['10.1.0.5', 'reachable', 'reachable'],
    ['fd00::5', 'permanent', 'permanent'],
    ['fd00::5', 'reachable', 'reachable'],
  ] as const)('%s, %s', async (text, word, state) => {
    const look = 'ip neighbour show dev v2 nud all';
    const v2 = link('v2');
    const ours = async () => (await show(look)).filter((each) => (each as { dst?: string }).dst === text);
    await iproute(`ip neighbour add ${text} lladdr ${mac} nud ${word} dev v2`);
    const wanted = await ours();
    expect(wanted).toHaveLength(1);
    const read = r
      .listNeighbours(connection, { link: v2, family: address(text).family })
      .filter((each) => formatAddress(each.address) === text);
    expect(read).toEqual([{ linkIndex: v2.index, address: address(text), mac, state, router: false }]);
    expect(() => r.addNeighbour(connection, v2, { address: address(text), mac })).toThrow(
      `add neighbour ${text} at ${mac} to link v2: exists already`,
    );
    r.deleteNeighbour(connection, v2, address(text));
    await iproute('ip neighbour flush dev v2 nud all').catch(() => undefined);
    r.addNeighbour(connection, v2, { address: address(text), mac, ...(state !== 'permanent' && { state }) });
    expect(await ours()).toEqual(wanted);
    r.replaceNeighbour(connection, v2, { address: address(text), mac: '02:00:00:00:00:06' });
    expect(await ours()).toMatchObject([{ lladdr: '02:00:00:00:00:06', state: ['PERMANENT'] }]);
    await iproute('ip neighbour flush dev v2 nud all');
  });

  test('deleted when it is not there: ENOENT', () => {
    expect(() => r.deleteNeighbour(connection, link('v2'), address('10.1.0.99'))).toThrow(
      'delete neighbour 10.1.0.99 from link v2',
    );
  });
});

describe('forwarding entries', () => {
  const look = 'bridge fdb show br sw1';
  test.each([
    ['static', { mac, table: 'master', lifetime: 'static' }],
    ['permanent', { mac, table: 'master', lifetime: 'permanent' }],
    ['dynamic', { mac, table: 'master', lifetime: 'dynamic' }],
  ] as const)('of a bridge, %s', async (word, entry) => {
    const ofMac = async () => (await show(look)).filter((each) => (each as { mac?: string }).mac === mac);
    await iproute(`bridge fdb add ${mac} dev v1 master ${word}`);
    const wanted = await ofMac();
    // One, or where the kernel has vlan filtering one more for each of the port's vlans.
    expect(wanted.length).toBeGreaterThan(0);
    const read = r.listFdb(connection, { bridge: sw1 }).filter((each) => each.mac === mac);
    const expected = { linkIndex: v1.index, master: sw1.index, lifetime: word };
    expect(read).toMatchObject(wanted.map(() => expected));
    expect(() => r.addFdbEntry(connection, v1, entry)).toThrow('EEXIST');
    r.deleteFdbEntry(connection, v1, entry);
    expect(await ofMac()).toEqual([]);
    r.addFdbEntry(connection, v1, entry);
    expect(await ofMac()).toEqual(wanted);
    await iproute(`bridge fdb del ${mac} dev v1 master`);
    expect(() => r.deleteFdbEntry(connection, v1, entry)).toThrow(
      `delete forwarding entry ${mac} of link v1`,
    );
  });

  test('as many as iproute2 lists, of a bridge and of a link', async () => {
    expect(r.listFdb(connection, { bridge: sw1 })).toHaveLength((await show(look)).length);
    const ofLink = r.listFdb(connection, { link: v1 });
    expect(ofLink.every(({ linkIndex }) => linkIndex === v1.index)).toBe(true);
    expect(ofLink).toHaveLength((await show('bridge fdb show dev v1')).length);
  });
});

/** What bridge(8) says of vlans, as Fairlead's list has it. */
async function vlans(name: string): Promise<r.BridgeVlan[]> {
  interface Shown {
    readonly vlans?: readonly { vlan: number; vlanEnd?: number; flags?: string[] }[];
  }
  const [shown] = (await show(`bridge -compressvlans vlan show dev ${name}`)) as Shown[];
  return (shown?.vlans ?? []).flatMap(({ vlan, vlanEnd = vlan, flags = [] }) =>
    Array.from({ length: vlanEnd - vlan + 1 }, (_, index) => ({
      id: vlan + index,
      pvid: flags.includes('PVID'),
      untagged: flags.includes('Egress Untagged'),
    })),
  );
}

async function unlessVlanFiltering(): Promise<string | undefined> {
  try {
    await iproute('ip link add probe0 type bridge vlan_filtering 1');
    return undefined;
  } catch (error) {
    if (/not supported|Unknown|unsupported/i.test(String(error)))
      return 'this kernel has no bridge vlan filtering';
    throw error;
  } finally {
    await iproute('ip link del probe0').catch(() => undefined);
  }
}

describe('vlans of bridges', () => {
  const testFiltering = testUnless(noFiltering);

  /** A command of bridge(8) for the port or for the bridge itself, and the same of ours. */
  const cases: readonly (readonly [words: string, vlans: r.NewBridgeVlans])[] = [
    ['vid 5', { first: 5 }],
    ['vid 5 pvid untagged', { first: 5, pvid: true, untagged: true }],
    ['vid 5 untagged', { first: 5, untagged: true }],
    ['vid 100-200', { first: 100, last: 200 }],
    ['vid 4094', { first: 4094 }],
  ];
  for (const [words, wanted] of cases) {
    for (const whose of ['port', 'bridge'] as const) {
      testFiltering(`${words} of a ${whose}`, async () => {
        const name = whose === 'port' ? 'v1' : 'sw1';
        const self = whose === 'port' ? '' : ' self';
        const owner = whose === 'port' ? { port: v1 } : { bridge: sw1 };
        r.changeLinkData(connection, sw1, 'bridge', { vlanFiltering: true, vlanDefaultPvid: 1 });
        const before = await vlans(name);
        await iproute(`bridge vlan add ${words} dev ${name}${self}`);
        const expected = await vlans(name);
        expect(expected.length).toBeGreaterThan(before.length);
        expect(r.listBridgeVlans(connection).get(link(name).index)).toEqual(expected);
        expect(r.getBridgeVlans(connection, owner)).toEqual(expected);
        r.deleteBridgeVlans(connection, owner, wanted);
        await iproute(`bridge vlan add vid 1 pvid untagged dev ${name}${self}`);
        expect(await vlans(name)).toEqual(before);
        r.addBridgeVlans(connection, owner, wanted);
        expect(await vlans(name)).toEqual(expected);
        await iproute(`bridge vlan del ${words.split(' ').slice(0, 2).join(' ')} dev ${name}${self}`);
        await iproute(`bridge vlan add vid 1 pvid untagged dev ${name}${self}`);
        r.deleteBridgeVlans(connection, owner, wanted);
        expect(await vlans(name)).toEqual(before);
      });
    }
  }

  testFiltering('filtering and the default vlan are set and read', async () => {
    r.changeLinkData(connection, sw1, 'bridge', { vlanFiltering: true, vlanDefaultPvid: 7 });
    const found = link('sw1');
    expect(found.kind === 'bridge' ? found.data : undefined).toMatchObject({
      vlanFiltering: true,
      vlanDefaultPvid: 7,
      vlanProtocol: 0x8100,
    });
    expect(await vlans('v1')).toEqual([{ id: 7, pvid: true, untagged: true }]);
    r.changeLinkData(connection, sw1, 'bridge', { vlanDefaultPvid: 1 });
  });

  test('a link that is no port has none', () => {
    expect(r.getBridgeVlans(connection, { port: link('v2') })).toEqual([]);
    expect(r.getBridgeVlans(connection, { port: link('lo') })).toEqual([]);
  });

  testFiltering('a forwarding entry in a vlan', async () => {
    await iproute(`bridge fdb add ${mac} dev v1 master static vlan 1`);
    const read = r.listFdb(connection, { bridge: sw1 }).filter((each) => each.mac === mac);
    expect(read).toMatchObject([{ vlan: 1 }]);
    r.deleteFdbEntry(connection, v1, { mac, vlan: 1, table: 'master', lifetime: 'static' });
    r.addFdbEntry(connection, v1, { mac, vlan: 1, table: 'master', lifetime: 'static' });
    await iproute(`bridge fdb del ${mac} dev v1 master vlan 1`);
  });

  testUnless(noFiltering === undefined ? 'this kernel has bridge vlan filtering' : undefined)(
    'a kernel without says so in one error',
    () => {
      expect(() => r.addBridgeVlans(connection, { port: v1 }, { first: 5 })).toThrow(
        'add vlan 5 of bridge port v1: operation not supported (EOPNOTSUPP)',
      );
      expect(r.getBridgeVlans(connection, { port: v1 })).toEqual([]);
    },
  );
});
