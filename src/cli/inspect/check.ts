/** What the plugins themselves say of an attachment: CHECK of each, also after one that fails. */

import { decodeError } from '../../cni/error.ts';
import type { Environment } from '../../cni/index.ts';
import { runPlugin, toCniError } from '../../cni/index.ts';
import { attachmentConfig, callPlugin } from '../../cni/runtime/call.ts';
import type { NetworkConfigurationList, PluginConfiguration } from '../../cni/runtime/index.ts';
import { convertCachedResult } from '../../cni/runtime/plugin-result.ts';
import { isAtLeast } from '../../cni/version.ts';
import { loadPlugin } from '../../plugins/names.ts';
import type { Fact } from './fact.ts';
import { type Attached, isOwnPlugin, type PluginPlaces } from './plugins.ts';

/**
 * CHECK of every plugin. Looking leaves nothing behind: those in this executable are called in this process, others are
 * told to keep no failure, and none gets the configuration's wish for a trace.
 */
export async function checkFacts(
  attached: Attached,
  places: PluginPlaces,
  callersEnv: Environment,
): Promise<Fact[]> {
  const env = { ...callersEnv, FAIRLEAD_FAILURES: 'off' };
  const { network, cached } = attached;
  if (network === undefined || cached.result === undefined || !isAtLeast(network.cniVersion, '0.4.0'))
    return [];
  const facts: Fact[] = [];
  for (const plugin of network.plugins) {
    const problems = await check(attached, network, plugin, places, env);
    const what = `CHECK of plugin ${plugin.type}`;
    const found = problems ?? 'as ADD left it';
    facts.push({
      group: 'check',
      what,
      configured: 'as ADD left it',
      found,
      state: problems === undefined ? 'same' : 'differs',
    });
  }
  return facts;
}

/** What it complains of, in words; undefined where all is well. */
async function check(
  { cached }: Attached,
  network: NetworkConfigurationList,
  plugin: PluginConfiguration,
  places: PluginPlaces,
  env: Environment,
): Promise<string | undefined> {
  try {
    const previous = convertCachedResult(cached.result ?? {}, network.cniVersion);
    const { fairlead: _, ...config } = attachmentConfig(network, plugin, cached, previous);
    const caller = { pluginPath: places.pluginPath, env };
    if (isOwnPlugin(plugin.type, places))
      return await checkInProcess(plugin.type, JSON.stringify(config), cached, places, env);
    await callPlugin(caller, { type: plugin.type, command: 'CHECK', attachment: cached, config });
    return undefined;
  } catch (error) {
    // Of the same form as what our own say: the line is about this plugin already.
    const { message } = toCniError(error);
    const name = `plugin \`${plugin.type}\`: `;
    return message.startsWith(name) ? message.slice(name.length) : message;
  }
}

async function checkInProcess(
  type: Parameters<typeof loadPlugin>[0],
  stdin: string,
  { containerId, ifname, netns, args }: Attached['cached'],
  places: PluginPlaces,
  env: Environment,
): Promise<string | undefined> {
  let output = '';
  const exitCode = await runPlugin(await loadPlugin(type), {
    env: {
      ...env,
      CNI_COMMAND: 'CHECK',
      CNI_CONTAINERID: containerId,
      CNI_NETNS: netns,
      CNI_IFNAME: ifname,
      CNI_ARGS: args.map(([key, value]) => `${key}=${value}`).join(';'),
      CNI_PATH: places.pluginPath.join(':'),
    },
    stdinIsTerminal: () => false,
    readStdin: () => stdin,
    writeStdout: (text) => {
      output += text;
    },
    writeStderr: () => {},
    resolve: (name) => (isOwnPlugin(name, places) ? () => loadPlugin(name) : undefined),
  });
  if (exitCode === 0) return undefined;
  const error = decodeError(JSON.parse(output));
  return error?.message ?? output;
}
