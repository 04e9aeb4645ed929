/**
 * Becoming another program in another network namespace. execve(2) ends every other thread and goes on with the
 * calling one, so nothing of this process is left, in whichever namespace it was.
 */
import { load, ptr, read } from './ffi.ts';
import { cstring, SystemError, setns } from './libc.ts';

const CLONE_NEWNET = 0x4000_0000;
/** What Bun ignores stays ignored in the next program: `yes | head` would not end. */
const ignored = { SIGPIPE: 13, SIGXFSZ: 25 } as const;

/** A program to become. */
export interface Program {
  /** The path of its file. */
  readonly path: string;
  /** Its arguments, its own name first. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Enters a namespace and becomes the program: input, output, terminal and process id stay. Returns only by a SystemError. */
export function execIn(netns: { readonly fd: number; readonly path: string }, program: Program): never {
  const { path, argv, env } = program;
  const c = load('libc.so.6', {
    execve: { args: ['ptr', 'ptr', 'ptr'], returns: 'i32' },
    signal: { args: ['i32', 'ptr'], returns: 'ptr' },
    __errno_location: { args: [], returns: 'ptr' },
  });
  const file = cstring(path);
  const [args, variables] = [pointers(argv), pointers(assignments(env))];
  setns(netns.fd, CLONE_NEWNET, netns.path);
  for (const signal of Object.values(ignored)) c.signal(signal, null);
  c.execve(ptr(file), ptr(args.table), ptr(variables.table));
  throw new SystemError(`execute ${path}`, read.i32(c.__errno_location(), 0));
}

function assignments(env: Program['env']): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

/** An array of pointers with a null at its end; the texts must live as long as it does. */
function pointers(texts: readonly string[]): {
  readonly table: BigUint64Array;
  readonly texts: readonly Uint8Array[];
} {
  const bytes = texts.map(cstring);
  return { table: new BigUint64Array([...bytes.map((text) => BigInt(ptr(text))), 0n]), texts: bytes };
}
