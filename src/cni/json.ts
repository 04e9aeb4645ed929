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
