/** Against GLib's own encoding: `Gio.DBusMessage.to_blob`, by python3-gi. */
import { expect, test } from 'bun:test';
import { decodeReply, encodeCall, headerSize, messageSize } from './dbus-message.ts';

const bytes = (...hex: readonly string[]) => Uint8Array.fromHex(hex.join(''));

test('a call with two texts, byte for byte', () => {
  const encoded = encodeCall(7, {
    destination: 'org.example',
    path: '/org/example',
    interface: 'org.example.zone',
    member: 'addSource',
    arguments: ['trusted', '10.1.2.3/32'],
  });
  // new_method_call('org.example', '/org/example', 'org.example.zone', 'addSource'), serial 7, NO_AUTO_START
  const golden = bytes(
    '6c0102011c000000070000006a000000',
    '01016f000c0000002f6f72672f6578616d706c6500000000',
    '02017300100000006f72672e6578616d706c652e7a6f6e650000000000000000',
    '060173000b0000006f72672e6578616d706c6500000000000801670002737300',
    '0301730009000000616464536f75726365000000000000000700000074727573',
    '746564000b00000031302e312e322e332f333200',
  );
  expect(encoded.toHex()).toBe(golden.toHex());
  expect(messageSize(encoded)).toBe(encoded.length);
});

test.each([
  [
    'true',
    bytes(
      '6c02000104000000030000003000000007017300040000003a312e340000000006017300040000003a312e3500000000',
      '0801670001620000050175000700000001000000',
    ),
    { replyTo: 7, error: undefined, value: true },
  ],
  [
    'a text, in the other byte order',
    bytes(
      '420200010000000c000000030000003007017300000000043a312e340000000006017300000000043a312e3500000000',
      '08016700017300000501750000000007000000077472757374656400',
    ),
    { replyTo: 7, error: undefined, value: 'trusted' },
  ],
  [
    'an error',
    bytes(
      '6c03000114000000030000006000000007017300040000003a312e340000000004017300260000006f72672e6665646f726170726f6a6563742e4669726577616c6c44312e457863657074696f6e00000601',
      '7300040000003a312e3500000000080167000173000005017500070000000f000000494e56414c49445f5a4f4e453a207800',
    ),
    { replyTo: 7, error: 'org.fedoraproject.FirewallD1.Exception', value: 'INVALID_ZONE: x' },
  ],
])('an answer: %s', (_, message, reply) => {
  expect(messageSize(message.subarray(0, headerSize))).toBe(message.length);
  expect(decodeReply(message)).toEqual(reply);
});

test.each([
  ['no message', bytes('00'.repeat(16))],
  ['one too long', bytes('6c020001ffffffff0300000030000000')],
])('%s', (_, message) => {
  expect(() => messageSize(message)).toThrow(/^D-Bus: a message/);
});
