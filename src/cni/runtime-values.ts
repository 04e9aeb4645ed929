/** Values that a runtime or its user gives for one attachment, from the places where conventions allow them. */

import { member } from './json.ts';
import type { Request } from './plugin.ts';
import { oneError } from './problems.ts';
import { describeProblem, type Path, type Problem, type Schema } from './schema/schema.ts';

/** Where a value may stand. */
export interface RuntimeSources {
  /** The key in `runtimeConfig`: a capability. */
  readonly runtimeConfig?: string;
  /** The key in `args.cni`. */
  readonly cniArgs?: string;
  /** The key in `CNI_ARGS`. */
  readonly env?: string;
  /** What separates the items where the value of `CNI_ARGS` is a list. */
  readonly envSeparator?: string;
}

/**
 * The value from the first place that has one: `runtimeConfig`, `args.cni`, `CNI_ARGS`. The caller adds the
 * configuration's own key with `??`. Throws a `CniError` (7, or 4 for `CNI_ARGS`) if the value is not right.
 */
export function runtimeValue<T>(
  request: Request<unknown>,
  schema: Schema<T>,
  { runtimeConfig, cniArgs, env, envSeparator }: RuntimeSources,
): T | undefined {
  const { common, args, plugin } = request;
  const capability = runtimeConfig === undefined ? undefined : member(common.runtimeConfig, runtimeConfig);
  if (capability !== undefined) {
    return readValue(schema, capability, ['runtimeConfig', runtimeConfig ?? ''], 'invalidConfig', plugin);
  }
  const convention = cniArgs === undefined ? undefined : member(common.cniArgs, cniArgs);
  if (convention !== undefined) {
    return readValue(schema, convention, ['args', 'cni', cniArgs ?? ''], 'invalidConfig', plugin);
  }
  const text = env === undefined ? undefined : args.get(env);
  if (text === undefined) return undefined;
  const value = envSeparator === undefined ? text : text.split(envSeparator).map((item) => item.trim());
  return readValue(schema, value, ['CNI_ARGS', env ?? ''], 'invalidEnvironment', plugin);
}

function readValue<T>(
  schema: Schema<T>,
  value: unknown,
  path: Path,
  code: 'invalidConfig' | 'invalidEnvironment',
  plugin: string,
): T | undefined {
  const problems: Problem[] = [];
  const read = schema.read(value, path, problems);
  if (problems.length > 0) throw oneError(code, problems, (problem) => describeProblem(problem, plugin));
  return read;
}
