/**
 * What a schema is. A schema declares a configuration once and gives its TypeScript type (`Infer`), its validation,
 * its defaults and its messages. A reader reports every problem it finds, not only the first.
 *
 * As the reference plugins' decoder (Go's encoding/json) does: `null` means absent, unknown keys are ignored, and a
 * key whose letters differ only in case is taken when the exact spelling is absent.
 */

/** Where a value stands in the configuration, e.g. `['vlanTrunk', 0, 'minID']`. */
export type Path = readonly (string | number)[];

/** Something wrong with a configuration. */
export interface Problem {
  readonly path: Path;
  /** What is wrong, to be read after the value's name: `must be 0–4094, got 5000`. */
  readonly message: string;
}

/** Whether a key must be there, may be absent, or is filled in. */
export type Presence = 'required' | 'optional' | 'defaulted';

/** Reads a JSON value: the value it stands for, or undefined after reporting what is wrong. */
export type Reader<T> = (value: unknown, path: Path, problems: Problem[]) => T | undefined;

/**
 * The parts that a schema's values have, for tools that explain configurations: the members of an object, by name, or
 * what each item of a list or of a record is.
 */
export type Structure =
  | { readonly kind: 'object'; readonly members: Readonly<Record<string, Schema<unknown>>> }
  | { readonly kind: 'list' | 'record'; readonly item: Schema<unknown> };

/** Reports a problem at a path below the value that is being checked; no path means the value itself. */
export type Report = (message: string, ...path: (string | number)[]) => void;

/** A schema for values that become a `T` and are written in JSON as an `I`. */
export interface Schema<T, P extends Presence = Presence, I = unknown> {
  readonly presence: P;
  /** What would be right, for messages: `0–4094`, `a string`, `one of "tcp", "udp"`. */
  readonly expected: string;
  readonly read: Reader<T>;
  /** Of values as they are written; undefined for those without parts, or whose parts are not known. */
  readonly structure: Structure | undefined;
  /** The default as it would be written in JSON; undefined if there is none. */
  readonly fallback: I | undefined;
  /** The key may be absent. */
  optional(): Schema<T, 'optional', I>;
  /** The key may be absent and means this then. Throws if the schema itself would refuse the default. */
  default(value: I): Schema<T, 'defaulted', I>;
  /** Adds a rule; `report` what is wrong, e.g. `report('must be even')`. Runs only on values that are right so far. */
  refine(rule: (value: T, report: Report) => void): Schema<T, P, I>;
  /** Turns the value into another; undefined means it is not right, and `expected` says what would be. */
  map<U>(convert: (value: T) => U | undefined, expected: string): Schema<U, P, I>;
}

/** The type that a schema's values have. */
export type Infer<S> = S extends Schema<infer T, Presence, infer _> ? T : never;

/** A schema made by a plugin's author that cannot be right, or contradicts itself. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** Makes a required schema from its reader. */
export function makeSchema<T, I = T>(
  expected: string,
  read: Reader<T>,
  structure?: Structure,
): Schema<T, 'required', I> {
  return build<T, 'required', I>('required', { expected, structure }, read, undefined);
}

function build<T, P extends Presence, I>(
  presence: P,
  form: Pick<Schema<T>, 'expected' | 'structure'>,
  read: Reader<T>,
  fallback: I | undefined,
): Schema<T, P, I> {
  return {
    presence,
    ...form,
    read,
    fallback,
    optional: () => build<T, 'optional', I>('optional', form, read, undefined),
    default(value) {
      const problems: Problem[] = [];
      read(value, [], problems);
      const [problem] = problems;
      if (problem !== undefined) throw new SchemaError(`the default ${describeProblem(problem)}`);
      return build<T, 'defaulted', I>('defaulted', form, read, value);
    },
    refine: (rule) => build(presence, form, refined(read, rule), fallback),
    map: (convert, mapped) =>
      build(presence, { ...form, expected: mapped }, converted(read, convert, mapped), fallback),
  };
}

function refined<T>(read: Reader<T>, rule: (value: T, report: Report) => void): Reader<T> {
  return (value, path, problems) => {
    const result = read(value, path, problems);
    if (result === undefined) return undefined;
    const before = problems.length;
    rule(result, (message, ...below) => problems.push({ path: [...path, ...below], message }));
    return problems.length === before ? result : undefined;
  };
}

function converted<T, U>(read: Reader<T>, convert: (value: T) => U | undefined, expected: string): Reader<U> {
  return (value, path, problems) => {
    const result = read(value, path, problems);
    if (result === undefined) return undefined;
    return convert(result) ?? refuse(value, path, problems, expected);
  };
}

/** Reports that a value is not what was expected. */
export function refuse(value: unknown, path: Path, problems: Problem[], expected: string): undefined {
  problems.push({ path, message: `must be ${expected}, got ${quote(value)}` });
  return undefined;
}

/** A value as it would be written in JSON, shortened to fit in a message. */
export function quote(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'an object';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** A path as people write it: `vlanTrunk[0].minID`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${step.length > 80 ? `${step.slice(0, 77)}…` : step}`;
  }
  return text;
}

/** One problem as a sentence: "`vlan` of plugin `bridge` must be 0–4094, got 5000". */
export function describeProblem(problem: Problem, plugin?: string): string {
  const subject = problem.path.length === 0 ? '' : `\`${formatPath(problem.path)}\``;
  const owner = plugin === undefined ? '' : `of plugin \`${plugin}\``;
  const start = subject === '' && owner !== '' ? 'the configuration' : subject;
  return [start, owner, problem.message].filter((part) => part !== '').join(' ');
}
