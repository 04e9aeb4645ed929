/** What strace wrote of a plugin, read. */
import { expect, test } from 'bun:test';
import { callsIn } from './calls.ts';

const start = [
  '700 execve("/opt/cni/bin/bridge", ["bridge"]) = 0',
  '701 openat(AT_FDCWD, "/etc/localtime", O_RDONLY) = 3',
  '700 read(0</tmp/stdin>, "{}", 2) = 2',
];
const own = '700 unlink("/run/x") = 0';
const texts = (lines: readonly string[]) => callsIn(lines).map(({ text }) => text);

test('the calls after the input', () => {
  expect(texts([...start, own])).toEqual(['unlink("/run/x") = 0']);
});

test('a call of another thread is refused, whole or begun', () => {
  expect(() => callsIn([...start, '701 unlink("/run/y") = 0', own])).toThrow('unlink("/run/y")');
  expect(() => callsIn([...start, '701 unlink("/run/y" <unfinished ...>', own])).toThrow('unlink("/run/y"');
});

test('what a thread was about to call when the process ended was not made', () => {
  expect(texts([...start, own, '701 ???( <unfinished ...>'])).toEqual(['unlink("/run/x") = 0']);
});
