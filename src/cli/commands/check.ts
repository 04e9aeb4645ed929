import { CniError } from '../../cni/index.ts';
import type { CachedAttachment, Runtime } from '../../cni/runtime/index.ts';
import {
  attachmentOf,
  attachmentOptions,
  attachmentParameters,
  type NamedAttachment,
} from '../attachment.ts';
import type { Call, Command, Report } from '../command.ts';
import { networkOf, runtimeOf, runtimeOptions } from '../settings.ts';

/** `fairlead check`. */
export const check: Command = {
  name: 'check',
  summary: 'compares an attachment with what ADD made',
  about: `Checks that an attachment is as ADD left it: CHECK of every plugin, with the result that is kept.`,
  parameters: attachmentParameters,
  options: [...attachmentOptions, ...runtimeOptions],
  examples: ['fairlead check pods blue'],
  run,
};

async function run(call: Call): Promise<Report> {
  const [name = ''] = call.parameters;
  const attachment = attachmentOf(call);
  const network = networkOf(call, name);
  const runtime = runtimeOf(call);
  if (runtime.cachedResult(network, attachment) === undefined) throw notConnected(runtime, name, attachment);
  await runtime.check(network, attachment);
  const { containerId, ifname, netns } = attachment;
  const checked = !network.disableCheck;
  return {
    text: (style) =>
      checked
        ? `${style.green('ok')} ${ifname} in ${netns} is as network ${name} made it\n`
        : `${style.yellow('not checked')} network ${name} says disableCheck\n`,
    json: { network: name, containerId, ifname, netns, checked },
  };
}

/** The most attachments that a message names. */
const mostNamed = 4;

/** Without a result of ADD there is nothing to compare with. */
function notConnected(runtime: Runtime, network: string, attachment: NamedAttachment): CniError {
  const there = runtime.cachedAttachments().filter((cached) => cached.network === network);
  const isOwn = ({ containerId }: CachedAttachment) => containerId === attachment.containerId;
  const ownFirst = [...there.filter(isOwn), ...there.filter((cached) => !isOwn(cached))];
  const names = ownFirst.slice(0, mostNamed).map(place);
  const more = there.length - names.length;
  const list = [...names, ...(more > 0 ? [`${more} more (\`fairlead list\`)`] : [])].join(', ');
  return new CniError(
    'unknownContainer',
    `network "${network}" has no attachment ${place(attachment)}`,
    there.length === 0 ? 'nothing is connected to it' : `it has ${list}`,
  );
}

function place({ containerId, ifname, netns }: Pick<NamedAttachment, 'containerId' | 'ifname' | 'netns'>) {
  return `${ifname} of ${containerId} in ${netns}`;
}
