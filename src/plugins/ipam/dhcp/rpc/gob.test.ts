/** Beside Go's own encoding/gob: testdata/streams.txt is what testdata/main.go printed. */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { GobError, type GobType, type GobValue, gobReader, gobWriter } from './gob.ts';
import {
  argumentsType,
  decodeArguments,
  decodeResult,
  emptyType,
  encodeArguments,
  encodeResult,
  requestType,
  responseType,
  resultType,
} from './messages.ts';

const streams = new Map(
  readFileSync(new URL('testdata/streams.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]),
);
const bytesOf = (name: string) => Uint8Array.fromHex(streams.get(name) ?? '');
const valuesOf = (name: string) => gobReader().push(bytesOf(name));

const args = {
  containerId: 'blue',
  netns: '/run/netns/blue',
  ifname: 'eth0',
  args: '',
  stdin: new Uint8Array(300).fill(0x78),
};
const result = {
  ips: [{ address: '10.0.0.9/22', gateway: '10.0.0.1' }],
  routes: [
    { dst: '0.0.0.0/0', gw: '10.0.0.1', priority: 300 },
    { dst: '0.0.0.0/0', gw: '0.0.0.0', scope: 253 },
  ],
  dns: { nameservers: ['10.0.0.2', '10.0.0.3'], domain: 'example.org' },
};

describe('what Go writes is read', () => {
  test('a question', () => {
    const [request, body] = valuesOf('question');
    expect(request).toEqual({ ServiceMethod: 'DHCP.Allocate' });
    expect(decodeArguments(body as GobValue)).toEqual(args);
  });

  test('answers, the second without descriptions', () => {
    const [first, one, second, other] = valuesOf('answer');
    expect([first, second]).toEqual([
      { ServiceMethod: 'DHCP.Allocate' },
      { ServiceMethod: 'DHCP.Allocate', Seq: 1 },
    ]);
    expect([one, other].map((value) => decodeResult(value as GobValue))).toEqual([result, result]);
  });

  test('empty structures', () => {
    expect(valuesOf('released')).toEqual([{ ServiceMethod: 'DHCP.Release' }, {}]);
    expect(valuesOf('refused')).toEqual([
      { ServiceMethod: 'DHCP.Allocate', Seq: 7, Error: 'no more tries' },
      {},
    ]);
  });

  test('numbers', () => {
    expect(valuesOf('numbers')).toEqual([[0, 1, -1, 63, -64, 64, -65, 127, 128, 2 ** 40, -(2 ** 40)]]);
  });

  test('in whatever pieces it comes', () => {
    for (const name of streams.keys()) {
      const reader = gobReader();
      const values = [...bytesOf(name)].flatMap((byte) => reader.push(Uint8Array.of(byte)));
      expect(values).toEqual(valuesOf(name));
    }
  });
});

/** What one writes and the same one reads; whether Go reads it, the tests with the reference's plugin say. */
describe('what is written is read', () => {
  test.each<[string, GobType, GobValue]>([
    ['a question', requestType, { ServiceMethod: 'x', Seq: 3 }],
    ['arguments', argumentsType, encodeArguments(args)],
    ['an answer', responseType, { Error: 'ä' }],
    ['nothing', emptyType, {}],
    ['numbers', { list: 'int' }, [0, -1, 2 ** 40, -(2 ** 40), 63, 64, -64, -65]],
    ['flags', { list: 'bool' }, [true, false]],
  ])('%s', (_what, type, value) => {
    const [read] = gobReader().push(gobWriter().write(type, value));
    const present = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== ''));
    expect(read).toEqual(Array.isArray(value) ? value : present);
  });

  test('a result; twice, described once', () => {
    const writer = gobWriter();
    const first = writer.write(resultType, encodeResult(result));
    const second = writer.write(resultType, encodeResult(result));
    expect(second.length).toBeLessThan(first.length / 2);
    const reader = gobReader();
    for (const bytes of [first, second])
      expect(reader.push(bytes).map((value) => decodeResult(value))).toEqual([result]);
    expect(decodeResult(encodeResult({}))).toEqual({ ips: [], routes: [] });
  });
});

describe('what is none is refused', () => {
  test('a message that is too long, or a number', () => {
    expect(() => gobReader().push(Uint8Array.of(0xfc, 0x7f, 0xff, 0xff, 0xff))).toThrow(GobError);
    expect(() => gobReader().push(new Uint8Array(256).fill(0x81))).toThrow(GobError);
  });

  test('any byte changed or left out: values or a GobError', () => {
    for (const name of streams.keys()) {
      const whole = bytesOf(name);
      for (let at = 0; at < whole.length; at++) {
        for (const value of [0, 1, 0x40, 0x7f, 0x80, 0xf8, 0xff]) readOrRefuse(whole.with(at, value));
        readOrRefuse(Uint8Array.of(...whole.subarray(0, at), ...whole.subarray(at + 1)));
      }
    }
  });
});

function readOrRefuse(bytes: Uint8Array): void {
  try {
    for (const value of gobReader().push(bytes)) {
      decodeArguments(value);
      decodeResult(value);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(GobError);
  }
}
