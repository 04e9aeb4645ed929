/** The keys that a schema has, as a page's table has to tell them. */
import { isJsonObject } from '../../src/cni/json.ts';
import type { Schema } from '../../src/cni/schema/schema.ts';

/** A key of a configuration. */
export interface Key {
  /** As people write it: `vlanTrunk[].id`. */
  readonly path: string;
  /** What it may be, in the words of the errors: `0–4094`. */
  readonly type: string;
  /** `required`, `—` for none, or the default in JSON. */
  readonly fallback: string;
  readonly schema: Schema<unknown>;
}

/**
 * Every key below an object's schema. Objects are told by their keys, and so are a list's items that are objects or
 * lists; of others, what each item is belongs to the list's type.
 */
export function keysOf(schema: Schema<unknown>, prefix = ''): readonly Key[] {
  const { structure } = schema;
  if (structure?.kind === 'list') return keysOf(structure.item, `${prefix}[]`);
  if (structure?.kind !== 'object') return [];
  return Object.entries(structure.members).flatMap(([name, member]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const own: Key = { path, type: typeOf(member), fallback: fallbackOf(member), schema: member };
    return member.structure?.kind === 'object' ? keysOf(member, path) : [own, ...keysOf(member, path)];
  });
}

function typeOf({ expected, structure }: Schema<unknown>): string {
  const item = structure?.kind === 'list' ? structure.item : undefined;
  return item === undefined || item.structure !== undefined ? expected : `${expected}, each ${item.expected}`;
}

function fallbackOf({ presence, fallback }: Schema<unknown>): string {
  if (presence === 'required') return 'required';
  if (presence === 'optional') return '—';
  const isEmpty = isJsonObject(fallback) && Object.keys(fallback).length === 0;
  return `\`${isEmpty ? '{}' : JSON.stringify(fallback)}\``;
}
