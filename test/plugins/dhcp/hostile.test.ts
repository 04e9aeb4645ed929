/** A server that lies: what it sends before its right answers is passed over, and what it sends alone gives no lease. */
// packages: iproute2
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { openNetns } from '../../../src/kernel/netns/netns.ts';
import { openPacketSocket } from '../../../src/kernel/socket/packet.ts';
import { createContainer, ip } from '../../support/container.ts';
import { check, del, failure, status } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { makeSegment, neighbour, removeSegment } from '../../support/segment.ts';
import { attach, configOf } from './network.ts';
import { startDaemon, stopAll, until } from './servers.ts';

beforeEach(() => makeSegment());
afterEach(async () => {
  await stopAll();
  await removeSegment();
});

const [discover, offer, ack, nak] = [1, 2, 5, 6];
const server = [10, 50, 0, 1];
const address = [10, 50, 0, 77];

/** An answer in the making: the DHCP message, and options in the order in which they are sent. */
interface Draft {
  readonly message: Uint8Array;
  options: number[];
}

type Change = (draft: Draft) => void;

/** What an answer of this type says when it is right. */
function optionsOf(type: number): number[] {
  return [53, 1, type, 54, 4, ...server, 51, 4, 0, 0, 1, 0, 1, 4, 255, 255, 255, 0, 3, 4, ...server, 255];
}

/** The frame of an answer to a client's message (which begins at its 42nd byte), changed. */
function frameOf(question: Uint8Array, type: number, change: Change = () => {}): Uint8Array {
  const message = new Uint8Array(240);
  message.set(question.subarray(42, 42 + 44));
  message[0] = 2;
  message.set(address, 16);
  message.set([0x63, 0x82, 0x53, 0x63], 236);
  const draft = { message, options: optionsOf(type) };
  change(draft);
  const payload = [...message, ...draft.options];
  const ip = [0x45, 0, ...be16(28 + payload.length), 0, 0, 0, 0, 64, 17, 0, 0, ...server, 255, 255, 255, 255];
  ip.splice(10, 2, ...be16(checksum(ip)));
  const udp = [...be16(67), ...be16(68), ...be16(8 + payload.length), 0, 0];
  const mac = question.subarray(6, 12);
  return Uint8Array.of(...mac, 2, 0, 0, 0, 0, 1, 8, 0, ...ip, ...udp, ...payload);
}

const be16 = (value: number) => [value >> 8, value & 255];

function checksum(bytes: readonly number[]): number {
  let total = 0;
  for (let index = 0; index < bytes.length; index += 2)
    total += (bytes[index] ?? 0) * 256 + (bytes[index + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return ~total & 0xffff;
}

/** Answers each client's message with the frames that `answer` makes of it. Returns how to end it. */
async function serve(
  answer: (question: Uint8Array, type: number) => readonly Uint8Array[],
): Promise<Disposable> {
  const [{ ifindex } = {}] = await ip(neighbour.netns, 'link', 'show', 'eth0');
  const netns = openNetns(neighbour.netns);
  const socket = openPacketSocket({ link: Number(ifindex), etherType: 0x0800 }, netns);
  netns.close();
  const timer = setInterval(() => {
    for (let frame = socket.receiveNow(); frame !== undefined; frame = socket.receiveNow()) {
      // Ours says its type in the first option.
      const isQuestion = frame.length >= 285 && frame[23] === 17 && frame[37] === 67 && frame[42] === 1;
      if (isQuestion) for (const each of answer(frame, frame[284] ?? 0)) socket.send(each);
    }
  }, 5);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      socket.close();
    },
  };
}

const right = (question: Uint8Array, type: number) => frameOf(question, type === discover ? offer : ack);

/** Gives options in place of those that are there. */
const withOptions =
  (...options: readonly number[]): Change =>
  (draft) => {
    draft.options = [...options];
  };

/** Adds an option before the end. */
const adding =
  (...option: readonly number[]): Change =>
  (draft) => {
    draft.options = [...draft.options.slice(0, -1), ...option, 255];
  };

const lies: readonly (readonly [string, Change])[] = [
  ['another transaction', ({ message }) => message.fill(0, 4, 8)],
  ["another client's hardware address", ({ message }) => message.set([2, 9, 9, 9, 9, 9], 28)],
  ["a client's message", ({ message }) => message.fill(1, 0, 1)],
  ['a hardware address that is longer than its field', ({ message }) => message.fill(255, 2, 3)],
  ['no magic cookie', ({ message }) => message.fill(0, 236, 240)],
  ['no options', withOptions()],
  ['options without an end', (draft) => void draft.options.pop()],
  ['an option that is longer than the message', adding(15, 250, 65)],
  ['the length alone', withOptions(53, 1)],
  ['a type of three bytes', withOptions(53, 3, 2, 2, 2, 54, 4, ...server, 255)],
  ['no type', withOptions(54, 4, ...server, 255)],
  ['an unknown type', withOptions(53, 1, 99, 54, 4, ...server, 255)],
  ['no server', withOptions(53, 1, offer, 51, 4, 0, 0, 1, 0, 1, 4, 255, 255, 255, 0, 255)],
  [
    'overload that lies',
    (draft) => {
      draft.message.fill(200, 44, 236);
      draft.options = [52, 1, 3, ...draft.options];
    },
  ],
  ['the address 0.0.0.0', ({ message }) => message.fill(0, 16, 20)],
  ['a multicast address', ({ message }) => message.set([224, 0, 0, 1], 16)],
  ['a loopback address', ({ message }) => message.set([127, 0, 0, 1], 16)],
];

