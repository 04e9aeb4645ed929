/** Vlan filtering on a bridge, which the machine's own kernel may lack: set, read back by iproute2, and obeyed by packets. */
// kernels: second
// packages: iproute2
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
import {
  type Connection,
  NETLINK_ROUTE,
  openConnection,
  openNetns,
  rtnetlink,
} from '../../src/kernel/index.ts';
import { createContainer, ip, removeContainers } from '../support/container.ts';
import { ipJson } from '../support/ip-json.ts';
import { kernel } from '../support/sandbox.ts';
import { ping } from '../support/traffic.ts';

let connection: Connection;
beforeAll(() => {
  connection = openConnection(NETLINK_ROUTE);
});
beforeEach(() => {
  const data = { vlanFiltering: true, vlanDefaultPvid: 0 };
  rtnetlink.createLink(connection, { name: 'br0', kind: 'bridge', data, up: true });
});
afterEach(() => {
  // A namespace that is removed takes its links along only after a while.
  for (const { name } of rtnetlink.listLinks(connection)) {
    if (/^(p\d|br0)$/.test(name)) rtnetlink.deleteLink(connection, name);
  }
  removeContainers();
});
afterAll(() => connection.close());

/** The link that must be there. */
function link(name: string): rtnetlink.Link {
  const found = rtnetlink.getLink(connection, name);
  if (found === undefined) throw new Error(`no link ${name}`);
  return found;
}

/** A container with the address 10.4.0.N, on port pN of the bridge, its frames in a vlan. */
async function connect(n: number, vlan: number): Promise<string> {
  const { netns } = createContainer(`c${n}`);
  const namespace = openNetns(netns);
  const peer = { name: 'eth0', netns: namespace.fd };
  rtnetlink.createLink(connection, {
    name: `p${n}`,
    kind: 'veth',
    up: true,
    master: link('br0').index,
    data: { peer },
  });
  namespace.close();
  await ip(netns, 'address', 'add', `10.4.0.${n}/24`, 'dev', 'eth0');
  await ip(netns, 'link', 'set', 'eth0', 'up');
  rtnetlink.addBridgeVlans(connection, { port: link(`p${n}`) }, { first: vlan, pvid: true, untagged: true });
  return netns;
}

/** A port's vlans as iproute2 reads them, ranges as ranges. */
async function vlansOf(port: string): Promise<unknown> {
  const [found] = await ipJson(['bridge', '-j', '-compressvlans', 'vlan', 'show', 'dev', port]);
  return found?.vlans;
}

test('this is the second kernel', () => {
  expect(kernel).toBe('second');
});

test('a vlan on a port, as iproute2 reads it', async () => {
  const own = { vlan: 10, flags: ['PVID', 'Egress Untagged'] };
  await connect(1, 10);
  rtnetlink.addBridgeVlans(connection, { port: link('p1') }, { first: 100, last: 102 });
  const [details] = await ip(undefined, '-d', 'link', 'show', 'br0');
  expect(details).toMatchObject({ linkinfo: { info_data: { vlan_filtering: 1, vlan_default_pvid: 0 } } });
  expect(await vlansOf('p1')).toEqual([own, { vlan: 100, vlanEnd: 102, flags: [] }]);
  rtnetlink.deleteBridgeVlans(connection, { port: link('p1') }, { first: 100, last: 102 });
  expect(await vlansOf('p1')).toEqual([own]);
});

test('containers in one vlan reach each other, those in another do not until their port is in it too', async () => {
  const first = await connect(1, 10);
  await connect(2, 10);
  await connect(3, 20);
  expect(await ping(first, '10.4.0.2')).toBe(true);
  expect(await ping(first, '10.4.0.3', 1)).toBe(false);
  rtnetlink.addBridgeVlans(connection, { port: link('p3') }, { first: 10, pvid: true, untagged: true });
  expect(await ping(first, '10.4.0.3')).toBe(true);
});
