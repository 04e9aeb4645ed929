import { describe, expect, test } from 'bun:test';
import { attribute } from './attributes.ts';
import { CodecError, createWriter } from './bytes.ts';
import { cstring, u8, u16, u32 } from './codec.ts';
import { decodeAcknowledgement, isNetlinkError, NetlinkError } from './error.ts';
import { messageLayout, NLM_F_ACK_TLVS, NLM_F_CAPPED, readFrames, writeFrame } from './message.ts';

function frames(...bodies: Uint8Array[]): Uint8Array {
  const writer = createWriter();
  for (const [index, body] of bodies.entries()) writeFrame(writer, 16, 5, index + 1, body);
  return writer.finish();
}

describe('frames', () => {
  test('are a header of sixteen bytes, the body, and zeros up to four bytes', () => {
    expect([...frames(Uint8Array.of(1, 2, 3, 4, 5))]).toEqual([
      21, 0, 0, 0, 16, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0,
    ]);
  });

  test('several in a datagram are told apart', () => {
    const read = readFrames(frames(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)));
    expect(read.map(({ type, flags, sequence, body }) => [type, flags, sequence, [...body]])).toEqual([
      [16, 5, 1, [1]],
      [16, 5, 2, []],
      [16, 5, 3, [2, 3]],
    ]);
  });

  test('an empty datagram has none', () => expect(readFrames(new Uint8Array())).toEqual([]));

  test('every way of cutting a datagram short is refused, except between frames and in the last padding', () => {
    const whole = frames(new Uint8Array(8), Uint8Array.of(1, 2, 3)); // 24 + 19 + 1
    for (let length = 1; length < whole.length; length++) {
      const read = () => readFrames(whole.subarray(0, length));
      if (length === 24) expect(read().length).toBe(1);
      else if (length === 43) expect(read().length).toBe(2);
      else expect(read).toThrow(CodecError);
    }
  });

  test.each([0, 1, 15, 25, 0x7fffffff, 0xffffffff])(
    'a frame that says %d bytes of 24 is refused',
    (length) => {
      const bytes = frames(new Uint8Array(8));
      new DataView(bytes.buffer).setUint32(0, length, true);
      expect(() => readFrames(bytes)).toThrow(`message at offset 0 says ${length} bytes, 24 are there`);
    },
  );
});

describe('message layouts', () => {
  const layout = messageLayout(
    { family: u8, type: u16 },
    { index: attribute(1, u32), name: attribute(2, cstring) },
  );

  test('put attributes at four bytes after the header', () => {
    const body = layout.encode({ type: 0x0201 }, { index: 3 });
    expect([...body]).toEqual([0, 1, 2, 0, 8, 0, 1, 0, 3, 0, 0, 0]);
    expect(layout.decode(body)).toEqual({ header: { family: 0, type: 0x0201 }, attributes: { index: 3 } });
  });

  test('a body shorter than its header is refused', () => {
    expect(() => layout.decode(Uint8Array.of(1, 2))).toThrow(CodecError);
  });
});

describe('acknowledgements', () => {
  const errno = [0xed, 0xff, 0xff, 0xff]; // -19
  const echo = [36, 0, 0, 0, 16, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0];
  const attributes = [8, 0, 1, 0, 111, 104, 33, 0, 8, 0, 2, 0, 20, 0, 0, 0];

  test('errno is positive; zero is success', () => {
    expect(decodeAcknowledgement(Uint8Array.from([...errno, ...echo]), 0)).toEqual({ errno: 19 });
    expect(decodeAcknowledgement(Uint8Array.from([0, 0, 0, 0, ...echo]), 0).errno).toBe(0);
  });

  test('the explanation stands after the header alone, or after the whole request', () => {
    const capped = Uint8Array.from([...errno, ...echo, ...attributes]);
    const whole = Uint8Array.from([...errno, ...echo, ...new Uint8Array(20), ...attributes]);
    const expected = { errno: 19, message: 'oh!', offset: 20 };
    expect(decodeAcknowledgement(capped, NLM_F_ACK_TLVS | NLM_F_CAPPED)).toEqual(expected);
    expect(decodeAcknowledgement(whole, NLM_F_ACK_TLVS)).toEqual(expected);
  });

  test('too short ones, and an echo longer than the message, are refused', () => {
    expect(() => decodeAcknowledgement(Uint8Array.from(errno), 0)).toThrow(CodecError);
    const lying = Uint8Array.from([...errno, ...echo]);
    expect(() => decodeAcknowledgement(lying, NLM_F_ACK_TLVS)).toThrow('an echo of 36 bytes');
  });
});

describe('errors', () => {
  const error = new NetlinkError('create link eth0', 17, 'name in use', 40);

  test('read as what was tried, what went wrong, what the kernel says', () => {
    expect(error.message).toBe('create link eth0: exists already (EEXIST): the kernel says “name in use”');
    expect(new NetlinkError('x', 9999).message).toBe('x: error 9999 (E9999)');
  });

  test('are told by their code', () => {
    expect(isNetlinkError(error, 'ENODEV', 'EEXIST')).toBe(true);
    expect(isNetlinkError(error, 'ENODEV')).toBe(false);
    expect(isNetlinkError(error)).toBe(true);
    expect(isNetlinkError(new Error('EEXIST'))).toBe(false);
    expect(isNetlinkError(Object.assign(new Error(), { code: 'EEXIST' }), 'EEXIST')).toBe(false);
  });
});