test(
  'all lies at once, before each right answer: the lease is the right one',
  async () => {
    using _ = await serve((question, type) => [
      ...lies.map(([, change]) => frameOf(question, type === discover ? offer : ack, change)),
      ...[0, 14, 20, 33, 41, 42, 100, 280].map((length) =>
        frameOf(question, offer).subarray(0, Math.max(length, 14)),
      ),
      right(question, type),
    ]);
    const daemon = await startDaemon(['-resendtimeout', '5s']);
    const { result, call } = await attach();
    expect(result.ips).toEqual([{ address: '10.50.0.77/24', gateway: '10.50.0.1', interface: 0 }]);
    await check(call);
    await del(call);
    expect(daemon.log()).not.toContain('Error');
  },
  limit(30),
);

describe('each lie in place of an answer gives no lease, and no crash:', () => {
  const acks: readonly (readonly [string, Change])[] = [
    [
      'an ACK of another server',
      withOptions(53, 1, ack, 54, 4, 10, 50, 0, 9, 51, 4, 0, 0, 1, 0, 1, 4, 255, 255, 255, 0, 255),
    ],
    ['an ACK of another address', ({ message }) => message.set([10, 50, 0, 78], 16)],
    ['an ACK without a mask', withOptions(53, 1, ack, 54, 4, ...server, 51, 4, 0, 0, 1, 0, 255)],
    [
      'an ACK with a mask with holes',
      withOptions(53, 1, ack, 54, 4, ...server, 51, 4, 0, 0, 1, 0, 1, 4, 255, 0, 255, 0, 255),
    ],
    [
      'an ACK for no time',
      withOptions(53, 1, ack, 54, 4, ...server, 51, 4, 0, 0, 0, 0, 1, 4, 255, 255, 255, 0, 255),
    ],
  ];
  test(
    'all of them, one after the other, to one daemon',
    async () => {
      const daemon = await startDaemon(['-timeout', '150ms', '-resendtimeout', '150ms']);
      const failed: string[] = [];
      for (const [name, change] of [...lies, ...acks]) {
        const isOfAck = acks.some(([other]) => other === name);
        using _ = await serve((question, type) => [
          isOfAck && type === discover
            ? right(question, type)
            : frameOf(question, type === discover ? offer : ack, change),
        ]);
        using container = createContainer();
        const call = { plugin: 'macvlan', ifname: 'eth0', container, config: configOf() };
        const { msg } = await failure({ ...call, command: 'ADD' });
        if (!msg.includes('no DHCP lease on eth0 in 0.15 s')) failed.push(`${name}: ${msg}`);
      }
      expect(failed).toEqual([]);
      expect(daemon.count(/lease acquired/)).toBe(0);
      await status({ plugin: 'dhcp', config: configOf() });
    },
    limit(60),
  );
});

test(
  'a NAK to the REQUEST: once more from DISCOVER; its words are shown without what terminals obey',
  async () => {
    let refusals = 0;
    using _ = await serve((question, type) => {
      if (type === discover || refusals++ > 0) return [right(question, type)];
      return [frameOf(question, nak, adding(56, 5, 110, 111, 27, 10, 33))];
    });
    const daemon = await startDaemon();
    await attach();
    expect(daemon.log()).toContain('the server refused the request: no??!; once more in');
    expect(refusals).toBe(2);
  },
  limit(30),
);

test(
  'options in `file` and `sname` (52), and in parts, count',
  async () => {
    using _ = await serve((question, type) => [
      frameOf(question, type === discover ? offer : ack, (draft) => {
        draft.message.set([121, 5, 0, ...server, 255], 108);
        draft.message.set([121, 9, 32, 192, 0, 2, 9, ...server, 255], 44);
        draft.options = [52, 1, 3, ...draft.options];
      }),
    ]);
    await startDaemon();
    const { result } = await attach();
    expect(result.routes).toEqual([
      { dst: '0.0.0.0/0', gw: '10.50.0.1' },
      { dst: '192.0.2.9/32', gw: '10.50.0.1' },
    ]);
  },
  limit(30),
);

test(
  'a server that lies while a lease is renewed: it is kept until another answers',
  async () => {
    let isHonest = true;
    using _ = await serve((question, type) => {
      const whole = frameOf(question, type === discover ? offer : ack, adding(58, 4, 0, 0, 0, 1));
      return isHonest ? [whole] : lies.map(([, change]) => frameOf(question, ack, change));
    });
    const daemon = await startDaemon();
    const { call } = await attach();
    await until('a renewal', () => daemon.count(/lease renewed/) > 0);
    isHonest = false;
    const renewing = daemon.count(/renewing lease/);
    await until('the next', () => daemon.count(/renewing lease/) > renewing);
    await check(call);
    isHonest = true;
    const renewed = daemon.count(/lease renewed/);
    await until('renewed again', () => daemon.count(/lease renewed/) > renewed);
  },
  limit(30),
);
