import { describe, expect, test } from 'bun:test';
import { formatAddress, parseAddress } from '../../../../lib/ip.ts';
import { type ClientMessage, decodeMessage, encodeMessage, messageType, option } from './message.ts';

const mac = '02:00:00:00:00:07';
const of = (...values: readonly number[]) => Uint8Array.of(...values);

const discover: ClientMessage = {
  transactionId: 0xdeadbeef,
  seconds: 3,
  broadcast: true,
  mac,
  options: new Map([[option.messageType, of(messageType.discover)]]),
};

/** A server's message with these bytes as its options field. */
function answer(options: readonly number[], change: (bytes: Uint8Array) => void = () => {}): Uint8Array {
  const bytes = new Uint8Array(240 + options.length);
  bytes.set([2, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
  bytes.set([10, 0, 0, 9], 16);
  bytes.set([2, 0, 0, 0, 0, 7], 28);
  bytes.set([0x63, 0x82, 0x53, 0x63], 236);
  bytes.set(options, 240);
  change(bytes);
  return bytes;
}

const ack = [53, 1, messageType.ack];

describe('encoding', () => {
  test('the fields stand where RFC 2131 says, and the message is as long as BOOTP wants', () => {
    const bytes = encodeMessage(discover);
    expect(bytes.length).toBe(300);
    expect([...bytes.subarray(0, 12)]).toEqual([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 3, 0x80, 0]);
    expect([...bytes.subarray(28, 44)]).toEqual([2, 0, 0, 0, 0, 7, ...new Array<number>(10).fill(0)]);
    expect([...bytes.subarray(236, 245)]).toEqual([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255, 0]);
  });

  test("the client's own address", () => {
    const clientAddress = parseAddress('192.0.2.7');
    const bytes = encodeMessage({ ...discover, broadcast: false, clientAddress });
    expect([...bytes.subarray(10, 20)]).toEqual([0, 0, 192, 0, 2, 7, 0, 0, 0, 0]);
  });

  test('a long option in parts; an empty one with its length', () => {
    const options = new Map([
      [option.clientId, new Uint8Array(256).fill(9)],
      [option.userClass, of()],
    ]);
    const bytes = encodeMessage({ ...discover, options });
    expect([...bytes.subarray(240, 242)]).toEqual([61, 255]);
    expect([...bytes.subarray(497)]).toEqual([61, 1, 9, 77, 0, 255]);
  });
});

describe('decoding', () => {
  test('what a server says', () => {
    const read = decodeMessage(answer([0, ...ack, 0, 3, 8, 10, 0, 0, 1, 10, 0, 0, 2, 255, 1, 1]));
    expect(read && { ...read, yourAddress: formatAddress(read.yourAddress) }).toEqual({
      transactionId: 0xdeadbeef,
      yourAddress: '10.0.0.9',
      mac,
      options: new Map([
        [53, of(5)],
        [3, of(10, 0, 0, 1, 10, 0, 0, 2)],
      ]),
    });
  });

  test('an option in parts is one option', () => {
    expect(decodeMessage(answer([...ack, 15, 2, 97, 98, 3, 0, 15, 1, 99, 255]))?.options.get(15)).toEqual(
      of(97, 98, 99),
    );
  });

  test('option 52: more of them in `file`, then in `sname`', () => {
    const inBoth = answer([52, 1, 3, 15, 1, 97, 255], (bytes) => {
      bytes.set([15, 1, 98, 255], 108);
      bytes.set([15, 1, 99, 53, 1, 5], 44);
    });
    expect(decodeMessage(inBoth)?.options).toEqual(
      new Map([
        [15, of(97, 98, 99)],
        [53, of(5)],
      ]),
    );
    const inNone = answer([...ack, 255], (bytes) => bytes.set([15, 200, 98], 108));
    expect(decodeMessage(inNone)?.options.size).toBe(1);
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['cut off in the fields', answer([255]).subarray(0, 239)],
    ['no options', answer([])],
    ["a client's message", answer([...ack, 255], (bytes) => bytes.fill(1, 0, 1))],
    ['other hardware', answer([...ack, 255], (bytes) => bytes.fill(6, 1, 2))],
    ['a hardware address of another length', answer([...ack, 255], (bytes) => bytes.fill(16, 2, 3))],
    ['no magic cookie', answer([...ack, 255], (bytes) => bytes.fill(0, 236, 237))],
    ['no end', answer(ack)],
    ['pads only', answer([0, 0, 0])],
    ['an option without a length', answer([...ack, 3])],
    ['an option that is longer than the message', answer([...ack, 3, 200, 10, 0, 0, 1, 255])],
    ['an option that takes the end with it', answer([...ack, 3, 1, 255])],
    ['a lie in `file`', answer([52, 1, 1, ...ack, 255], (bytes) => bytes.set([15, 127], 108))],
    ['a lie in `sname`', answer([52, 1, 2, ...ack, 255], (bytes) => bytes.set([15, 63], 44))],
  ])('%s: no message', (_what, bytes) => {
    expect(decodeMessage(bytes)).toBeUndefined();
  });

  test('whatever is cut off or changed anywhere: no exception', () => {
    const whole = answer([52, 1, 3, ...ack, 3, 4, 10, 0, 0, 1, 255]);
    for (let length = 0; length <= whole.length; length++) decodeMessage(whole.subarray(0, length));
    for (let position = 0; position < whole.length; position++) {
      for (const value of [0, 1, 52, 127, 255]) {
        const changed = whole.slice();
        changed[position] = value;
        decodeMessage(changed);
      }
    }
  });
});
