import { expect, test } from 'bun:test';
import {
  absolute,
  add,
  assemble,
  at,
  back,
  call,
  compare,
  compareMemory,
  copy,
  data,
  increase,
  jump,
  label,
  load,
  load8,
  load32,
  set,
  store,
  subtract,
  syscall,
} from './x86-64.ts';

function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}

// objdump -D -M intel shows each of these bytes as that instruction.
test.each([
  ['mov rbx, rsp', copy('rbx', 'rsp'), '4889e3'],
  ['mov r14, rdi', copy('r14', 'rdi'), '4989fe'],
  ['mov rdi, r12', copy('rdi', 'r12'), '4c89e7'],
  ['mov esi, 0x1000', set('rsi', 0x1000), 'be00100000'],
  ['mov r10d, 0x100', set('r10', 0x100), '41ba00010000'],
  ['movabs rax, 0x100000000', set('rax', 2n ** 32n), '48b80000000001000000'],
  ['movabs r9, -1', set('r9', -1n), '49b9ffffffffffffffff'],
  ['mov r15, [rbx + 8]', load('r15', at('rbx', 8)), '4c8bbb08000000'],
  ['mov rax, [r13]', load('rax', at('r13')), '498b8500000000'],
  ['mov r8d, [0x601000]', load32('r8', absolute(0x601000)), '448b042500106000'],
  ['movzx eax, byte [rdi - 1]', load8('rax', at('rdi', -1)), '0fb687ffffffff'],
  ['mov [rdi + 1], rax', store(at('rdi', 1), 'rax'), '48898701000000'],
  ['mov [0x600010], r13', store(absolute(0x600010), 'r13'), '4c892c2510006000'],
  ['add rdx, rbx', add('rdx', 'rbx'), '4801da'],
  ['sub rax, r13', subtract('rax', 'r13'), '4c29e8'],
  ['add rdi, -1', increase('rdi', -1), '4881c7ffffffff'],
  ['cmp rax, -4', compare('rax', -4), '4881f8fcffffff'],
  ['cmp r14, 0x61', compare('r14', 0x61), '4981fe61000000'],
  ['cmp rbp, rax', compare('rbp', 'rax'), '4839c5'],
  ['cmp [rdi], rax', compareMemory(at('rdi'), 'rax'), '48398700000000'],
  ['ret', back, 'c3'],
  ['syscall', syscall, '0f05'],
])('%s', (_, item, expected) => {
  expect(hex(assemble([item], 0))).toBe(expected);
});

test('labels: forward and backward, relative to the next instruction, absolute from the origin', () => {
  const items = [
    label('start'),
    jump('end'),
    jump('start', 'notEqual'),
    call('end'),
    set('rsi', { addressOf: 'text' }),
    label('end'),
    back,
    label('text'),
    data(new Uint8Array([1, 2])),
  ];
  expect(hex(assemble(items, 0x400000))).toBe('e9100000000f85f5ffffffe805000000be16004000c30102');
});

test('a jump to nowhere is not assembled', () => {
  expect(() => assemble([jump('nowhere')], 0)).toThrow('no label nowhere');
});
