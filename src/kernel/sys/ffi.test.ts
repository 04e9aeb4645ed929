import { FFIType } from 'bun:ffi';
import { describe, expect, test } from 'bun:test';
import { load, ptr, read } from './ffi.ts';

const libc = load('libc.so.6', {
  strlen: { args: ['ptr'], returns: 'i32' },
  abs: { args: ['i32'], returns: 'i32' },
  htonl: { args: ['u32'], returns: 'u32' },
  lseek: { args: ['i32', 'u64', 'i32'], returns: 'i32' },
  getpid: { args: [], returns: 'i32' },
  getenv: { args: ['ptr'], returns: 'ptr' },
});

describe('native functions', () => {
  test('numbers, signed and not, and none', () => {
    expect(libc.abs(-5)).toBe(5);
    expect(libc.htonl(0x0a000001)).toBe(0x0100000a);
    expect(libc.htonl(1)).toBe(0x01000000);
    expect(libc.getpid()).toBe(process.pid);
    expect(libc.lseek(-1, 2 ** 40, 0)).toBe(-1);
  });

  test('pointers, there and back', () => {
    const name = new TextEncoder().encode('PATH\0');
    expect(libc.strlen(ptr(name))).toBe(4);
    const value = libc.getenv(ptr(name));
    expect(libc.strlen(value)).toBe((process.env['PATH'] ?? '').length);
    expect(String.fromCharCode(read.u8(value, 0))).toBe((process.env['PATH'] ?? '').slice(0, 1));
  });

  test('a function that is not there is an error', () => {
    expect(() => load('libc.so.6', { no_such_function: { args: [], returns: 'i32' } })).toThrow(
      'no_such_function',
    );
  });
});

test('the numbers of the types are those of bun:ffi', () => {
  expect([FFIType.i32, FFIType.u32, FFIType.u64, FFIType.ptr].map(Number)).toEqual([5, 6, 8, 12]);
});
