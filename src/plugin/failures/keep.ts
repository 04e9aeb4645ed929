/** Keeping a call that failed. Loaded only when one has. */
import type { Environment } from '../../cni/index.ts';
import { setTracer } from '../../lib/trace.ts';
import { keepFailure } from './store.ts';

/** A plugin's call that failed. */
export interface FailedCall {
  readonly plugin: string;
  readonly executable: string;
  readonly env: Environment;
  readonly stdin: string;
  readonly output: string;
}

/** Operations whose failures are kept: STATUS is asked every few seconds, and its answer changes nothing. */
const kept: ReadonlySet<string> = new Set(['ADD', 'DEL', 'CHECK', 'GC']);

/**
 * Keeps it, for `fairlead failures`. Never throws: whatever is in the way (no root, a full or read-only file system), the
 * plugin fails as it would without this.
 */
export function keepFailedCall({ env, ...call }: FailedCall): void {
  if (!kept.has(env.CNI_COMMAND ?? '')) return;
  // A trace is about the call, which is over.
  setTracer(undefined);
  try {
    const variables = Object.entries(env).flatMap(([name, value]) =>
      name.startsWith('CNI_') && value !== undefined ? [[name, value] as const] : [],
    );
    keepFailure({ time: new Date().toISOString(), ...call, env: Object.fromEntries(variables) });
  } catch {
    // See above.
  }
}
