/** Errors that a mistake in a plugin's code throws, told so that its author finds the place. */
import { CniError, messageOf } from './error.ts';

/** What the language itself throws where code is wrong. A plugin that means to refuse something throws a `CniError`. */
const mistakes: readonly (new (...args: never) => Error)[] = [
  TypeError,
  ReferenceError,
  RangeError,
  SyntaxError,
];

/** A `CniError` (999) that names plugin, operation and line where a mistake was thrown; anything else as it is. */
export function authorsMistake(thrown: unknown, plugin: string, command: string): unknown {
  if (!mistakes.some((mistake) => thrown instanceof mistake) || !(thrown instanceof Error)) return thrown;
  // Failures of system calls come as such errors, too, and have a code.
  if ('code' in thrown) return thrown;
  const place = placeOf(thrown.stack ?? '');
  return new CniError(
    'internal',
    `${command} of plugin \`${plugin}\` failed by a mistake in its code: ${thrown.name}: ${messageOf(thrown)}`,
    place === undefined ? '' : `thrown at ${place}`,
  );
}

/** The first place in a source file, without its directories: `plugin.ts:12:5`. A compiled program knows none. */
function placeOf(stack: string): string | undefined {
  const compiled = /\/\$bunfs\//;
  const frames = stack.split('\n').filter((line) => !compiled.test(line));
  for (const frame of frames) {
    const place = /([\w.-]+\.[mc]?[jt]sx?:\d+:\d+)\)?$/.exec(frame.trim())?.[1];
    if (place !== undefined) return place;
  }
  return undefined;
}
