/** What is wrong with one plugin's configuration by the schemas of the plugins themselves. */
import { commonSchema } from '../../cni/config.ts';
import { isJsonObject, type JsonObject, member } from '../../cni/json.ts';
import {
  describeProblem,
  formatPath,
  object,
  type Path,
  type Problem,
  type Schema,
  unknown,
} from '../../cni/schema/index.ts';
import { isPluginName, loadPlugin } from '../../plugins/names.ts';
import type { PluginSearch } from './file.ts';
import { type Document, type Finding, findingAt } from './finding.ts';
import { hostLocalProblems } from './host-local.ts';
import { type Structured, unknownKeys } from './unknown-keys.ts';

/** A plugin's configuration as it stands in a document. */
export interface PluginSection {
  readonly document: Document;
  /** Where it stands. */
  readonly path: Path;
  readonly json: JsonObject;
}

/** The types of the plugins that a section names, its own and that of its `ipam`, each with its place below the section. */
export function typesOf({ json }: PluginSection): readonly { readonly path: Path; readonly type: string }[] {
  const ipam = member(json, 'ipam');
  return [
    { path: ['type'], type: member(json, 'type') },
    { path: ['ipam', 'type'], type: isJsonObject(ipam) ? member(ipam, 'type') : undefined },
  ].flatMap(({ path, type }) => (typeof type === 'string' && type !== '' ? [{ path, type }] : []));
}

/** What the runtime adds to every plugin's configuration (SPEC.md section 3). */
const addedByRuntime = object({
  cniVersion: unknown().optional(),
  prevResult: unknown().optional(),
  name: unknown().optional(),
});

/** What a plugin, or the keys of every plugin, say of a section. */
interface Reading {
  readonly plugin: string;
  readonly keys: Structured;
  readonly problems: readonly Problem[];
}

/** Something that says what is wrong with a section: a schema, or a plugin that is asked. */
interface Reader {
  readonly plugin: string;
  read(json: JsonObject): Promise<{ readonly keys: Structured; readonly problems: readonly Problem[] }>;
}

/** What is known of a section. */
export interface InspectedPlugin {
  readonly findings: readonly Finding[];
  /** The types of the plugins of whose keys nothing is known. */
  readonly unknown: readonly string[];
}

/** Everything that our plugins' own schemas find, and what other plugins say where they know to answer. */
export async function inspectPlugin(
  section: PluginSection,
  network: string,
  ask: PluginSearch['ask'],
): Promise<InspectedPlugin> {
  const { document, path } = section;
  const { readings, unknown } = await read(section, network, ask);
  const errors = readings.flatMap(({ plugin, problems }) =>
    problems.map((problem) => ({ ...problem, plugin })),
  );
  const findings = [
    ...firstOfEach(errors.filter((problem) => !isCheckedByLoading(problem.path))).map((problem) =>
      findingAt(document, [...path, ...problem.path], 'error', describeProblem(problem, problem.plugin)),
    ),
    ...unknownKeyHints(section, readings, unknown),
  ];
  return { findings, unknown };
}

async function read(section: PluginSection, network: string, ask: PluginSearch['ask']) {
  const json = { ...section.json, name: network };
  const types = typesOf(section);
  const [own] = types;
  const readings: Reading[] = [];
  const unknown: string[] = [];
  if (own !== undefined && own.path.length === 1)
    readings.push(await readWith(bySchema(own.type, commonSchema), json, section));
  for (const { type } of types) {
    const reader = isPluginName(type) ? bySchema(type, (await loadPlugin(type)).config) : asked(type, ask);
    const reading = await readWith(reader, json, section);
    readings.push(reading);
    if (reading.keys.structure === undefined) unknown.push(type);
  }
  return { readings, unknown };
}

async function readWith(
  { plugin, read }: Reader,
  json: JsonObject,
  section: PluginSection,
): Promise<Reading> {
  const { keys, problems: first } = await read(json);
  // Rules across keys run only where every key is right: once more, without the keys that are not.
  const rest = withoutFaulty(json, first);
  const second = [
    ...(first.length === 0 ? [] : (await read(rest)).problems),
    ...(plugin === 'host-local' ? hostLocalProblems(rest, capabilitiesOf(section)) : []),
  ];
  const faulty = first.map(({ path }) => formatPath(keyOf(path)));
  const others = second.filter(({ path }) => path.length > 0 && !faulty.includes(formatPath(keyOf(path))));
  return { plugin, keys, problems: [...first, ...others] };
}

function bySchema(plugin: string, schema: Schema<unknown>): Reader {
  return {
    plugin,
    async read(json) {
      const problems: Problem[] = [];
      schema.read(json, [], problems);
      return { keys: schema, problems };
    },
  };
}

function asked(plugin: string, ask: PluginSearch['ask']): Reader {
  return {
    plugin,
    read: async (json) => (await ask(plugin, json)) ?? { keys: { structure: undefined }, problems: [] },
  };
}

/** The plugin's key that a path is below: `ipam` holds keys of another plugin. */
function keyOf(path: Path): Path {
  return path.slice(0, path[0] === 'ipam' ? 2 : 1);
}

function withoutFaulty(json: JsonObject, problems: readonly Problem[]): JsonObject {
  const keys = problems.map(({ path }) => formatPath(keyOf(path)));
  const without = (object: JsonObject, prefix: string): JsonObject =>
    Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(prefix + key)));
  const rest = without(json, '');
  return isJsonObject(rest.ipam) ? { ...rest, ipam: without(rest.ipam, 'ipam.') } : rest;
}

function capabilitiesOf({ json }: PluginSection): readonly string[] {
  const capabilities = member(json, 'capabilities');
  return isJsonObject(capabilities)
    ? Object.keys(capabilities).filter((name) => capabilities[name] === true)
    : [];
}

/** What `inspectNetworkFile` reads of every plugin, and has reported. */
function isCheckedByLoading([first, second, ...more]: Path): boolean {
  if (first === 'type' || first === 'capabilities') return true;
  return first === 'ipam' && more.length === 0 && (second === undefined || second === 'type');
}

/** Hints about keys, where the plugin's are known; of `ipam`, where that plugin's are known too. */
function unknownKeyHints(
  section: PluginSection,
  readings: readonly Reading[],
  unknown: readonly string[],
): readonly Finding[] {
  const { document, path, json } = section;
  const [own, ipam] = typesOf(section);
  if (own === undefined || unknown.includes(own.type)) return [];
  const known = readings.flatMap(({ keys }) => (keys.structure === undefined ? [] : [keys]));
  return unknownKeys(json, [...known, addedByRuntime]).flatMap(({ path: key, meant }) => {
    const owner = key[0] === 'ipam' ? ipam?.type : own.type;
    if (owner === undefined || unknown.includes(owner)) return [];
    const suggestion = meant === undefined ? '' : `; did you mean \`${meant}\`?`;
    const message = `\`${formatPath(key)}\` is not known to plugin \`${owner}\`${suggestion}`;
    return [findingAt(document, [...path, ...key], 'hint', message)];
  });
}

/** One problem a value: the plugins' schemas and the common one overlap. */
function firstOfEach<P extends Problem>(problems: readonly P[]): readonly P[] {
  const seen = new Set<string>();
  return problems.filter(({ path }) => {
    const place = formatPath(path);
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}
