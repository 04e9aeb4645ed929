/** Errors that lead to the line of the test, not to this package's own: test runners print the source around the first frame. */

/** Where this package is, as the frames of stacks name it. */
const library = `${import.meta.dirname.slice(0, import.meta.dirname.lastIndexOf('/'))}/`;

/** The error itself, without the frames of its stack that are in this package or in the runtime; as it is where no other is left. */
export function atTheTest<E>(thrown: E): E {
  if (!(thrown instanceof Error) || thrown.stack === undefined) return thrown;
  const isFrame = (line: string) => /^\s+at /.test(line);
  // Those of the runtime, too: node:assert makes its errors itself.
  const isOurs = (line: string) => line.includes(library) || /\((?:internal|node):/.test(line);
  const rest = thrown.stack.split('\n').filter((line) => !(isFrame(line) && isOurs(line)));
  if (rest.some(isFrame)) thrown.stack = rest.join('\n');
  return thrown;
}

/** A function whose errors are those of `atTheTest`. */
export function throwingAtTheTest<A extends unknown[], T>(
  call: (...given: A) => Promise<T>,
): (...given: A) => Promise<T> {
  return async (...given) => {
    try {
      return await call(...given);
    } catch (error) {
      throw atTheTest(error);
    }
  };
}
