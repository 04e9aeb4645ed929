import { describe, expect, test } from 'bun:test';
import { addressToBytes } from '../../lib/ip.ts';
import { address } from '../../lib/ip-literal.ts';
import { createWriter } from '../netlink/bytes.ts';
import type { Connection } from '../netlink/connection.ts';
import { NetlinkError } from '../netlink/error.ts';
import type { Frame, Request } from '../netlink/message.ts';
import { deleteConntrackEntries } from './conntrack.ts';

const EINVAL = 22;
const ENOENT = 2;
const EPERM = 1;
const CTA_FILTER = 25;

function attribute(type: number, payload: Uint8Array): Uint8Array {
  const writer = createWriter();
  writer.u16(4 + payload.length);
  writer.u16(type);
  writer.bytes(payload);
  writer.zeros(-payload.length & 3);
  return writer.finish();
}
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** An entry's message: struct nfgenmsg, CTA_TUPLE_ORIG with addresses and ports, CTA_ID. */
function entry(to: string, protocol: number, port: number, id: number): Uint8Array {
  const ip = attribute(
    1,
    join(attribute(1, addressToBytes(address('10.0.0.9'))), attribute(2, addressToBytes(address(to)))),
  );
  const ports = join(
    attribute(2, Uint8Array.of(0x30, 0x39)),
    attribute(3, Uint8Array.of(port >> 8, port & 255)),
  );
  const tuple = attribute(1, join(ip, attribute(2, join(attribute(1, Uint8Array.of(protocol)), ports))));
  return join(Uint8Array.of(2, 0, 0, 0), tuple, attribute(12, Uint8Array.of(0, 0, 0, id)));
}

function hasFilter({ body }: Request): boolean {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let offset = 4; offset < body.length; offset += (view.getUint16(offset, true) + 3) & ~3) {
    if ((view.getUint16(offset + 2, true) & 0x3fff) === CTA_FILTER) return true;
  }
  return false;
}

/** A kernel with these entries; `dump` and `remove` say what it refuses. */
function kernel(
  bodies: readonly Uint8Array[],
  refusals: { dump?: (request: Request) => number; remove?: () => number } = {},
): { connection: Connection; deleted: Request[] } {
  const deleted: Request[] = [];
  const refuse = (errno: number | undefined, { operation }: Request) => {
    if (errno !== undefined && errno !== 0) throw new NetlinkError(operation, errno);
  };
  const connection: Connection = {
    fd: -1,
    close: () => undefined,
    exchange: () => undefined,
    requestAll: () => undefined,
    dump: (request) => {
      refuse(refusals.dump?.(request), request);
      return bodies.map((body): Frame => ({ type: 0x100, flags: 2, sequence: 1, body }));
    },
    request: (request) => {
      deleted.push(request);
      refuse(refusals.remove?.(), request);
      return [];
    },
  };
  return { connection, deleted };
}

const wanted = { family: 4, protocol: 17, originalDestinationPort: 53 } as const;
const some = [
  entry('10.0.0.1', 17, 53, 1),
  entry('10.0.0.1', 17, 54, 2),
  entry('10.0.0.1', 6, 53, 3),
  entry('10.0.0.2', 17, 53, 4),
];

describe('kernels', () => {
  test('before 5.8 pass over the filter: what they answer is looked at', () => {
    const { connection, deleted } = kernel(some);
    expect(deleteConntrackEntries(connection, wanted)).toBe(2);
    expect(deleted.map(({ body }) => body.at(-1))).toEqual([1, 4]);
  });

  test('a filter that is refused: all are listed', () => {
    const { connection } = kernel(some, { dump: (request) => (hasFilter(request) ? EINVAL : 0) });
    const originalDestination = address('10.0.0.2');
    expect(deleteConntrackEntries(connection, { ...wanted, originalDestination })).toBe(1);
  });

  test('without connection tracking over netlink there is nothing to do', () => {
    const { connection, deleted } = kernel(some, { dump: () => EINVAL });
    expect(deleteConntrackEntries(connection, wanted)).toBe(0);
    expect(deleted).toEqual([]);
  });

  test('another refusal is an error that says what was tried', () => {
    const { connection } = kernel(some, { dump: () => EPERM });
    expect(() => deleteConntrackEntries(connection, wanted)).toThrow('list conntrack entries');
  });
});

describe('an entry', () => {
  test('that ended meanwhile is no error', () => {
    const { connection, deleted } = kernel(some, { remove: () => ENOENT });
    expect(deleteConntrackEntries(connection, wanted)).toBe(2);
    expect(deleted).toHaveLength(2);
  });

  test('that cannot be deleted is one', () => {
    const { connection } = kernel(some, { remove: () => EPERM });
    expect(() => deleteConntrackEntries(connection, wanted)).toThrow(
      'delete a conntrack entry of protocol 17',
    );
  });

  test('is deleted by its own tuple, untouched, and its id', () => {
    const { connection, deleted } = kernel(some);
    deleteConntrackEntries(connection, wanted);
    // Only NLA_F_NESTED is new.
    const sent = deleted[0]?.body.slice() ?? new Uint8Array();
    sent[7] = (sent[7] ?? 0) & 0x7f;
    expect(Buffer.from(sent).equals(Buffer.from(some[0] ?? []))).toBe(true);
  });

  test('whose lengths lie is an error', () => {
    const lying = entry('10.0.0.1', 17, 53, 1);
    lying[8] = 0xff;
    expect(() => deleteConntrackEntries(kernel([lying]).connection, wanted)).toThrow('says');
  });
});
