/** A call of a plugin that failed, as it is kept on the node (docs/debugging.md). */

/** What there is to know of it, and all that it takes to do it again. */
export interface Failure {
  /** When, in UTC: ISO 8601. */
  readonly time: string;
  /** The plugin's type, and the executable that ran as it. */
  readonly plugin: string;
  readonly executable: string;
  /** The variables that begin with `CNI_`. */
  readonly env: Readonly<Record<string, string>>;
  /** The configuration as it came. */
  readonly stdin: string;
  /** The configuration was longer than what is kept. */
  readonly truncated?: true;
  /** What the plugin printed: as a rule an error object of the protocol. */
  readonly output: string;
}

/** A failure that is kept, with the number that people call it by. */
export interface KeptFailure extends Failure {
  readonly id: number;
}

/** What the plugin said, as far as it is an error object. */
export interface FailureError {
  readonly code?: number;
  readonly message: string;
}

/** The error in the plugin's output. */
export function errorOf({ output }: Failure): FailureError {
  try {
    const { code, msg, details } = JSON.parse(output) as { code?: unknown; msg?: unknown; details?: unknown };
    if (typeof code !== 'number' || typeof msg !== 'string') return { message: output };
    return { code, message: typeof details === 'string' && details !== '' ? `${msg}; ${details}` : msg };
  } catch {
    return { message: output };
  }
}
