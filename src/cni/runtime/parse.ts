import type { ErrorCodeName } from '../error.ts';
import type { JsonObject } from '../json.ts';
import { identifierProblem, pluginTypeProblem } from '../names.ts';
import * as s from '../schema/index.ts';
import { makeSchema, refuse } from '../schema/schema.ts';
import { type CniVersion, cniVersions, versionWhenAbsent } from '../version.ts';
import type { PluginConfiguration } from './network.ts';

/** Something wrong in a configuration, with the code of the error it leads to. */
export interface ConfigurationProblem extends s.Problem {
  readonly code: ErrorCodeName;
}

/** What a configuration list says by itself, before plugins from the folder beside it are added. */
export interface ParsedList {
  readonly name: string;
  readonly cniVersion: CniVersion;
  readonly disableCheck: boolean;
  readonly disableGC: boolean;
  readonly loadOnlyInlinedPlugins: boolean;
  readonly plugins: readonly PluginConfiguration[];
}

/** A flag, which libcni also takes as a text in letters of any case (`readBool` in libcni/conf.go). */
const flag = makeSchema<boolean>('true or false', (value, path, problems) => {
  const flags: Record<string, boolean> = { true: true, false: false };
  return flags[String(value).toLowerCase()] ?? refuse(value, path, problems, 'true or false');
});

const versionText = s.string({
  pattern: /^(\d+(\.\d+){0,2})?$/,
  expected: 'a version such as "1.1.0"',
});

/** A rule from a function that says what is wrong with a name. */
function by(problemOf: (text: string) => string | undefined): (text: string, report: s.Report) => void {
  return (text, report) => {
    const problem = problemOf(text);
    if (problem !== undefined) report(problem);
  };
}

const pluginShape = s.object({
  type: s.string().refine(by(pluginTypeProblem)),
  capabilities: s.record(s.boolean()).default({}),
  ipam: s.object({ type: s.string().optional() }).optional(),
});

/** One plugin's configuration object: what libcni checks of it (`types.PluginConf`), the rest is the plugin's. */
const plugin = makeSchema<PluginConfiguration>('an object', (value, path, problems) => {
  const read = pluginShape.read(value, path, problems);
  if (read === undefined) return undefined;
  const capabilities = Object.entries(read.capabilities).flatMap(([name, on]) => (on ? [name] : []));
  return { type: read.type, capabilities, json: value as JsonObject };
});

/** The keys of a network configuration list (SPEC section 1). */
export const listSchema = s
  .object({
    name: s.string().refine(by(identifierProblem)),
    cniVersion: versionText.default(''),
    cniVersions: s.array(versionText).default([]),
    disableCheck: flag.default(false),
    disableGC: flag.default(false),
    loadOnlyInlinedPlugins: flag.default(false),
    plugins: s.array(plugin, { minItems: 1 }).optional(),
  })
  .refine(({ loadOnlyInlinedPlugins, plugins }, report) => {
    if (loadOnlyInlinedPlugins && plugins === undefined) {
      report('must not be true where there are no `plugins`', 'loadOnlyInlinedPlugins');
    }
  });

/** Reads a network configuration list (SPEC section 1). Reports every problem. */
export function parseList(json: unknown, report: ConfigurationProblem[]): ParsedList | undefined {
  const read = withCode(report, (problems) => listSchema.read(json, [], problems));
  if (read === undefined) return undefined;
  const asked = [...read.cniVersions, read.cniVersion].filter((version) => version !== '');
  const cniVersion = highestSupported(asked);
  if (cniVersion === undefined) {
    const message = `must be one of ${cniVersions.join(', ')}, got ${asked.join(', ')}`;
    report.push({ path: ['cniVersion'], message, code: 'incompatibleVersion' });
    return undefined;
  }
  return { ...read, cniVersion, plugins: read.plugins ?? [] };
}

/** Reads one plugin's configuration object that is a file of its own. Reports every problem. */
export function parsePlugin(json: unknown, report: ConfigurationProblem[]): PluginConfiguration | undefined {
  return withCode(report, (problems) => plugin.read(json, [], problems));
}

/** SPEC section 1, "Version considerations": the highest version that both sides speak. */
function highestSupported(asked: readonly string[]): CniVersion | undefined {
  if (asked.length === 0) return versionWhenAbsent;
  return cniVersions.findLast((version) => asked.includes(version));
}

function withCode<T>(report: ConfigurationProblem[], read: (problems: s.Problem[]) => T): T {
  const problems: s.Problem[] = [];
  const value = read(problems);
  report.push(...problems.map((problem) => ({ ...problem, code: 'invalidConfig' as const })));
  return value;
}
