/** The configuration on standard input: SPEC.md section 1, "Plugin configuration objects". */
import { once } from '../lib/once.ts';
import { CniError, messageOf } from './error.ts';
import { compact, isJsonObject, type JsonObject, member } from './json.ts';
import { identifierProblem } from './names.ts';
import type { ValidAttachment } from './plugin.ts';
import { oneError } from './problems.ts';
import type { Dns } from './result.ts';
import { findSyntaxProblem } from './runtime/json-text.ts';
import * as s from './schema/index.ts';
import { type CniVersion, isCniVersion, versionWhenAbsent } from './version.ts';

/** The keys that every plugin's configuration may have, validated. */
export interface CommonConfig {
  /** The network's name. */
  readonly name: string;
  /** The type of the plugin that the runtime called; a delegated plugin sees its caller's. */
  readonly type: string;
  /** What the plugin is given by the runtime in `runtimeConfig`. */
  readonly capabilities: Readonly<Record<string, boolean>>;
  /** The capabilities' values for this attachment (CONVENTIONS.md, "Dynamic plugin specific fields"). */
  readonly runtimeConfig: JsonObject;
  /** `args.cni`: values by convention, given by the runtime's user (CONVENTIONS.md, "args"). */
  readonly cniArgs: JsonObject;
  /** The type of the IPAM plugin to delegate to. The other keys of `ipam` are that plugin's business. */
  readonly ipamType?: string;
  readonly dns?: Dns;
}

const texts = s.array(s.string());

/** What every plugin's configuration may hold, besides `cniVersion` and `prevResult`. */
export const commonSchema = s.object({
  name: s.string({ minLength: 1 }).refine((name, report) => {
    const problem = identifierProblem(name);
    if (problem !== undefined) report(problem);
  }),
  type: s.string({ minLength: 1 }),
  capabilities: s.record(s.boolean()).default({}),
  runtimeConfig: s.record(s.unknown()).default({}),
  args: s.object({ cni: s.record(s.unknown()).default({}) }).default({}),
  ipam: s.object({ type: s.string().default('') }).default({}),
  /** Fairlead's own: what the call does is written down (docs/debugging.md). */
  fairlead: s.object({ trace: s.boolean().default(false) }).optional(),
  dns: s
    .object({
      nameservers: texts.default([]),
      domain: s.string().default(''),
      search: texts.default([]),
      options: texts.default([]),
    })
    .optional(),
});

/** The configuration that a text holds. Throws a `CniError` (6) if it holds none. */
export function parseConfig(text: string): JsonObject {
  if (text.trim() === '') {
    throw new CniError(
      'decodingFailure',
      'standard input is empty: it must hold the configuration as a JSON object',
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    // The engines' own messages differ, and quote what they read.
    const at = findSyntaxProblem(text);
    const why =
      at === undefined
        ? messageOf(error)
        : `line ${at.line}, column ${at.column}: here should be ${at.expected}`;
    throw new CniError('decodingFailure', `the configuration on standard input is no JSON: ${why}`);
  }
  if (isJsonObject(json)) return json;
  throw new CniError('decodingFailure', 'the configuration on standard input is JSON, but no object');
}

/** The version that a configuration says it has, 0.1.0 if it says none. Throws a `CniError` (6) if it is no text. */
export function versionOf(config: JsonObject): string {
  const version = member(config, 'cniVersion') ?? '';
  if (typeof version !== 'string') {
    throw new CniError(
      'decodingFailure',
      `\`cniVersion\` must be a text such as "1.1.0", got ${s.quote(version)}`,
    );
  }
  return version === '' ? versionWhenAbsent : version;
}

/** The version to answer in. Throws a `CniError` (1) if the plugin does not support the configuration's. */
export function supportedVersion(
  version: string,
  plugin: string,
  supported: readonly CniVersion[],
): CniVersion {
  if (isCniVersion(version) && supported.includes(version)) return version;
  throw new CniError(
    'incompatibleVersion',
    `the configuration has CNI version ${s.quote(version)}, which plugin \`${plugin}\` does not support`,
    `supported are ${supported.join(', ')}`,
  );
}

/** Reads a configuration by a schema; whatever is wrong is added to the problems. */
export function readStrict<T>(schema: s.Schema<T>, config: JsonObject, problems: s.Problem[]): T | undefined {
  return schema.read(config, [], problems);
}

/** The common keys of a configuration; what is wrong is added to the problems. */
export function readCommonConfig(
  config: JsonObject,
  problems: s.Problem[],
  read: typeof readStrict = readStrict,
): CommonConfig | undefined {
  const common = read(commonSchema, config, problems);
  if (common === undefined) return undefined;
  const { name, type, capabilities, runtimeConfig, args, ipam, dns } = common;
  return {
    name,
    type,
    capabilities,
    runtimeConfig,
    cniArgs: args.cni,
    ...compact({ ipamType: ipam.type, dns: dns && compact(dns) }),
  };
}

const validAttachments = once(() => s.array(s.object({ containerID: s.string(), ifname: s.string() })));

/** The key of the attachments that still exist, and what the specification's 1.1.0 called it at first (cni issue 1101). */
export const validAttachmentsKeys = ['cni.dev/valid-attachments', 'cni.dev/attachments'] as const;

/**
 * The attachments that still exist. `null` is how Go writes an empty list; a key that is not there is an error,
 * since taking it for an empty list would remove what running containers need.
 */
export function readValidAttachments(config: JsonObject, problems: s.Problem[]): ValidAttachment[] {
  const key = validAttachmentsKeys.find((name) => Object.hasOwn(config, name));
  if (key === undefined) {
    problems.push({
      path: [validAttachmentsKeys[0]],
      message: 'is missing: GC needs the list of the attachments that still exist',
    });
    return [];
  }
  const read = validAttachments().read(config[key] ?? [], [key], problems) ?? [];
  return read.map(({ containerID, ifname }) => ({ containerId: containerID, ifname }));
}

/** All problems of a configuration as one error: the first as message, the others as details. */
export function configError(problems: readonly s.Problem[], plugin: string): CniError {
  return oneError('invalidConfig', problems, (problem) => s.describeProblem(problem, plugin));
}
