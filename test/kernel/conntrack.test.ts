/** Connection tracking's entries deleted: real flows in this namespace, held against what /proc/net/nf_conntrack lists. */
// packages: nftables
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { type Connection, conntrack, nftables } from '../../src/kernel/index.ts';
import { formatAddress, type IpAddress } from '../../src/lib/ip.ts';
import { address } from '../../src/lib/ip-literal.ts';
import { limit } from '../support/sandbox.ts';
import { nft } from './nft.ts';

const udp = 17;

let connection: Connection;
beforeAll(() => {
  connection = nftables.openNftables();
});
afterAll(() => connection.close());

/** Tracking begins with the first rule that needs it. Packets to port 7003 are in a zone of their own. */
beforeEach(async () => {
  await nft(`table inet tracking {
    chain early {
      type filter hook output priority -300
      udp dport 7003 ct zone set 5
    }
    chain tracked {
      type filter hook output priority 0
      ct state new counter
    }
    chain redirected {
      type nat hook output priority -100
      ip daddr 127.0.0.9 udp dport 7001 dnat ip to 127.0.0.2:7002
    }
  }\n`);
});
afterEach(async () => {
  await nft('flush ruleset\n');
  for (const close of sockets.splice(0)) close();
  for (const family of [4, 6] as const)
    conntrack.deleteConntrackEntries(connection, { family, protocol: udp });
  expect(ports()).toEqual([]);
});

const sockets: (() => void)[] = [];

/** Something that listens: otherwise an ICMP error would end the sender. */
async function listen(hostname: string, port: number): Promise<void> {
  const socket = await Bun.udpSocket({ hostname, port });
  sockets.push(() => socket.close());
}

async function send(hostname: string, port: number): Promise<void> {
  const any = hostname.includes(':') ? '::' : '0.0.0.0';
  const socket = await Bun.udpSocket({ hostname: any });
  sockets.push(() => socket.close());
  socket.send('hello', port, hostname);
}

interface Entry {
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly to: string;
  readonly port: number;
  readonly zone: number;
}

/** The original direction comes first: `ipv4 2 udp 17 29 src=… dst=… sport=… dport=…`. */
function entries(): Entry[] {
  return readFileSync('/proc/net/nf_conntrack', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const found = /^(ipv[46]) +\d+ +\w+ +(\d+) .*?dst=(\S+) .*?dport=(\d+).*?(?:zone=(\d+))/.exec(line);
      if (found === null) throw new Error(line);
      const [, family, protocol, to = '', port, zone] = found;
      return {
        family: family === 'ipv4' ? 4 : 6,
        protocol: Number(protocol),
        to: to.replaceAll(/\b0+(?=[0-9a-f])/g, ''),
        port: Number(port),
        zone: Number(zone),
      };
    });
}
const ports = () =>
  entries()
    .map(({ port, to }) => `${to} ${port}`)
    .sort();

