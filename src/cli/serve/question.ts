/** A question of `fairlead-call` from its bytes, which may come in pieces. */
import { stdinLimit } from '../../cni/host.ts';
import { fileIdentity, identityOfStatx } from '../../kernel/sys/file.ts';
import { textFromBytes } from '../../lib/bytes.ts';
import { begin, identityFiles, questionLayout, statxSize } from './message.ts';

/** A call, as it came to the plugin's process. */
export interface Question {
  /** argv[0]. */
  readonly calledAs: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** What `ownIdentity` was there. */
  readonly identity: string;
}

/** In bytes: far more than the kernel lets a program have. */
const stringsLimit = 16 * 1024 * 1024;

/** How many bytes a question has, by its beginning; undefined if that is none of a question. At least 24 are needed. */
export function questionLength(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (textFromBytes(bytes.subarray(0, begin.length)) !== begin) return undefined;
  const strings = view.getBigUint64(questionLayout.stringsLength, true);
  const stdin = view.getBigUint64(questionLayout.stdinLength, true);
  if (strings > stringsLimit || stdin > stdinLimit) return undefined;
  return questionLayout.strings + Number(strings) + Number(stdin);
}

/** Reads a whole question. */
export function decodeQuestion(bytes: Uint8Array): Question {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const endOfStrings = questionLayout.strings + Number(view.getBigUint64(questionLayout.stringsLength, true));
  const [calledAs = '', ...variables] = textFromBytes(
    bytes.subarray(questionLayout.strings, endOfStrings),
  ).split('\0');
  return {
    calledAs,
    env: environmentOf(variables),
    stdin: textFromBytes(bytes.subarray(endOfStrings)),
    identity: identityFiles.map((_, index) => identityOfStatx(statxWords(bytes, index))).join(' '),
  };
}

function environmentOf(variables: readonly string[]): Record<string, string> {
  const env: Record<string, string> = Object.create(null);
  for (const variable of variables) {
    const end = variable.indexOf('=');
    const name = variable.slice(0, end);
    // The first one counts, as for getenv(3).
    if (end > 0 && !(name in env)) env[name] = variable.slice(end + 1);
  }
  return env;
}

function statxWords(bytes: Uint8Array, index: number): Uint32Array {
  const start = questionLayout.identities + index * statxSize;
  return new Uint32Array(bytes.slice(start, start + statxSize).buffer);
}

/** What has to be the identity of a question, for this process to do the call. */
export function ownIdentity(): string {
  try {
    return identityFiles.map(fileIdentity).join(' ');
  } catch {
    // Without /proc nobody is known to be the same.
    return '';
  }
}
