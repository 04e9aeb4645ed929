/** JSON values as they come from outside: unknown until looked at. */

/** A JSON object whose members nobody has looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object; lists and null are none. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The member of an object by its key, as the reference plugins' decoder (Go's encoding/json) finds it: the exact
 * spelling, else one that differs only in the case of its letters; `null` is absent.
 */
export function member(object: JsonObject, key: string): unknown {
  if (Object.hasOwn(object, key)) return object[key] ?? undefined;
  const folded = key.toLowerCase();
  for (const candidate of Object.keys(object)) {
    if (candidate.length === key.length && candidate.toLowerCase() === folded)
      return object[candidate] ?? undefined;
  }
  return undefined;
}

/** An object without the members that are undefined. */
export type Compacted<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out what is absent, empty text and empty lists, as Go's `omitempty` does; the order of the keys stays. */
export function compact<T extends object>(object: T): Compacted<T> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    kept[key] = value;
  }
  return kept as Compacted<T>;
}
