/** Keys that no schema knows. The specification lets them pass, so a slip of the hand is never noticed otherwise. */
import { isJsonObject } from '../../cni/json.ts';
import type { Path } from '../../cni/schema/index.ts';
import { nearest } from '../text/nearest.ts';

/** What is known of a value's parts: of a schema, or as a plugin told it. */
export interface Structured {
  readonly structure:
    | { readonly kind: 'object'; readonly members: Readonly<Record<string, Structured>> }
    | { readonly kind: 'list' | 'record'; readonly item: Structured }
    | undefined;
}

/** A key that nobody knows. */
export interface UnknownKey {
  readonly path: Path;
  /** The known key that was probably meant. */
  readonly meant: string | undefined;
}

/**
 * The keys of a value, at any depth, that none of the schemas knows. Several schemas may describe one object, such as a
 * plugin's own and that of its IPAM plugin. Where one of them leaves the parts open, everything is known.
 */
export function unknownKeys(value: unknown, schemas: readonly Structured[], path: Path = []): UnknownKey[] {
  const structures = schemas.map(({ structure }) => structure);
  if (structures.length === 0 || structures.includes(undefined)) return [];
  if (Array.isArray(value)) {
    const items = structures.flatMap((one) => (one?.kind === 'list' ? [one.item] : []));
    return value.flatMap((item, index) => unknownKeys(item, items, [...path, index]));
  }
  if (!isJsonObject(value)) return [];
  const records = structures.flatMap((one) => (one?.kind === 'record' ? [one.item] : []));
  const members = structures.flatMap((one) => (one?.kind === 'object' ? Object.entries(one.members) : []));
  return Object.entries(value).flatMap(([key, child]) => {
    const known = members.flatMap(([name, schema]) => (isSameKey(name, key) ? [schema] : []));
    const below = [...path, key];
    if (known.length > 0 || records.length > 0) return unknownKeys(child, [...known, ...records], below);
    const others = members.map(([name]) => name).filter((name) => !Object.hasOwn(value, name));
    return [{ path: below, meant: nearest(key, others) }];
  });
}

/** As the reference plugins' decoder, keys are taken that differ only in case (`member` in src/cni/json.ts). */
function isSameKey(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
