/** Everything that is wrong in one configuration file and in those beside it that belong to its network. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findExecutable } from '../../cni/executable.ts';
import { messageOf } from '../../cni/index.ts';
import { isJsonObject, type JsonObject, member } from '../../cni/json.ts';
import { findFiles } from '../../cni/runtime/find.ts';
import {
  inspectNetworkFile,
  type LoadProblem,
  type NetworkConfigurationList,
  type Runtime,
} from '../../cni/runtime/index.ts';
import { listSchema } from '../../cni/runtime/parse.ts';
import type { Opinion } from './ask.ts';
import { type Document, type Finding, findingAt, inOrder } from './finding.ts';
import { inspectPlugin, type PluginSection, typesOf } from './plugin.ts';
import { unknownKeys } from './unknown-keys.ts';

/** Where plugins are, to look whether those that a network names are there. */
export interface PluginSearch {
  readonly pluginPath: readonly string[];
  readonly versions: Runtime['versions'];
  /** What a plugin that is not in this executable says of a configuration. */
  ask(type: string, config: JsonObject): Promise<Opinion | undefined>;
}

/** What was found in a file. */
export interface Inspection {
  readonly file: string;
  /** Undefined where the file is no network. */
  readonly network: NetworkConfigurationList | undefined;
  readonly findings: readonly Finding[];
  /** The types of plugins that are there, and of whose own keys nothing is known. */
  readonly unchecked: readonly string[];
}

/** Inspects a file: as the runtime loads it, by the plugins' schemas, and for the plugins' executables. */
export async function inspectFile(file: string, search: PluginSearch): Promise<Inspection> {
  const loadProblems: LoadProblem[] = [];
  const network = inspectNetworkFile(file, loadProblems);
  const findings = loadProblems.map((problem) => fromLoading(problem, file));
  const unchecked = new Set<string>();
  const document = readJson(file);
  if (document !== undefined) {
    const sections = sectionsOf(document);
    findings.push(...listHints(document));
    for (const section of sections) {
      const inspected = await inspectPlugin(section, network?.name ?? 'network', search.ask);
      findings.push(...inspected.findings);
      for (const { path, type } of typesOf(section)) {
        const problem = await executableProblem(type, network, search);
        if (problem !== undefined)
          findings.push(findingAt(section.document, [...section.path, ...path], 'error', problem));
        else if (inspected.unknown.includes(type)) unchecked.add(type);
      }
    }
  }
  return { file, network, findings: inOrder(findings), unchecked: [...unchecked] };
}

function fromLoading({ line, column, message, file }: LoadProblem, otherwise: string): Finding {
  const place = line === undefined || column === undefined ? {} : { line, column };
  return { file: file ?? otherwise, ...place, severity: 'error', message };
}

type JsonDocument = Document & { readonly json: JsonObject };

/** A file that holds a JSON object; what else is wrong was found by loading it. */
function readJson(file: string): JsonDocument | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const json: unknown = JSON.parse(text);
    return isJsonObject(json) ? { file, text, json } : undefined;
  } catch {
    return undefined;
  }
}

function isList({ file }: Document): boolean {
  return file.endsWith('.conflist');
}

/** The plugins of a network: those in the file, and those of the folder beside it (SPEC.md section 1). */
function sectionsOf(document: JsonDocument): readonly PluginSection[] {
  const { file, json } = document;
  if (!isList(document)) return [{ document, path: [], json }];
  const plugins = member(json, 'plugins');
  const inlined = (Array.isArray(plugins) ? plugins : []).flatMap((plugin: unknown, index) =>
    isJsonObject(plugin) ? [{ document, path: ['plugins', index], json: plugin }] : [],
  );
  const name = member(json, 'name');
  if (typeof name !== 'string' || /[/\0]|^\.*$/.test(name) || member(json, 'loadOnlyInlinedPlugins') === true)
    return inlined;
  const beside = findFiles(join(dirname(file), name), ['.conf']).flatMap((path) => readJson(path) ?? []);
  return [...inlined, ...beside.map((each) => ({ document: each, path: [], json: each.json }))];
}

function listHints(document: JsonDocument): readonly Finding[] {
  if (!isList(document)) return [];
  return unknownKeys(document.json, [listSchema]).map(({ path, meant }) => {
    const suggestion = meant === undefined ? '' : `; did you mean \`${meant}\`?`;
    return findingAt(document, path, 'hint', `\`${path.join('.')}\` is not known in a network${suggestion}`);
  });
}

/** Why a plugin could not be called. */
async function executableProblem(
  type: string,
  network: NetworkConfigurationList | undefined,
  { pluginPath, versions }: PluginSearch,
): Promise<string | undefined> {
  try {
    findExecutable(type, pluginPath);
    if (network === undefined) return undefined;
    const supported = await versions(type);
    if (supported.includes(network.cniVersion)) return undefined;
    return `plugin \`${type}\` does not support CNI version ${network.cniVersion}; supported are ${supported.join(', ')}`;
  } catch (error) {
    return messageOf(error);
  }
}