describe('flows', () => {
  beforeEach(async () => {
    for (const hostname of ['127.0.0.1', '127.0.0.2']) {
      for (const port of [7001, 7002]) {
        await listen(hostname, port);
        await send(hostname, port);
        await send(hostname, port);
      }
    }
    for (const port of [7001, 7002]) {
      await listen('::1', port);
      await send('::1', port);
    }
    expect(ports()).toHaveLength(10);
  });

  test('to a port, on every address of the family', () => {
    const filter = { family: 4, protocol: udp, originalDestinationPort: 7001 } as const;
    expect(conntrack.deleteConntrackEntries(connection, filter)).toBe(4);
    expect(ports()).toEqual(
      [
        '127.0.0.1 7002',
        '127.0.0.1 7002',
        '127.0.0.2 7002',
        '127.0.0.2 7002',
        '0:0:0:0:0:0:0:1 7001',
        '0:0:0:0:0:0:0:1 7002',
      ].sort(),
    );
    expect(conntrack.deleteConntrackEntries(connection, filter)).toBe(0);
  });

  test('to a port of one address', () => {
    const filter = { family: 4, protocol: udp, originalDestinationPort: 7001 } as const;
    const originalDestination = address('127.0.0.2');
    expect(conntrack.deleteConntrackEntries(connection, { ...filter, originalDestination })).toBe(2);
    expect(ports().filter((each) => each === '127.0.0.1 7001')).toHaveLength(2);
    expect(ports()).not.toContain('127.0.0.2 7001');
    expect(ports()).toHaveLength(8);
  });

  test('IPv6, with and without address', () => {
    const filter = { family: 6, protocol: udp, originalDestinationPort: 7001 } as const;
    const other = { ...filter, originalDestination: address('fd00::2') };
    expect(conntrack.deleteConntrackEntries(connection, other)).toBe(0);
    const own = { ...filter, originalDestination: address('::1') };
    expect(conntrack.deleteConntrackEntries(connection, own)).toBe(1);
    expect(conntrack.deleteConntrackEntries(connection, { ...filter, originalDestinationPort: 7002 })).toBe(
      1,
    );
    expect(ports().filter((each) => each.startsWith('0:'))).toEqual([]);
    expect(ports()).toHaveLength(8);
  });

  test('that a function accepts, by their original destination', () => {
    const accepts = ({ address: to, port }: { address?: IpAddress; port?: number }) =>
      port === 7002 && to !== undefined && formatAddress(to) === '127.0.0.2';
    expect(conntrack.deleteConntrackEntries(connection, { family: 4, protocol: udp, accepts })).toBe(2);
    expect(ports()).not.toContain('127.0.0.2 7002');
    expect(ports()).toHaveLength(8);
  });

  test('of another protocol stay', () => {
    const filter = { family: 4, protocol: 6, originalDestinationPort: 7001 } as const;
    expect(conntrack.deleteConntrackEntries(connection, filter)).toBe(0);
    expect(ports()).toHaveLength(10);
  });
});

test('of a translated flow the original destination counts, not where it went', async () => {
  await listen('127.0.0.2', 7002);
  await send('127.0.0.9', 7001);
  expect(ports()).toEqual(['127.0.0.9 7001']);
  const filter = { family: 4, protocol: udp } as const;
  expect(
    conntrack.deleteConntrackEntries(connection, {
      ...filter,
      originalDestinationPort: 7002,
      originalDestination: address('127.0.0.2'),
    }),
  ).toBe(0);
  expect(
    conntrack.deleteConntrackEntries(connection, {
      ...filter,
      originalDestinationPort: 7001,
      originalDestination: address('127.0.0.9'),
    }),
  ).toBe(1);
  expect(ports()).toEqual([]);
});

test('in a zone other than the first', async () => {
  await listen('127.0.0.1', 7003);
  await send('127.0.0.1', 7003);
  expect(entries()).toMatchObject([{ port: 7003, zone: 5 }]);
  const filter = { family: 4, protocol: udp, originalDestinationPort: 7003 } as const;
  expect(conntrack.deleteConntrackEntries(connection, filter)).toBe(1);
  expect(ports()).toEqual([]);
});

test(
  'a thousand flows to other ports: only those asked for are answered and deleted',
  async () => {
    await listen('127.0.0.1', 7001);
    await listen('127.0.0.1', 7002);
    const socket = await Bun.udpSocket({ hostname: '0.0.0.0' });
    sockets.push(() => socket.close());
    for (let index = 0; index < 1000; index++) {
      await using sender = disposable(await Bun.udpSocket({ hostname: '0.0.0.0' }));
      sender.value.send('x', index % 2 === 0 ? 7001 : 7002, '127.0.0.1');
    }
    const before = ports().length;
    expect(before).toBeGreaterThan(900);
    const filter = { family: 4, protocol: udp, originalDestinationPort: 7001 } as const;
    const deleted = conntrack.deleteConntrackEntries(connection, filter);
    expect(deleted).toBeGreaterThan(450);
    expect(ports().filter((each) => each.endsWith('7001'))).toEqual([]);
    expect(ports()).toHaveLength(before - deleted);
  },
  limit(20),
);

function disposable<T extends { close(): void }>(value: T): AsyncDisposable & { readonly value: T } {
  return {
    value,
    [Symbol.asyncDispose]: async () => {
      value.close();
    },
  };
}
