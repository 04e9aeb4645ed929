/** Connections over a socket whose answers are made here: what the kernel would never, or seldom, send. */
import { describe, expect, test } from 'bun:test';
import { SystemError } from '../sys/libc.ts';
import { createWriter } from './bytes.ts';
import { type Connection, connectionOn } from './connection.ts';
import { NetlinkError } from './error.ts';
import {
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
  readFrames,
  writeFrame,
} from './message.ts';

interface Message {
  readonly type: number;
  readonly flags?: number;
  readonly body?: Uint8Array;
  /** Added to the sequence number of the request that is answered. */
  readonly offBy?: number;
}

function int32(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

/** struct nlmsgerr with the request's header, of which only the length counts. */
function acknowledge(errno = 0): Message {
  return { type: NLMSG_ERROR, flags: NLM_F_CAPPED, body: int32(-errno, 16, 0, 0, 0) };
}

/** Attribute 1 (NLMSGERR_ATTR_MSG) with the text. */
function messageAttribute(text: string): Uint8Array {
  const writer = createWriter();
  writer.u16(4 + text.length + 1);
  writer.u16(1);
  writer.bytes(new TextEncoder().encode(`${text}\0`));
  while (writer.position() % 4 !== 0) writer.u8(0);
  return writer.finish();
}

const part = (mark: number, flags = 0): Message => ({
  type: 16,
  flags: NLM_F_MULTI | flags,
  body: int32(mark),
});
const done = (result = 0): Message => ({ type: NLMSG_DONE, flags: NLM_F_MULTI, body: int32(result) });

/** Every datagram sent is answered by the next of `scripts`: a list of datagrams, each a list of messages or bytes. */
function scripted(...scripts: (Message[] | Uint8Array)[][]): { connection: Connection; sent: number[] } {
  const waiting: Uint8Array[] = [];
  const sent: number[] = [];
  const encode = (messages: Message[], sequences: number[]) => {
    const writer = createWriter();
    for (const [index, { type, flags = 0, body = new Uint8Array(), offBy = 0 }] of messages.entries()) {
      const sequence = sequences[Math.min(index, sequences.length - 1)] ?? 0;
      writeFrame(writer, type, flags, sequence + offBy, body);
    }
    return writer.finish();
  };
  const connection = connectionOn({
    fd: -1,
    send: (datagram) => {
      const sequences = readFrames(datagram).map((frame) => frame.sequence);
      sent.push(sequences.length);
      for (const item of scripts.shift() ?? []) {
        waiting.push(item instanceof Uint8Array ? item : encode(item, sequences));
      }
    },
    receive: () => {
      const next = waiting.shift();
      if (next === undefined) throw new SystemError('wait', 110);
      return next;
    },
    receiveNow: () => waiting.shift(),
    close: () => undefined,
  });
  return { connection, sent };
}

const request = { operation: 'try it', type: 16, body: new Uint8Array() };
const marks = (frames: { body: Uint8Array }[]) => frames.map(({ body }) => body[0]);

describe('requests', () => {
  test('answers come before the acknowledgement and may be in datagrams of their own', () => {
    const { connection } = scripted([[part(1)], [part(2), acknowledge()]]);
    expect(marks(connection.request(request))).toEqual([1, 2]);
  });

  test('answers under another sequence number are passed over, acknowledgements too', () => {
    const stranger = { ...acknowledge(1), offBy: 7 };
    const { connection } = scripted([[stranger], [{ ...part(9), offBy: -1 }, part(1), acknowledge()]]);
    expect(marks(connection.request(request))).toEqual([1]);
  });

  test('what an abandoned request left behind does not disturb the next', () => {
    const { connection } = scripted(
      [[part(1)], Uint8Array.of(1, 2, 3), [part(2), acknowledge(17)]],
      [[part(3), acknowledge()]],
    );
    expect(() => connection.request(request)).toThrow(
      "try it: the kernel's answer: netlink: 3 bytes left over",
    );
    expect(marks(connection.request(request))).toEqual([3]);
  });

  test('no-operation messages are passed over', () => {
    const { connection } = scripted([[{ type: NLMSG_NOOP }], [acknowledge()]]);
    expect(connection.request(request)).toEqual([]);
  });

  test('a message that others were lost is ENOBUFS', () => {
    const { connection } = scripted([[{ type: NLMSG_OVERRUN }]]);
    expect(() => connection.request(request)).toThrow(
      'try it: receive netlink messages: no buffer space (ENOBUFS)',
    );
  });

  test('no answer at all says what was tried', () => {
    const { connection } = scripted([]);
    expect(() => connection.request(request)).toThrow('try it: wait: timed out (ETIMEDOUT)');
  });

  test.each([
    ['empty', new Uint8Array(0)],
    ['cut off in its errno', int32(-17).subarray(0, 2)],
    ['cut off in the echo', int32(-17, 16, 0)],
  ])('an acknowledgement that is %s', (_what, body) => {
    const { connection } = scripted([[{ type: NLMSG_ERROR, body }]]);
    expect(() => connection.request(request)).toThrow(
      /^try it: the kernel's answer: netlink: an acknowledgement/,
    );
  });

  test('an acknowledgement whose echo is longer than what is there', () => {
    const body = int32(-17, 400, 0, 0, 0);
    const { connection } = scripted([[{ type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS, body }]]);
    expect(() => connection.request(request)).toThrow(
      "try it: the kernel's answer: netlink: an echo of 400 bytes",
    );
  });
});

describe('several requests', () => {
  const named = (operation: string) => ({ ...request, operation });

  test('all are answered before the first failure is thrown', () => {
    const { connection, sent } = scripted([[acknowledge(), acknowledge(17), acknowledge(19)]]);
    const error = failure(() => connection.requestAll([named('a'), named('b'), named('c')]));
    expect(error).toBeInstanceOf(NetlinkError);
    expect(error).toMatchObject({ operation: 'b', code: 'EEXIST' });
    expect(sent).toEqual([3]);
  });

  test('none is nothing sent', () => {
    const { connection, sent } = scripted();
    connection.requestAll([]);
    expect(sent).toEqual([]);
  });

  test('many are sent in several datagrams, so that the answers fit the receive buffer', () => {
    const success = Array.from({ length: 100 }, () => acknowledge());
    const { connection, sent } = scripted([success], [success], [success.slice(0, 50)]);
    connection.requestAll(Array.from({ length: 250 }, (_, index) => named(`number ${index}`)));
    expect(sent).toEqual([100, 100, 50]);
  });

  test('a failure in an early datagram does not keep back later ones', () => {
    const success = Array.from({ length: 100 }, () => acknowledge());
    const { connection, sent } = scripted([[acknowledge(2), ...success.slice(1)]], [[acknowledge(17)]]);
    const requests = Array.from({ length: 101 }, (_, index) => named(`number ${index}`));
    expect(failure(() => connection.requestAll(requests))).toMatchObject({ operation: 'number 0' });
    expect(sent).toEqual([100, 1]);
  });
});

describe('dumps', () => {
  test('over several datagrams', () => {
    const { connection } = scripted([[part(1), part(2)], [part(3)], [done()]]);
    expect(marks(connection.dump(request))).toEqual([1, 2, 3]);
  });

  test('parts of another dump are passed over', () => {
    const other = { ...done(), offBy: -1 };
    const { connection } = scripted([[other], [{ ...part(8), offBy: 3 }, part(1), done()]]);
    expect(marks(connection.dump(request))).toEqual([1]);
  });

  test.each([
    ['in a part', [[part(1, NLM_F_DUMP_INTR)], [done()]]],
    ['in the last part', [[part(1)], [part(2, NLM_F_DUMP_INTR), done()]]],
    ['at its end', [[part(1)], [{ ...done(), flags: NLM_F_DUMP_INTR }]]],
  ])('one that was interrupted %s is read to its end and done again', (_where, interrupted) => {
    const { connection, sent } = scripted(interrupted, [[part(5), done()]]);
    expect(marks(connection.dump(request))).toEqual([5]);
    expect(sent).toEqual([1, 1]);
  });

  test('one that is interrupted every time ends', () => {
    const always = Array.from({ length: 200 }, () => [[part(1, NLM_F_DUMP_INTR), done()]]);
    const { connection, sent } = scripted(...always);
    expect(() => connection.dump(request)).toThrow(
      /^try it: the list changed during each of 64 readings.*ESTALE/,
    );
    expect(sent.length).toBe(64);
  });

  test('an interruption does not hide a failure', () => {
    const { connection } = scripted([[part(1, NLM_F_DUMP_INTR), done(-19)]]);
    expect(failure(() => connection.dump(request))).toMatchObject({ operation: 'try it', code: 'ENODEV' });
  });

  test("a failure at the end carries the kernel's message", () => {
    const body = Uint8Array.from([...int32(-22), ...messageAttribute('Invalid index')]);
    const { connection } = scripted([[{ type: NLMSG_DONE, flags: NLM_F_ACK_TLVS, body }]]);
    expect(() => connection.dump(request)).toThrow(
      'try it: invalid argument (EINVAL): the kernel says “Invalid index”',
    );
  });

  test('a failure at the start is an acknowledgement', () => {
    const { connection } = scripted([[acknowledge(95)]]);
    expect(failure(() => connection.dump(request))).toMatchObject({ code: 'EOPNOTSUPP' });
  });

  test('an end without a result is success', () => {
    const { connection } = scripted([[part(1), { type: NLMSG_DONE }]]);
    expect(marks(connection.dump(request))).toEqual([1]);
  });
});

function failure(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
