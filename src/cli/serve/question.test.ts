import { describe, expect, test } from 'bun:test';
import { bytesFromText } from '../../lib/bytes.ts';
import { begin, questionLayout } from './message.ts';
import { decodeQuestion, ownIdentity, questionLength } from './question.ts';

/** As fairlead-call sends it, with files that are nowhere. */
function question(strings: string, stdin: string): Uint8Array {
  const [stringBytes, stdinBytes] = [bytesFromText(strings), bytesFromText(stdin)];
  const bytes = new Uint8Array(questionLayout.strings + stringBytes.length + stdinBytes.length);
  bytes.set(bytesFromText(begin));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(questionLayout.stringsLength, BigInt(stringBytes.length), true);
  view.setBigUint64(questionLayout.stdinLength, BigInt(stdinBytes.length), true);
  bytes.set(stringBytes, questionLayout.strings);
  bytes.set(stdinBytes, questionLayout.strings + stringBytes.length);
  return bytes;
}

test('argv[0], the environment and standard input', () => {
  const bytes = question('/opt/cni/bin/bridge\0A=1\0B=x=ü\0A=2\0EMPTY=\0none\0=C\0', '{"name":"größe"}');
  expect(questionLength(bytes)).toBe(bytes.length);
  const { calledAs, env, stdin, identity } = decodeQuestion(bytes);
  expect([calledAs, stdin]).toEqual(['/opt/cni/bin/bridge', '{"name":"größe"}']);
  expect({ ...env }).toEqual({ A: '1', B: 'x=ü', EMPTY: '' });
  expect(identity).toBe('0.0.0.0 0.0.0.0 0.0.0.0 0.0.0.0');
  expect(ownIdentity()).not.toBe(identity);
});

test('a variable called __proto__ is one like others', () => {
  const { env } = decodeQuestion(question('x\0__proto__=1\0', ''));
  expect(Object.entries(env)).toEqual([['__proto__', '1']]);
});

describe('no question', () => {
  const changed = (at: number, value: number) => {
    const bytes = question('x\0', '');
    bytes[at] = value;
    return bytes;
  };
  test.each([
    ['another beginning', changed(7, 0x32)],
    ['strings of 4 GiB', changed(questionLayout.stringsLength + 4, 1)],
    ['more standard input than a plugin reads', changed(questionLayout.stdinLength + 3, 1)],
    ['a length that no number can hold', changed(questionLayout.stdinLength + 7, 0xff)],
  ])('%s', (_, bytes) => {
    expect(questionLength(bytes)).toBeUndefined();
  });
});
