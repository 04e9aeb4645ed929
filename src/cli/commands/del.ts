import { removeNetns } from '../../kernel/netns/netns.ts';
import { attachmentOf, attachmentOptions, attachmentParameters } from '../attachment.ts';
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
  await runtimeOf(call).del(network, attachment);
  const { containerId, ifname, netns } = attachment;
  const removed = call.options.flag(removeOption);
  if (removed) removeNetns(netns);
  return {
    text: (style) =>
      `${style.green('disconnected')} ${ifname} in ${netns} from network ${name}${removed ? '; the namespace is removed' : ''}\n`,
    json: { network: name, containerId, ifname, netns, netnsRemoved: removed },
  };
}
