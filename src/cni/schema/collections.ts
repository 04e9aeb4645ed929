/** Schemas for lists and for objects whose keys are data. */
import { isJsonObject } from '../json.ts';
import {
  makeSchema,
  type Path,
  type Presence,
  type Problem,
  refuse,
  type Schema,
  SchemaError,
} from './schema.ts';

/** Limits of a list's length. */
export interface ArrayLimits {
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** A list of values of one kind. A `null` in it is a wrong value, not an absent one. */
export function array<T, I>(
  item: Schema<T, Presence, I>,
  limits: ArrayLimits = {},
): Schema<readonly T[], 'required', readonly I[]> {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = limits;
  if (minItems > maxItems) throw new SchemaError(`a list of ${minItems} to ${maxItems} items: none is`);
  if (item.presence !== 'required')
    throw new SchemaError('an item of a list cannot be absent or have a default');
  const expected = lengthText(minItems, maxItems);
  const read = (value: unknown, path: Path, problems: Problem[]) => {
    if (!Array.isArray(value) || value.length < minItems || value.length > maxItems) {
      return refuse(value, path, problems, expected);
    }
    const items: T[] = [];
    for (const [index, element] of value.entries()) {
      const read = item.read(element, [...path, index], problems);
      if (read !== undefined) items.push(read);
    }
    return items.length === value.length ? items : undefined;
  };
  return makeSchema(expected, read, { kind: 'list', item });
}

function lengthText(minItems: number, maxItems: number): string {
  if (maxItems !== Number.POSITIVE_INFINITY) return `a list of ${minItems}–${maxItems} items`;
  if (minItems === 0) return 'a list';
  return minItems === 1 ? 'a list that is not empty' : `a list of at least ${minItems} items`;
}

/** An object whose keys are data (e.g. sysctl names), all values of one kind. */
export function record<T, I>(
  item: Schema<T, Presence, I>,
): Schema<Readonly<Record<string, T>>, 'required', Readonly<Record<string, I>>> {
  const read = (value: unknown, path: Path, problems: Problem[]) => {
    if (!isJsonObject(value)) return refuse(value, path, problems, 'an object');
    const before = problems.length;
    const entries: [string, T][] = [];
    for (const [key, element] of Object.entries(value)) {
      const read = element === null ? undefined : item.read(element, [...path, key], problems);
      if (read !== undefined) entries.push([key, read]);
    }
    // fromEntries defines own properties, so that a key such as `__proto__` is data like any other.
    return problems.length === before ? Object.fromEntries(entries) : undefined;
  };
  return makeSchema('an object', read, { kind: 'record', item });
}
