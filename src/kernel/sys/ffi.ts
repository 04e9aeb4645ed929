/**
 * Calling native functions: bun:ffi, without its module where that is possible. The module is a layer of JavaScript
 * that takes time to load at every start and checks the types of arguments at every call; what it stands on is `Bun.FFI`, which is
 * there at once. A Bun that has it not, or another one, gets the module.
 */
import type * as Module from 'bun:ffi';

type Ffi = Pick<typeof Module, 'dlopen' | 'ptr' | 'read' | 'toArrayBuffer'>;

function find(): Ffi {
  const native = (Bun as unknown as { readonly FFI?: Partial<Ffi> }).FFI;
  const { dlopen, ptr, read, toArrayBuffer } = native ?? {};
  if (dlopen && ptr && read && toArrayBuffer) return { dlopen, ptr, read, toArrayBuffer };
  return process.getBuiltinModule('bun:ffi') as unknown as Ffi;
}

const { dlopen, ptr, read, toArrayBuffer } = find();

export { ptr, read, toArrayBuffer };

/** enum FFIType of bun:ffi, which knows these words; `Bun.FFI` knows only the numbers. */
const types = { i32: 5, u32: 6, u64: 8, ptr: 12 } as const;

/** A function's signature. */
export interface Signature {
  readonly args: readonly (keyof typeof types)[];
  readonly returns: keyof typeof types;
}

type Argument<T> = T extends 'ptr' ? Module.Pointer | null : number;
type Arguments<A extends readonly unknown[]> = { [I in keyof A]: Argument<A[I]> };
type Result<T> = T extends 'ptr' ? Module.Pointer : number;

/** The functions of these signatures. Pointers are what `ptr` gives. */
export type Functions<S extends Readonly<Record<string, Signature>>> = {
  readonly [K in keyof S]: (...args: Arguments<S[K]['args']>) => Result<S[K]['returns']>;
};

/** Loads functions of a shared library. Throws where there is no such library or function. */
export function load<const S extends Readonly<Record<string, Signature>>>(
  library: string,
  signatures: S,
): Functions<S> {
  const numbered: Record<string, { args: number[]; returns: number }> = {};
  for (const name in signatures) {
    const { args, returns } = signatures[name] as Signature;
    const numbers: number[] = [];
    for (const type of args) numbers.push(types[type]);
    numbered[name] = { args: numbers, returns: types[returns] };
  }
  // `Bun.FFI` returns what the module throws.
  const loaded: unknown = dlopen(library, numbered as never);
  if (loaded instanceof Error) throw loaded;
  return (loaded as { readonly symbols: Functions<S> }).symbols;
}
