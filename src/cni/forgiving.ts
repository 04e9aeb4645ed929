/**
 * Reading a configuration for DEL. It may have been edited since ADD, into something that ADD would refuse; what ADD
 * made has to go all the same (SPEC.md section 2, DEL: "should generally complete without error").
 */
import { isJsonObject, type JsonObject } from './json.ts';
import type { Path, Problem, Schema } from './schema/schema.ts';

/** More faults than a configuration has that a person wrote. */
const mostFaults = 100;

/**
 * Reads an object; what is wrong in it counts as not written. What is missing, or wrong as a whole, is still reported,
 * since nothing can be left out for it.
 */
export function readForgiving<T>(schema: Schema<T>, json: JsonObject, problems: Problem[]): T | undefined {
  let rest: unknown = json;
  let first: readonly Problem[] | undefined;
  for (let attempt = 0; attempt < mostFaults; attempt++) {
    const found: Problem[] = [];
    const read = schema.read(rest, [], found);
    const [fault] = found;
    if (fault === undefined) return read;
    first ??= found;
    const less = without(rest, fault.path);
    if (less === undefined) break;
    rest = less;
  }
  problems.push(...(first ?? []));
  return undefined;
}

/** A copy without what is at the path, or without what should hold it; undefined if nothing can be left out. */
function without(value: unknown, path: Path): unknown {
  const [step, ...deeper] = path;
  if (Array.isArray(value) && typeof step === 'number' && step < value.length) {
    const item = without(value[step], deeper);
    return item === undefined ? value.toSpliced(step, 1) : value.with(step, item);
  }
  if (!isJsonObject(value) || typeof step !== 'string') return undefined;
  const key = Object.keys(value).find((one) => one.toLowerCase() === step.toLowerCase());
  if (key === undefined) return undefined;
  const { [key]: member, ...others } = value;
  const less = without(member, deeper);
  return less === undefined ? others : { ...others, [key]: less };
}
