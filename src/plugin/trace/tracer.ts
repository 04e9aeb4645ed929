/** A tracer: times what is done and hands each of it over as an entry. */
import type { Traced, Tracer } from '../../lib/trace.ts';
import type { RequestEntry, TraceEntry } from './entry.ts';

/** What a tracer needs of its process. */
export interface TracerOptions {
  readonly pid: number;
  readonly ppid: number;
  /** Milliseconds since 1970, with fractions. */
  now(): number;
  /** Where entries go. What it throws ends nothing but the entry. */
  write(entry: TraceEntry): void;
  /** Reads a request's message. */
  describe(request: NonNullable<Traced['requests']>[number]): RequestEntry;
}

/** Calls of libc that say what is done to which file or tap; reads and writes of what is open already say nothing more. */
const telling =
  /^(?:open|mkdir|rename|link|unlink|utimensat|read directory|mount|umount|unshare|flock|stat|statfs|create tap|set .* of tap) (?!descriptor)/;

/** What consists of kernel calls and is told by its own text: calls in it are not told again. */
const whole: ReadonlySet<Traced['kind']> = new Set(['netlink', 'nftables', 'sysctl', 'netns']);

/** What may take long, so that its beginning is noted too. */
const long: ReadonlySet<Traced['kind']> = new Set(['call', 'plugin', 'undo']);

/** Makes a tracer. */
export function createTracer({ pid, ppid, now, write, describe }: TracerOptions): Tracer {
  const open: number[] = [];
  let last = 0;
  /** Inside something that is told as a whole, or in writing the trace itself. */
  let quiet = false;

  const note = (entry: TraceEntry) => {
    const before = quiet;
    quiet = true;
    try {
      write(entry);
    } catch {
      // A trace that cannot be written must not make what it watches fail.
    } finally {
      quiet = before;
    }
  };

  /** Begins an entry; what comes back ends it. */
  const begin = (what: Traced): ((error?: unknown, failed?: boolean) => void) => {
    const id = ++last;
    const { kind, text } = what;
    const entry = { pid, ppid, id, parent: open.at(-1) ?? 0, kind, text, ...detailsOf(what, describe) };
    const time = rounded(now());
    if (long.has(kind)) note({ event: 'begin', time, ...entry });
    open.push(id);
    const start = now();
    return (error, failed = false) => {
      const ms = rounded(now() - start);
      open.splice(open.lastIndexOf(id), 1);
      note({ event: 'end', time, ms, ...entry, ...(failed && { error: messageOf(error) }) });
    };
  };

  return {
    span<T>(what: Traced, run: () => T): T {
      if (quiet || (what.kind === 'file' && !telling.test(what.text))) return run();
      const end = begin(what);
      quiet = whole.has(what.kind);
      let result: T;
      try {
        result = run();
      } catch (error) {
        quiet = false;
        end(error, true);
        throw error;
      }
      quiet = false;
      if (!(result instanceof Promise)) {
        end();
        return result;
      }
      return result.then(
        (value: unknown) => {
          end();
          return value;
        },
        (error: unknown) => {
          end(error, true);
          throw error;
        },
      ) as T;
    },
  };
}

function detailsOf(
  { netns, attachment, requests, operations }: Traced,
  describe: TracerOptions['describe'],
): Partial<TraceEntry> {
  return {
    ...(netns !== undefined && { netns }),
    ...(attachment !== undefined && { attachment }),
    ...(requests !== undefined && { requests: requests.map(describe) }),
    ...(operations !== undefined && { operations: operations.map(({ text }) => text) }),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** To microseconds. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
