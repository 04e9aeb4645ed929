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
import { type Document, type Finding, findingAt } from './finding.ts';
import { unknownKeys } from './unknown-keys.ts';

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

/** Every problem that our plugins' own schemas find; plugins that are not ours are taken as they are. */
export async function inspectPlugin(section: PluginSection, network: string): Promise<readonly Finding[]> {
  const { document, path, json } = section;
  const schemas: Schema<unknown>[] = [];
  const problems: (Problem & { readonly plugin: string })[] = [];
  const types = typesOf(section);
  const read = (schema: Schema<unknown>, plugin: string) => {
    const found: Problem[] = [];
    schema.read({ ...json, name: network }, [], found);
    problems.push(...found.map((problem) => ({ ...problem, plugin })));
    schemas.push(schema);
  };
  for (const { type } of types) if (isPluginName(type)) read((await loadPlugin(type)).config, type);
  const [own] = types;
  if (own !== undefined && own.path.length === 1) read(commonSchema, own.type);
  const errors = firstOfEach(problems).map((problem) =>
    findingAt(document, [...path, ...problem.path], 'error', describeProblem(problem, problem.plugin)),
  );
  if (own === undefined || !isPluginName(own.type)) return errors;
  const others = types.filter(({ type }) => !isPluginName(type)).length;
  const hints = unknownKeys(json, [...schemas, addedByRuntime])
    // What a plugin that is not ours takes in `ipam` is not known.
    .filter((key) => key.path[0] !== 'ipam' || (others === 0 && types.length > 1))
    .map(({ path: key, meant }) => {
      const suggestion = meant === undefined ? '' : `; did you mean \`${meant}\`?`;
      const message = `\`${formatPath(key)}\` is not known to plugin \`${own.type}\`${suggestion}`;
      return findingAt(document, [...path, ...key], 'hint', message);
    });
  return [...errors, ...hints];
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
