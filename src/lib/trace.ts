/**
 * The hook for traces: what is done, and how long it takes, for whoever looks for a fault (docs/debugging.md). Without
 * a tracer each place that can be traced costs one test of a variable. What writes a trace is in src/plugin/trace.
 */

/** One netlink request, as kernel/netlink/message.ts has it. */
export interface TracedRequest {
  readonly operation: string;
  readonly type: number;
  readonly flags?: number;
  readonly body: Uint8Array;
}

/** Something that is about to be done. */
export interface Traced {
  readonly kind: 'call' | 'plugin' | 'undo' | 'netlink' | 'nftables' | 'sysctl' | 'netns' | 'file';
  /** In words and with its object: `ADD of plugin bridge`, `create veth link veth1234`. */
  readonly text: string;
  /** The namespace that it is done in, where that is not the process's own: a path. */
  readonly netns?: string | undefined;
  /** The network and the attachment, of a plugin's call. */
  readonly attachment?: Readonly<Record<string, string>> | undefined;
  /** The messages that are sent together. */
  readonly requests?: readonly TracedRequest[];
  /** The operations of an nftables transaction, as nft says them; only read while it is traced. */
  readonly operations?: readonly { readonly text: string }[];
}

/** Whoever writes the trace. */
export interface Tracer {
  /** Does it, and notes when, how long and how it ended. Returns and throws what `run` does; a promise's end is its own. */
  span<T>(what: Traced, run: () => T): T;
}

/** The tracer; undefined where nothing is traced, which is nearly always. */
export let tracer: Tracer | undefined;

/** Traces from now on; undefined ends it. */
export function setTracer(next: Tracer | undefined): void {
  tracer = next;
}
