/**
 * Mistakes of a plugin's author that only the process sees while a verb runs: text on standard output, which is for
 * the result alone, and promises that fail although nobody waits for them.
 */

/** A watch over one verb. */
export interface Watch {
  /** Ends it, once what the verb left behind had a turn; tells what was seen. */
  end(): Promise<Seen>;
}

/** What a watch saw. */
export interface Seen {
  /** Whether something was printed on standard output; it went to standard error instead. */
  readonly printed: boolean;
  /** What unhandled promises were rejected with. */
  readonly rejections: readonly unknown[];
}

interface Notes {
  printed: boolean;
  readonly rejections: unknown[];
}

/** Methods of `console` that print on standard output. */
const printing = ['log', 'info', 'debug', 'dir', 'table', 'group', 'count', 'timeEnd', 'timeLog'] as const;

/** Everyone who watches now: verbs may run side by side in a test. */
const watching = new Set<Notes>();
let restore: (() => void) | undefined;

/** Watches this process. What is written past `console` and `process.stdout`, to the descriptor itself, is not seen. */
export function watchProcess(): Watch {
  const notes: Notes = { printed: false, rejections: [] };
  if (watching.size === 0) restore = install();
  watching.add(notes);
  return {
    async end() {
      // Rejections that nobody handles are told after the microtasks of this turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
      watching.delete(notes);
      if (watching.size === 0) restore?.();
      return notes;
    },
  };
}

function install(): () => void {
  const undo = [redirectConsole(), redirectStdout(), collectRejections()];
  return () => {
    for (const step of undo) step();
  };
}

function notePrinted(): void {
  for (const notes of watching) notes.printed = true;
}

function redirectConsole(): () => void {
  const target: Record<string, unknown> = console as never;
  const before = printing.map((name) => [name, target[name]] as const);
  const { error } = console;
  const print = (...values: unknown[]) => {
    notePrinted();
    error(...values);
  };
  for (const name of printing) target[name] = print;
  return () => {
    for (const [name, method] of before) target[name] = method;
  };
}

/** By a getter: loading the streams would cost every start of a plugin. */
function redirectStdout(): () => void {
  const before = Object.getOwnPropertyDescriptor(process, 'stdout');
  if (before?.configurable !== true) return () => {};
  const get = () => {
    const { stderr: errors } = process;
    const write = (...args: Parameters<typeof errors.write>) => {
      notePrinted();
      return errors.write(...args);
    };
    return Object.create(errors, { write: { value: write } }) as typeof errors;
  };
  Object.defineProperty(process, 'stdout', { configurable: true, enumerable: true, get });
  return () => {
    Object.defineProperty(process, 'stdout', before);
  };
}

function collectRejections(): () => void {
  const note = (reason: unknown) => {
    for (const { rejections } of watching) rejections.push(reason);
  };
  process.on('unhandledRejection', note);
  return () => {
    process.off('unhandledRejection', note);
  };
}
