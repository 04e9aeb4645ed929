/** Errors that a mistake in a plugin's code throws, told so that its author finds the place. */
import { CniError, messageOf, toCniError } from './error.ts';

/** What the language itself throws where code is wrong. A plugin that means to refuse something throws a `CniError`. */
const mistakes: readonly (new (...args: never) => Error)[] = [
  TypeError,
  ReferenceError,
  RangeError,
  SyntaxError,
];

/**
 * A `CniError` (999) that says where it was thrown: with plugin and operation for a mistake, with its own message for another
 * `Error`. Anything else as it is, and what has a code: a refusal by the kernel, a failure of a system call.
 */
export function authorsMistake(thrown: unknown, plugin: string, command: string): unknown {
  if (!(thrown instanceof Error) || 'code' in thrown) return thrown;
  if (!mistakes.some((mistake) => thrown instanceof mistake)) {
    const { code, msg, details } = toCniError(thrown);
    const parts = [details, placeOf(thrown.stack ?? '')].filter((text) => text !== '');
    return new CniError(code, msg, parts.join('; '));
  }
  return new CniError(
    'internal',
    `${command} of plugin \`${plugin}\` failed by a mistake in its code: ${thrown.name}: ${messageOf(thrown)}`,
    placeOf(thrown.stack ?? ''),
  );
}

/**
 * The first place in a source file, without its directories: `thrown at plugin.ts:12:5`; where that is in this library,
 * also the first one of the plugin. Empty in a program that was compiled without a map of its sources.
 */
function placeOf(stack: string): string {
  const frames = framesOf(stack);
  const library = libraryDirectory();
  const isOurs = ({ directory }: Frame) => library !== undefined && directory.startsWith(library);
  const [first] = frames;
  if (first === undefined) return '';
  const caller = isOurs(first) ? frames.find((frame) => !isOurs(frame)) : undefined;
  return `thrown at ${first.place}${caller === undefined ? '' : `, called at ${caller.place}`}`;
}

/** A line of a stack: `at add (/home/me/plugin.ts:12:5)`. */
interface Frame {
  readonly directory: string;
  readonly place: string;
}

function framesOf(stack: string): Frame[] {
  return stack.split('\n').flatMap((line) => {
    const [, directory = '', place] =
      /([^\s(]*\/)?([\w.-]+\.[mc]?[jt]sx?:\d+:\d+)\)?$/.exec(line.trim()) ?? [];
    return place === undefined || directory.startsWith('/$bunfs/') ? [] : [{ directory, place }];
  });
}

/** Where the library's sources are, as stacks name them. */
function libraryDirectory(): string | undefined {
  const [own] = framesOf(new Error('here').stack ?? '');
  return own?.directory.replace(/cni\/$/, '');
}
