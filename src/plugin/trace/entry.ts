/** What a trace consists of: lines of JSON, which several processes may write to one file. */
import type { Traced } from '../../lib/trace.ts';

/** A kernel request in a trace. */
export interface RequestEntry {
  readonly operation: string;
  /** The message's type and flags in the kernel's words: `RTM_NEWLINK create excl`. */
  readonly message: string;
  /** What the message says, as far as it can be read here. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** One line. What takes long is also noted when it begins, so that what never ended can be seen. */
export interface TraceEntry {
  readonly event: 'begin' | 'end';
  /** Milliseconds since 1970 when it began, with three decimals. */
  readonly time: number;
  /** How long it took, in milliseconds; not for `begin`. */
  readonly ms?: number;
  readonly pid: number;
  readonly ppid: number;
  /** Its number in its process, from 1. */
  readonly id: number;
  /** The number of what it is a part of; 0 where it is the process's own work. */
  readonly parent: number;
  readonly kind: Traced['kind'];
  readonly text: string;
  readonly netns?: string;
  readonly attachment?: Readonly<Record<string, string>>;
  readonly requests?: readonly RequestEntry[];
  /** Of an nftables transaction, as nft says them. */
  readonly operations?: readonly string[];
  readonly error?: string;
}

const isText = (value: unknown) => typeof value === 'string';
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);

function isEntry(value: unknown): value is TraceEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { event, time, pid, ppid, id, parent, kind, text } = value as Partial<TraceEntry>;
  return (
    (event === 'begin' || event === 'end') &&
    [time, pid, ppid, id, parent].every(isNumber) &&
    [kind, text].every(isText)
  );
}

/** The entries of a trace's text. Lines that are none, such as one that a killed process left half, are passed over. */
export function parseTrace(text: string): TraceEntry[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = line === '' ? undefined : JSON.parse(line);
      return isEntry(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}
