import { existsSync } from 'node:fs';
import type { NetworkConfigurationList, Runtime } from '../../cni/runtime/index.ts';
import { removeNetns } from '../../kernel/netns/netns.ts';
import {
  attachmentOf,
  attachmentOptions,
  attachmentParameters,
  type NamedAttachment,
} from '../attachment.ts';
import type { Call, Command, Report } from '../command.ts';
import type { Option } from '../option.ts';
import { networkOf, runtimeOf, runtimeOptions } from '../settings.ts';

const removeOption: Option = {
  name: 'remove-netns',
  about: 'removes NETNS afterwards, as `ip netns del` does',
};

/** `fairlead del`. */
export const del: Command = {
  name: 'del',
  summary: 'disconnects a network namespace from a network',
  about: `Disconnects a network namespace from a network: DEL of every plugin, in reverse order. What is
gone already is no error, and neither is a namespace that is gone.`,
  parameters: attachmentParameters,
  options: [removeOption, ...attachmentOptions, ...runtimeOptions],
  examples: ['fairlead del pods blue', 'fairlead del pods blue --remove-netns'],
  run,
};

async function run(call: Call): Promise<Report> {
  const [name = ''] = call.parameters;
  const attachment = attachmentOf(call);
  const network = networkOf(call, name);
  const runtime = runtimeOf(call);
  const wasConnected = isConnected(runtime, network, attachment);
  await runtime.del(network, attachment);
  const { containerId, ifname, netns } = attachment;
  const isToGo = call.options.flag(removeOption);
  const removed = isToGo && existsSync(netns);
  if (removed) removeNetns(netns);
  const namespace = removed ? 'the namespace is removed' : isToGo ? 'there was no namespace to remove' : '';
  return {
    text: (style) => {
      const done = wasConnected
        ? `${style.green('disconnected')} ${ifname} in ${netns} from network ${name}`
        : `${style.yellow('nothing to disconnect:')} ${ifname} in ${netns} was not connected to network ${name}; DEL was called all the same`;
      return `${[done, namespace].filter((text) => text !== '').join('; ')}\n`;
    },
    json: { network: name, containerId, ifname, netns, wasConnected, netnsRemoved: removed },
  };
}

/** Whether a result of ADD is kept, be it one that cannot be read. */
function isConnected(
  runtime: Runtime,
  network: NetworkConfigurationList,
  attachment: NamedAttachment,
): boolean {
  try {
    return runtime.cachedResult(network, attachment) !== undefined;
  } catch {
    return true;
  }
}
