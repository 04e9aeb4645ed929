/** Links that are deleted without waiting for what the kernel still does: gone all the same, for everybody. */
// kernels: first, second
// packages: iproute2
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { rtnetlink as r } from '../../src/kernel/index.ts';
import { removeLinksBy } from '../../src/kernel/rtnetlink/link-change.ts';
import { removeLinksWithoutWaiting } from '../../src/kernel/rtnetlink/link-removal.ts';
import { createContainer, ip } from '../support/container.ts';
import { iproute } from './iproute.ts';
import { connection, link, removeLinks } from './links.ts';

beforeAll(() => {
  expect(removeLinksWithoutWaiting()).toBe(true);
});

afterEach(removeLinks);

afterAll(() => {
  removeLinksBy((on, request) => void on.request(request));
});

const there = async () => (await ip(undefined, 'link')).map(({ ifname }) => ifname);

test('a link and its peer are gone when it returns, and their names are free', async () => {
  for (let round = 0; round < 20; round++) {
    await iproute('ip link add fl0 type veth peer name fl1');
    r.deleteLink(connection, link('fl0'));
    expect(await there()).not.toContainAnyValues(['fl0', 'fl1']);
  }
});

test('a port of a bridge that is up, with its peer in a container', async () => {
  const { netns } = createContainer();
  await iproute('ip link add flbr type bridge');
  await iproute(`ip link add fl0 master flbr up type veth peer name fl1 netns ${netns.split('/').at(-1)}`);
  r.deleteLink(connection, link('fl0'));
  expect((await ip(netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
  expect(await there()).toContain('flbr');
  // The same connection goes on.
  r.deleteLink(connection, link('flbr'));
  expect(r.getLink(connection, 'flbr')).toBeUndefined();
});

test('hundreds, more than the ring has places', async () => {
  for (let round = 0; round < 300; round++) {
    r.createLink(connection, { kind: 'ifb', name: 'fl0' });
    r.deleteLink(connection, link('fl0'));
  }
  expect(await there()).not.toContain('fl0');
});

test('what the kernel refuses is the same error', async () => {
  await iproute('ip link add fl0 type veth peer name fl1');
  const gone = link('fl0');
  r.deleteLink(connection, gone);
  expect(() => r.deleteLink(connection, gone)).toThrow(/delete link fl0: .*ENODEV/);
  expect(() => r.deleteLink(connection, link('lo'))).toThrow(/delete link lo: .*EOPNOTSUPP/);
  expect(() => r.deleteLink(connection, 'fl0')).toThrow(/delete link fl0: .*ENODEV/);
});
