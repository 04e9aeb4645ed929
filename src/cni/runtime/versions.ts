/** What a network's plugins can do: VERSION and `ValidateNetworkList` of libcni. */
import { CniError, messageOf, toCniError } from '../error.ts';
import * as s from '../schema/index.ts';
import { currentVersion } from '../version.ts';
import { type Caller, callPlugin, namingPlugin } from './call.ts';
import type { NetworkConfigurationList } from './network.ts';

/** Why a network's plugin could not be used. */
export interface PluginProblem {
  /** Its place in the network's `plugins`. */
  readonly index: number;
  readonly type: string;
  readonly error: CniError;
}

/** Whether a network can be used with the plugins that are there. */
export interface Validation {
  /** The capabilities that at least one plugin declares, sorted. */
  readonly capabilities: readonly string[];
  /** Every plugin that is missing, does not answer or does not support the network's version. */
  readonly problems: readonly PluginProblem[];
}

/** Finds every plugin of a network and asks it for its versions. Never throws. */
export async function validateNetwork(
  caller: Caller,
  { plugins, cniVersion }: NetworkConfigurationList,
): Promise<Validation> {
  const problems: PluginProblem[] = [];
  for (const [index, { type }] of plugins.entries()) {
    try {
      const supported = await supportedVersions(caller, type);
      if (supported.includes(cniVersion)) continue;
      throw new CniError(
        'incompatibleVersion',
        `plugin \`${type}\`: does not support CNI version ${cniVersion}`,
        `supported are ${supported.join(', ')}`,
      );
    } catch (error) {
      problems.push({ index, type, error: toCniError(error) });
    }
  }
  const capabilities = new Set(plugins.flatMap((plugin) => plugin.capabilities));
  return { capabilities: [...capabilities].sort(), problems };
}

/**
 * The versions that a plugin says it supports; 0.1.0 for one so old that it does not know VERSION
 * (`GetVersionInfo` in pkg/invoke/exec.go, which also says what the variables are set to for old plugins).
 * Throws a `CniError` that names the plugin.
 */
export async function supportedVersions(caller: Caller, type: string): Promise<readonly string[]> {
  let stdout: string;
  try {
    stdout = await callPlugin(caller, {
      type,
      command: 'VERSION',
      attachment: { containerId: '', netns: 'dummy', ifname: 'dummy' },
      config: { cniVersion: currentVersion },
      path: 'dummy',
    });
  } catch (error) {
    if (messageOf(error).endsWith('unknown CNI_COMMAND: VERSION')) return ['0.1.0'];
    throw error;
  }
  return namingPlugin(type, () => decodeVersions(stdout));
}

/** Reads the answer to VERSION (`PluginDecoder` in pkg/version/plugin.go). */
function decodeVersions(stdout: string): readonly string[] {
  const problems: s.Problem[] = [];
  const answer = versionAnswer.read(parse(stdout), [], problems);
  if (answer?.supportedVersions !== undefined) return answer.supportedVersions;
  // Version 0.2.0 of the specification brought VERSION, when `supportedVersions` could be left out.
  if (answer?.cniVersion === '0.2.0') return ['0.1.0', '0.2.0'];
  const [problem] = problems.map((one) => s.describeProblem(one));
  throw new CniError(
    'decodingFailure',
    `its answer to VERSION is wrong: ${problem ?? '`supportedVersions` is missing'}`,
    stdout.slice(0, 200),
  );
}

const versionAnswer = s.object({
  cniVersion: s.string({ minLength: 1 }),
  supportedVersions: s.array(s.string(), { minItems: 1 }).optional(),
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
