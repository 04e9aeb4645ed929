/** Taps, made and then read by iproute2. */
// packages: iproute2
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type NetworkNamespace, openNetns, rtnetlink, tap } from '../../src/kernel/index.ts';
import { NETLINK_ROUTE, openConnection } from '../../src/kernel/netlink/connection.ts';
import { type Container, createContainer, ip, removeContainers } from '../support/container.ts';

let container: Container;
let netns: NetworkNamespace;
beforeEach(() => {
  container = createContainer();
  netns = openNetns(container.netns);
});
afterEach(() => {
  netns.close();
  removeContainers();
});

const linksIn = (of: string) => ip(of, '-d', 'link');

test.each<[Omit<tap.NewTap, 'name'>, object]>([
  [{}, {}],
  [{ owner: 0 }, { user: 'root' }],
  [{ group: 0 }, { group: 'root' }],
  [
    { multiQueue: true, owner: 54_321, group: 54_321 },
    { multi_queue: true, user: 54_321, group: 54_321 },
  ],
])('%j', async (keys, read) => {
  tap.createTap(netns, { name: 'tap0', ...keys });
  const [, found] = await linksIn(container.netns);
  const data = { type: 'tap', pi: false, vnet_hdr: true, multi_queue: false, persist: true, ...read };
  expect(found).toMatchObject({ ifname: 'tap0', linkinfo: { info_kind: 'tun', info_data: data } });
  const connection = openConnection(NETLINK_ROUTE, netns);
  const link = rtnetlink.getLink(connection, 'tap0');
  expect(link).toMatchObject({ kind: 'tun', flags: { up: false } });
  expect(link?.data).toEqual({ type: 'tap', persistent: true, multiQueue: false, ...keys });
  rtnetlink.deleteLink(connection, 'tap0');
  connection.close();
});

test('it is in the namespace that it was made in, and on the node there is none', async () => {
  tap.createTap(netns, { name: 'tap0' });
  expect((await linksIn(container.netns)).map(({ ifname }) => ifname)).toEqual(['lo', 'tap0']);
  expect((await ip(undefined, 'link')).map(({ ifname }) => ifname)).not.toContain('tap0');
});

test.each([
  ['a name that is taken', { name: 'lo' }, 'create tap lo: device or object busy (EBUSY)'],
  ['a pattern', { name: 'tap%d' }, 'create tap tap%d: '],
  [
    'a name of 16 bytes',
    { name: 'tap-of-16-bytes0' },
    'create tap tap-of-16-bytes0: name too long (ENAMETOOLONG)',
  ],
  ['no user', { name: 'tap0', owner: 0xffff_ffff }, 'set the owner 4294967295 of tap tap0: '],
  ['no group', { name: 'tap0', group: 0xffff_ffff }, 'set the group 4294967295 of tap tap0: '],
])('refused, and nothing is left: %s', async (_what, wrong, message) => {
  expect(() => tap.createTap(netns, wrong)).toThrow(message);
  expect((await linksIn(container.netns)).map(({ ifname }) => ifname)).toEqual(['lo']);
});
