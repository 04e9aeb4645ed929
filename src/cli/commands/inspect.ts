import type { Call, Command, Report } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { isDifference } from '../inspect/fact.ts';
import { inspect as inspectSubject } from '../inspect/inspection.ts';
import { findSubject } from '../inspect/subject.ts';
import { inspectionText } from '../inspect/text.ts';
import * as option from '../option.ts';
import { directoryOf, pluginPathOf, runtimeOptions } from '../settings.ts';

/** `fairlead inspect`. */
export const inspect: Command = {
  name: 'inspect',
  summary: 'shows an attachment: as it was configured, as it is, what differs',
  about: `Shows the attachments of a container: what ADD made, by the result that is kept and its
configuration; what there is: links, addresses, routes, settings, reservations, elements of
nftables; and what the plugins' CHECK says. Marked are what is as it was made (✓), what differs or
is missing (✗), and what is there besides (+). Changes nothing.`,
  parameters: [
    {
      name: 'CONTAINER|NETNS',
      about: "a container id or its beginning, a Pod's [NAMESPACE/]NAME, or a network namespace",
    },
  ],
  options: runtimeOptions,
  examples: ['fairlead inspect blue', 'fairlead inspect default/web --json'],
  whenFailed: 'something differs',
  run,
};

async function run(call: Call): Promise<Report> {
  const [text = ''] = call.parameters;
  const subject = findSubject(text, directoryOf(call, option.cacheDir));
  const inspection = await inspectSubject(subject, {
    pluginPath: pluginPathOf(call),
    executablePath: call.io.executablePath,
    netConfPath: directoryOf(call, option.netConfPath),
    env: call.io.env,
  });
  const differences = inspection.attachments.flatMap(({ facts }) => facts.filter(isDifference)).length;
  return {
    exitCode: differences === 0 ? exitCodes.done : exitCodes.failed,
    text: (style) => inspectionText(inspection, style),
    json: { ...inspection, differences },
  };
}
