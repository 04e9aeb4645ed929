/** Dumps that the kernel marks as interrupted, for real: links come and go between two datagrams of one list. */
// packages: iproute2
import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  type Connection,
  NETLINK_ROUTE,
  openConnection,
  openNetns,
  rtnetlink as r,
} from '../../src/kernel/index.ts';
import { connectionOn } from '../../src/kernel/netlink/connection.ts';
import { openSocket } from '../../src/kernel/netlink/socket.ts';
import { createContainer, removeContainers } from '../support/container.ts';
import { limit } from '../support/sandbox.ts';

/** More than fit a datagram of 32 KiB. */
const pairs = 40;

let other: Connection;
let receives: number;
let betweenDatagrams: () => void;
let connection: Connection;

/** A namespace full of links, a connection to it that calls `betweenDatagrams` after each datagram, and another one. */
beforeEach(() => {
  const netns = openNetns(createContainer().netns);
  other = openConnection(NETLINK_ROUTE, netns);
  const socket = openSocket(NETLINK_ROUTE, netns);
  netns.close();
  receives = 0;
  betweenDatagrams = () => undefined;
  connection = connectionOn({
    ...socket,
    receive: () => {
      const datagram = socket.receive();
      receives++;
      betweenDatagrams();
      return datagram;
    },
  });
  for (let pair = 0; pair < pairs; pair++) {
    r.createLink(other, { name: `a${pair}`, kind: 'veth', data: { peer: { name: `b${pair}` } } });
  }
}, limit(10));
afterEach(() => {
  other.close();
  connection.close();
  removeContainers();
});

const names = (links: readonly r.Link[]) => links.map(({ name }) => name);

test('a list that nothing changes takes several datagrams, once', () => {
  expect(r.listLinks(connection).length).toBeGreaterThanOrEqual(2 * pairs + 1);
  expect(receives).toBeGreaterThan(2);
});

test('a link that comes in between is in the list, which is read again', () => {
  r.listLinks(connection);
  const once = receives;
  receives = 0;
  let changes = 0;
  betweenDatagrams = () => {
    if (changes < 3 && receives % 2 === 1) r.createLink(other, { name: `new${changes++}`, kind: 'bridge' });
  };
  const found = names(r.listLinks(connection));
  expect(receives).toBeGreaterThan(once);
  expect(found).toEqual(expect.arrayContaining(['new0', 'new1', 'new2', 'a0', `b${pairs - 1}`]));
  expect(new Set(found).size).toBe(found.length);
  // Nothing of the earlier attempts is left on the socket.
  betweenDatagrams = () => undefined;
  expect(names(r.listLinks(connection)).sort()).toEqual(found.sort());
});

test(
  'a list that changes each time is an error in the end, and the connection goes on',
  () => {
    let changes = 0;
    betweenDatagrams = () => {
      const bridge = { name: 'restless', kind: 'bridge' } as const;
      if (changes++ % 2 === 0) r.createLink(other, bridge);
      else r.deleteLink(other, 'restless');
    };
    expect(() => r.listLinks(connection)).toThrow('list links: the list changed during each of 64 readings');
    betweenDatagrams = () => undefined;
    expect(r.getLink(connection, 'a0')?.name).toBe('a0');
    expect(names(r.listLinks(connection))).toContain(`b${pairs - 1}`);
  },
  limit(60),
);

test('a link asked for by its name is one message, however many there are', () => {
  r.getLink(connection, 'a0');
  // The answer and the acknowledgement.
  expect(receives).toBeLessThanOrEqual(2);
});
