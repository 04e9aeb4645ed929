/** The schema of an object with known keys: what a configuration is. */
import { isJsonObject, type JsonObject, member } from '../json.ts';
import {
  makeSchema,
  type Path,
  type Presence,
  type Problem,
  refuse,
  type Schema,
  SchemaError,
} from './schema.ts';

/** The known keys of an object and what each may hold. */
export type Shape = Readonly<Record<string, Schema<unknown, Presence>>>;

type OptionalKeys<S extends Shape> = {
  [K in keyof S]: S[K] extends Schema<unknown, 'optional'> ? K : never;
}[keyof S];

type ValueOf<S> = S extends Schema<infer T, Presence, infer _> ? T : never;

/** The type of an object of this shape; a key is optional only where its schema says so. */
export type ObjectOf<S extends Shape> = {
  readonly [K in Exclude<keyof S, OptionalKeys<S>>]: ValueOf<S[K]>;
} & { readonly [K in OptionalKeys<S>]?: ValueOf<S[K]> };

/** A schema of an object, with rules across its keys. */
export interface ObjectSchema<S extends Shape> extends Schema<ObjectOf<S>, 'required', JsonObject> {
  readonly shape: S;
  /** At most one of these keys may be set. Set means: there, and not false, 0, "" or empty. */
  notTogether(...keys: (keyof S & string)[]): ObjectSchema<S>;
  /** Exactly one of these keys must be set. */
  exactlyOne(...keys: (keyof S & string)[]): ObjectSchema<S>;
}

/** A rule across the keys of one object. */
type Rule = (value: JsonObject, path: Path, problems: Problem[]) => void;

/** An object with these keys. Other keys are allowed and ignored, as the specification demands. */
export function object<const S extends Shape>(shape: S): ObjectSchema<S> {
  refuseTwins(shape);
  return objectWithRules(shape, []);
}

function objectWithRules<S extends Shape>(shape: S, rules: readonly Rule[]): ObjectSchema<S> {
  const entries = Object.entries(shape);
  const read = (value: unknown, path: Path, problems: Problem[]) => {
    if (!isJsonObject(value)) return refuse(value, path, problems, 'an object');
    const before = problems.length;
    const result = readMembers(entries, value, path, problems);
    if (problems.length === before) for (const rule of rules) rule(result, path, problems);
    return problems.length === before ? (result as ObjectOf<S>) : undefined;
  };
  const schema = makeSchema<ObjectOf<S>, JsonObject>('an object', read, { kind: 'object', members: shape });
  const together = (keys: readonly string[], least: number, method: string) => {
    refuseImpossible(shape, keys, method);
    return objectWithRules(shape, [...rules, countRule(keys, least)]);
  };
  return {
    ...schema,
    shape,
    notTogether: (...keys) => together(keys, 0, 'notTogether'),
    exactlyOne: (...keys) => together(keys, 1, 'exactlyOne'),
  };
}

function readMembers(
  entries: readonly [string, Schema<unknown, Presence>][],
  object: JsonObject,
  path: Path,
  problems: Problem[],
): JsonObject {
  const result: Record<string, unknown> = {};
  for (const [key, schema] of entries) {
    const value = member(object, key) ?? schema.fallback;
    if (value !== undefined) {
      const read = schema.read(value, [...path, key], problems);
      if (read !== undefined) result[key] = read;
    } else if (schema.presence === 'required') {
      problems.push({ path: [...path, key], message: `is missing: it must be ${schema.expected}` });
    }
  }
  return result;
}

function countRule(keys: readonly string[], least: number): Rule {
  return (value, path, problems) => {
    const [first, ...others] = keys.filter((key) => isSet(value[key]));
    const names = (list: readonly string[]) => list.map((key) => `\`${key}\``).join(', ');
    if (first === undefined && least > 0) {
      problems.push({ path, message: `must have one of ${names(keys)}` });
    }
    for (const other of others) {
      problems.push({ path: [...path, other], message: `cannot be set together with \`${first}\`` });
    }
  };
}

/** What Go's decoder cannot tell from absent is not set: the reference's rules are about such values. */
function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== false && value !== 0 && value !== '';
}

function refuseTwins(shape: Shape): void {
  const seen = new Map<string, string>();
  for (const key of Object.keys(shape)) {
    const folded = key.toLowerCase();
    const twin = seen.get(folded);
    if (twin !== undefined)
      throw new SchemaError(
        `\`${twin}\` and \`${key}\` differ only in case: a configuration cannot tell them apart`,
      );
    seen.set(folded, key);
  }
}

function refuseImpossible(shape: Shape, keys: readonly string[], method: string): void {
  if (new Set(keys).size !== keys.length || keys.length < 2) {
    throw new SchemaError(`${method}(${keys.join(', ')}) needs two or more different keys`);
  }
  const unknown = keys.find((key) => !Object.hasOwn(shape, key));
  if (unknown !== undefined) throw new SchemaError(`${method}: there is no key \`${unknown}\``);
  const always = keys.filter((key) => shape[key]?.presence === 'required' || isSet(shape[key]?.fallback));
  if (always.length > 1) {
    throw new SchemaError(
      `${method}: \`${always[0]}\` and \`${always[1]}\` are always set, so nothing would be right`,
    );
  }
}
