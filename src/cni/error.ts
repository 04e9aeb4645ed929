/** The one error type of the protocol: SPEC.md section 5, "Error". */

/**
 * The well-known error codes by name. 1–7, 11, 50 and 51 are the specification's; 8 and 999 are the reference
 * library's (pkg/types). 100 and above are free for a plugin's own errors.
 */
export const errorCodes = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidConfig: 7,
  invalidNetns: 8,
  tryAgainLater: 11,
  pluginNotAvailable: 50,
  limitedConnectivity: 51,
  internal: 999,
} as const;

/** The name of a well-known error code. */
export type ErrorCodeName = keyof typeof errorCodes;

/**
 * An error as it goes to the caller: a code, one line for the person who operates the node (what was tried, on
 * what, what was wrong, what would be right), and whatever else helps.
 */
export class CniError extends Error {
  override readonly name = 'CniError';
  /** The error code: a well-known one, or 100 and above for the plugin's own. */
  readonly code: number;
  /** The short message. */
  readonly msg: string;
  /** The longer message; empty if there is none. */
  readonly details: string;

  constructor(code: ErrorCodeName | number, msg: string, details = '') {
    super(details === '' ? msg : `${msg}; ${details}`);
    this.code = typeof code === 'number' ? code : errorCodes[code];
    this.msg = msg;
    this.details = details;
  }
}

/** An error's JSON form, keys in the specification's order. */
export interface ErrorJson {
  readonly cniVersion: string;
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}

/** The most characters of an error's texts that are printed: it ends in logs and in the events of Pods. */
const textLimit = 4096;

/**
 * The error as it is printed for a caller that speaks this version; `details` is left out when empty, and what a
 * text has beyond 4096 characters is cut off.
 */
export function encodeError(error: CniError, cniVersion: string): ErrorJson {
  const json = { cniVersion, code: error.code, msg: shortened(error.msg) };
  return error.details === '' ? json : { ...json, details: shortened(error.details) };
}

function shortened(text: string): string {
  return text.length > textLimit ? `${text.slice(0, textLimit - 1)}…` : text;
}

/** The error that a JSON value holds; undefined if it is no error object (a number `code` and a text `msg`). */
export function decodeError(json: unknown): CniError | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { code, msg, details } = json as Record<string, unknown>;
  if (typeof code !== 'number' || !Number.isSafeInteger(code) || typeof msg !== 'string') return undefined;
  return new CniError(code, msg, typeof details === 'string' ? details : '');
}

/** Failures of the machine's storage, which have a code of their own in the protocol. */
const ioFailures: readonly unknown[] = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS'];

/**
 * Turns whatever was thrown into one CNI error. A `CniError` stays as it is, also one of another copy of this
 * library; a failing disk is code 5; anything else becomes code 999 ("internal") with its message. The messages of
 * its causes are the details; there is never a stack trace.
 */
export function toCniError(thrown: unknown): CniError {
  if (thrown instanceof CniError) return thrown;
  const foreign = thrown instanceof Error && thrown.name === 'CniError' ? decodeError(thrown) : undefined;
  if (foreign !== undefined) return foreign;
  const io = thrown instanceof Error && 'code' in thrown && ioFailures.includes(thrown.code);
  return new CniError(io ? 'ioFailure' : 'internal', messageOf(thrown), causesOf(thrown).join('; '));
}

/** What a thrown value says, in one line. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return oneLine(thrown.message) || nameOf(thrown);
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown)
    return oneLine(String(thrown.message));
  return thrown === undefined ? 'failed without saying why' : oneLine(describe(thrown));
}

function nameOf(error: Error): string {
  return 'code' in error ? `${error.name} ${String(error.code)}` : error.name;
}

function describe(value: unknown): string {
  return typeof value === 'object' ? (JSON.stringify(value) ?? 'an object') : String(value);
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, '; ');
}

function causesOf(thrown: unknown): string[] {
  const causes: string[] = [];
  let cause = thrown instanceof Error ? thrown.cause : undefined;
  while (cause !== undefined && causes.length < 8) {
    causes.push(messageOf(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  if (thrown instanceof AggregateError) causes.push(...thrown.errors.map(messageOf));
  return causes;
}
