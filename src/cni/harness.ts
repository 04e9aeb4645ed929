/** Running a plugin: from environment and standard input to a verb, and from its result or error to the answer. */
import { parseConfig, supportedVersion, versionOf } from './config.ts';
import type { CallInProcess } from './delegate.ts';
import { readCommand, readParameters } from './environment.ts';
import { CniError, encodeError, toCniError } from './error.ts';
import { type Environment, type Host, stdinLimit } from './host.ts';
import type { JsonObject } from './json.ts';
import type { Plugin } from './plugin.ts';
import { callVerb } from './verbs.ts';
import { type CniCommand, type CniVersion, currentVersion, introducedIn, isAtLeast } from './version.ts';

/** What a call came to: what is printed, in which version. */
type Outcome =
  | { readonly cniVersion: string; readonly output: JsonObject | undefined }
  | { readonly cniVersion: string; readonly error: CniError };

/**
 * Runs a plugin once, as the runtime asks in environment and standard input, and prints the answer. Returns the
 * exit code: 0, or 1 after an error, which is printed as a JSON object. Never throws, never exits.
 */
export async function runPlugin(plugin: Plugin, host: Host): Promise<number> {
  try {
    if (!host.env.CNI_COMMAND && host.stdinIsTerminal()) {
      host.writeStderr(aboutText(plugin));
      return 0;
    }
    const outcome = await callPlugin(plugin, host.env, () => host.readStdin(stdinLimit), host);
    if ('error' in outcome) {
      host.writeStdout(print(encodeError(outcome.error, outcome.cniVersion)));
      return 1;
    }
    if (outcome.output !== undefined) host.writeStdout(print(outcome.output));
    return 0;
  } catch (error) {
    host.writeStderr(`${plugin.name}: ${toCniError(error).message}\n`);
    return 1;
  }
}

/** Four spaces, as the reference library prints. */
function print(json: object): string {
  return `${JSON.stringify(json, null, 4)}\n`;
}

function aboutText(plugin: Plugin): string {
  return [
    `CNI plugin ${plugin.name}${plugin.about === '' ? '' : `: ${plugin.about}`}`,
    `CNI protocol versions supported: ${plugin.versions.join(', ')}`,
    'It is started by a container runtime, with CNI_COMMAND and other variables set and a configuration on standard input.',
    '',
  ].join('\n');
}

async function callPlugin(
  plugin: Plugin,
  env: Environment,
  readStdin: () => string,
  host: Host,
): Promise<Outcome> {
  let cniVersion: string = currentVersion;
  try {
    const command = readCommand(env);
    if (command === 'VERSION') return await versionOutcome(plugin, readStdin);
    const parameters = readParameters(command, env);
    const stdin = readStdin();
    const config = parseConfig(stdin);
    if (config.fairlead !== undefined) await host.configure?.(config.fairlead);
    const version = supportedVersion(versionOf(config), plugin.name, plugin.versions);
    cniVersion = version;
    refuseTooEarly(command, version);
    const callInProcess: CallInProcess = async (delegate, delegateEnv, delegateStdin) => {
      const outcome = await callPlugin(delegate, delegateEnv, () => delegateStdin, host);
      if ('error' in outcome) throw outcome.error;
      return outcome.output;
    };
    const call = { plugin, command, parameters, env, host, stdin, config, version, callInProcess };
    return { cniVersion, output: await callVerb(call) };
  } catch (error) {
    return { cniVersion, error: toCniError(error) };
  }
}

/**
 * The question's own version is repeated (SPEC.md section 5). Where it cannot be read, the newest is given: who asks for
 * the versions does not know yet how to ask.
 */
async function versionOutcome(plugin: Plugin, readStdin: () => string): Promise<Outcome> {
  let cniVersion: string = currentVersion;
  let more: JsonObject = {};
  try {
    const question = parseConfig(readStdin());
    cniVersion = versionOf(question);
    if (question.fairlead !== undefined)
      more = (await import('./validation.ts')).validationAnswer(plugin.config, question);
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
  }
  return { cniVersion, output: { cniVersion, supportedVersions: plugin.versions, ...more } };
}

function refuseTooEarly(command: CniCommand, version: CniVersion): void {
  const since = introducedIn(command);
  if (isAtLeast(version, since)) return;
  throw new CniError(
    'incompatibleVersion',
    `${command} needs a configuration of CNI version ${since} or newer, this one has ${version}`,
  );
}
