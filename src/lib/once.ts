/** Makes a value when it is first asked for, and keeps it: a plugin's start does not pay for what it does not use. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
