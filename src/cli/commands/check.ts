import { attachmentOf, attachmentOptions, attachmentParameters } from '../attachment.ts';
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
  await runtimeOf(call).check(network, attachment);
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
