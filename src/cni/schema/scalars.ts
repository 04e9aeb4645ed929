/** Schemas for single values. */
import { formatAddress, formatPrefix, type Prefix, parseAddress, parsePrefix } from '../../lib/ip.ts';
import { parseMac } from '../../lib/mac.ts';
import { unmapAddress } from '../../lib/mapped-address.ts';
import { makeSchema, refuse, type Schema, SchemaError } from './schema.ts';

/** Limits of a text. */
export interface StringLimits {
  /** Least number of UTF-16 units; 0 if not given. */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** What the whole text must match; needs `expected`. */
  readonly pattern?: RegExp;
  /** What would be right, for the message; e.g. `a DNS name`. */
  readonly expected?: string;
}

/** A text. */
export function string(limits: StringLimits = {}): Schema<string, 'required', string> {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = limits;
  if (minLength > maxLength)
    throw new SchemaError(`a text of ${minLength} to ${maxLength} characters: none is`);
  if (pattern !== undefined && limits.expected === undefined) {
    throw new SchemaError(`a text that matches ${pattern} needs \`expected\`: people cannot read a pattern`);
  }
  if (pattern?.global || pattern?.sticky) {
    throw new SchemaError(`${pattern} remembers its last match: leave out the flags g and y`);
  }
  const expected = limits.expected ?? textOfLength(minLength, maxLength);
  return makeSchema(expected, (value, path, problems) => {
    const right =
      typeof value === 'string' &&
      value.length >= minLength &&
      value.length <= maxLength &&
      (pattern === undefined || pattern.test(value));
    return right ? value : refuse(value, path, problems, expected);
  });
}

function textOfLength(minLength: number, maxLength: number): string {
  if (maxLength !== Number.POSITIVE_INFINITY) return `a text of ${minLength}–${maxLength} characters`;
  if (minLength === 0) return 'a text';
  return minLength === 1 ? 'a text that is not empty' : `a text of at least ${minLength} characters`;
}

/** Limits of a whole number, both included. */
export interface IntegerLimits {
  readonly min?: number;
  readonly max?: number;
}

/**
 * A whole number. Texts that look like numbers are refused, as the reference does; numbers beyond ±2⁵³ too, which
 * JSON's readers would round.
 */
export function integer(limits: IntegerLimits = {}): Schema<number, 'required', number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = limits;
  if (min > max) throw new SchemaError(`a whole number of at least ${min} and at most ${max}: none is`);
  const expected = wholeNumber(limits);
  return makeSchema(expected, (value, path, problems) => {
    const right = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
    return right ? value : refuse(value, path, problems, expected);
  });
}

function wholeNumber({ min, max }: IntegerLimits): string {
  if (min !== undefined && max !== undefined) return `${min}–${max}`;
  if (min !== undefined) return `a whole number, ${min} or more`;
  return max === undefined ? 'a whole number' : `a whole number, ${max} or less`;
}

/** `true` or `false`. */
export function boolean(): Schema<boolean, 'required', boolean> {
  return makeSchema('true or false', (value, path, problems) =>
    typeof value === 'boolean' ? value : refuse(value, path, problems, 'true or false'),
  );
}

/** One of these texts, spelled exactly so. */
export function enumeration<const T extends string>(...choices: readonly T[]): Schema<T, 'required', T> {
  if (choices.length === 0) throw new SchemaError('a choice among nothing: no value is right');
  if (new Set(choices).size !== choices.length)
    throw new SchemaError(`the same choice twice in ${choices.join(', ')}`);
  const quoted = choices.map((choice) => `"${choice}"`);
  const expected =
    quoted.length === 1 ? `${quoted[0]}` : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
  return makeSchema(expected, (value, path, problems) =>
    (choices as readonly unknown[]).includes(value) ? (value as T) : refuse(value, path, problems, expected),
  );
}

/** Any JSON value but null. */
export function unknown(): Schema<unknown, 'required', unknown> {
  return makeSchema('a value', (value) => value);
}

/**
 * An IP address in its canonical text form, e.g. `10.1.0.1` or `fd00::1`. An IPv4 address written as an IPv6 one
 * (`::ffff:10.1.0.1`) becomes an IPv4 one, as in Go's net package.
 */
export function address(): Schema<string, 'required', string> {
  return canonical('an IP address', (text) => {
    const parsed = parseAddress(text);
    return parsed && formatAddress(unmapAddress(parsed));
  });
}

/** An IP address, as `address` reads it, with its prefix length, e.g. `10.1.0.5/16`; host bits may be set. */
export function prefix(): Schema<string, 'required', string> {
  return canonical('an IP address with its prefix length, such as 10.1.0.5/16', (text) => {
    const parsed = parsePrefix(text);
    return parsed && formatPrefix(unmapPrefix(parsed));
  });
}

/** Among the mapped addresses, whose first 96 bits are fixed, a shorter prefix has no IPv4 counterpart. */
function unmapPrefix(prefix: Prefix): Prefix {
  const address = unmapAddress(prefix.address);
  if (address.family === prefix.address.family || prefix.length < 96) return prefix;
  return { address, length: prefix.length - 96 };
}

/** A hardware address in the kernel's spelling, e.g. `02:42:ac:11:00:02`. */
export function mac(): Schema<string, 'required', string> {
  return canonical('a hardware address such as 02:42:ac:11:00:02', parseMac);
}

function canonical(
  expected: string,
  parse: (text: string) => string | undefined,
): Schema<string, 'required', string> {
  return makeSchema(expected, (value, path, problems) => {
    const text = typeof value === 'string' ? parse(value) : undefined;
    return text ?? refuse(value, path, problems, expected);
  });
}
