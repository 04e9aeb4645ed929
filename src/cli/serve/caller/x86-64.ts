/**
 * As much of an assembler for x86-64 as `fairlead-call` needs: each instruction in one encoding, always with 32-bit
 * displacements. The encodings are those of the Intel Software Developer's Manual, volume 2.
 */

const registers = [
  ...['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'],
  ...['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'],
] as const;
type General = 'rax' | 'rcx' | 'rdx' | 'rbx' | 'rsp' | 'rbp' | 'rsi' | 'rdi';

/** A 64-bit register. */
export type Register = General | 'r8' | 'r9' | 'r10' | 'r11' | 'r12' | 'r13' | 'r14' | 'r15';

/** A base register, or none, with a displacement: rsp and r12 cannot be one in this encoding. */
export interface Memory {
  readonly base?: Exclude<Register, 'rsp' | 'r12'>;
  readonly displacement: number;
}

/** Bytes, where a label's address may stand in for the last four; or the place of a label. */
export type Item =
  | { readonly bytes: readonly number[]; readonly to?: string; readonly relative?: boolean }
  | { readonly label: string };

/** Memory at a register's address, `displacement` bytes further. */
export function at(base: Exclude<Register, 'rsp' | 'r12'>, displacement = 0): Memory {
  return { base, displacement };
}

/** Memory at an address below 2 GiB. */
export function absolute(address: number): Memory {
  return { displacement: address };
}

/** The place that jumps and addresses name. */
export function label(name: string): Item {
  return { label: name };
}

/** Bytes as they are. */
export function data(bytes: Uint8Array): Item {
  return { bytes: [...bytes] };
}

/** Puts a number from 0 to 2^32 - 1, or any 64 bits, or a label's address into a register. */
export function set(to: Register, value: number | bigint | { readonly addressOf: string }): Item {
  const code = numberOf(to);
  const short = code > 7 ? [0x41, 0xb8 + code - 8] : [0xb8 + code];
  if (typeof value === 'object') return { bytes: [...short, 0, 0, 0, 0], to: value.addressOf };
  if (typeof value === 'number') return { bytes: [...short, ...little(BigInt(value), 4)] };
  return { bytes: [code > 7 ? 0x49 : 0x48, 0xb8 + (code & 7), ...little(value, 8)] };
}

/** Copies a register. */
export function copy(to: Register, from: Register): Item {
  return registersOnly(0x89, from, to);
}

/** Reads 64 bits. */
export function load(to: Register, from: Memory): Item {
  return withMemory([0x8b], to, from, { wide: true });
}

/** Reads 32 bits; the upper half becomes 0. */
export function load32(to: Register, from: Memory): Item {
  return withMemory([0x8b], to, from, { wide: false });
}

/** Reads 8 bits; the rest becomes 0. */
export function load8(to: Register, from: Memory): Item {
  return withMemory([0x0f, 0xb6], to, from, { wide: false });
}

/** Writes 64 bits. */
export function store(to: Memory, from: Register): Item {
  return withMemory([0x89], from, to, { wide: true });
}

/** Adds a register to a register. */
export function add(to: Register, from: Register): Item {
  return registersOnly(0x01, from, to);
}

/** Subtracts a register from a register. */
export function subtract(to: Register, from: Register): Item {
  return registersOnly(0x29, from, to);
}

/** Adds a number, of 31 bits and a sign. */
export function increase(to: Register, by: number): Item {
  return withNumber(0, to, by);
}

/** Compares a register with a number of 31 bits and a sign, or with a register. */
export function compare(one: Register, other: number | Register): Item {
  return typeof other === 'number' ? withNumber(7, one, other) : registersOnly(0x39, other, one);
}

/** Compares 64 bits of memory with a register. */
export function compareMemory(one: Memory, other: Register): Item {
  return withMemory([0x39], other, one, { wide: true });
}

/** The conditions of jumps: after `compare(a, b)`, whether a is so to b; `below` and `aboveOrEqual` are unsigned. */
const conditions = {
  equal: 0x84,
  notEqual: 0x85,
  below: 0x82,
  aboveOrEqual: 0x83,
  less: 0x8c,
  lessOrEqual: 0x8e,
} as const;

/** Jumps to a label: always, or on a condition. */
export function jump(to: string, when?: keyof typeof conditions): Item {
  const code = when === undefined ? [0xe9] : [0x0f, conditions[when]];
  return { bytes: [...code, 0, 0, 0, 0], to, relative: true };
}

/** Calls a subroutine. */
export function call(to: string): Item {
  return { bytes: [0xe8, 0, 0, 0, 0], to, relative: true };
}

/** Ends a subroutine. */
export const back: Item = { bytes: [0xc3] };

/** Calls the kernel: its number in rax, what it is given in rdi, rsi, rdx, r10, r8, r9; rcx and r11 are lost. */
export const syscall: Item = { bytes: [0x0f, 0x05] };

/** The bytes of a program that is loaded at `origin`. Throws an Error on a label that is nowhere. */
export function assemble(items: readonly Item[], origin: number): Uint8Array<ArrayBuffer> {
  const places = new Map<string, number>();
  let length = 0;
  for (const item of items) {
    if ('label' in item) places.set(item.label, origin + length);
    else length += item.bytes.length;
  }
  const program = new Uint8Array(length);
  const view = new DataView(program.buffer);
  let offset = 0;
  for (const item of items) {
    if ('label' in item) continue;
    program.set(item.bytes, offset);
    offset += item.bytes.length;
    if (item.to === undefined) continue;
    const place = places.get(item.to);
    if (place === undefined) throw new Error(`no label ${item.to}`);
    // What is relative is so to the next instruction.
    view.setInt32(offset - 4, item.relative === true ? place - (origin + offset) : place, true);
  }
  return program;
}

function numberOf(register: Register): number {
  return registers.indexOf(register);
}

/** REX: what is 64 bits wide (W), and the fourth bit of the register (R) and of the base or second register (B). */
function rex(wide: boolean, register: number, base: number): number[] {
  const prefix = 0x40 | (wide ? 8 : 0) | (register > 7 ? 4 : 0) | (base > 7 ? 1 : 0);
  return prefix === 0x40 ? [] : [prefix];
}

function registersOnly(opcode: number, register: Register, other: Register): Item {
  const [reg, rm] = [numberOf(register), numberOf(other)];
  return { bytes: [...rex(true, reg, rm), opcode, 0xc0 | ((reg & 7) << 3) | (rm & 7)] };
}

function withNumber(extension: number, register: Register, value: number): Item {
  const rm = numberOf(register);
  return {
    bytes: [...rex(true, 0, rm), 0x81, 0xc0 | (extension << 3) | (rm & 7), ...little(BigInt(value), 4)],
  };
}

function withMemory(
  opcode: readonly number[],
  register: Register,
  { base, displacement }: Memory,
  { wide }: { readonly wide: boolean },
): Item {
  const reg = numberOf(register);
  const rm = base === undefined ? 0 : numberOf(base);
  // Mod 10 is a base and 32 bits; mod 00 with a SIB byte of neither base nor index is 32 bits alone.
  const place = base === undefined ? [((reg & 7) << 3) | 4, 0x25] : [0x80 | ((reg & 7) << 3) | (rm & 7)];
  return { bytes: [...rex(wide, reg, rm), ...opcode, ...place, ...little(BigInt(displacement), 4)] };
}

function little(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}
