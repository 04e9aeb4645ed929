import { existsSync } from 'node:fs';
import type { ValidAttachment } from '../../cni/index.ts';
import { identifierProblem, interfaceNameProblem } from '../../cni/names.ts';
import type { CachedAttachment } from '../../cni/runtime/index.ts';
import type { Call, Command, Report } from '../command.ts';
import type { Option } from '../option.ts';
import { networkOf, runtimeOf, runtimeOptions } from '../settings.ts';
import { table } from '../text/table.ts';
import { UsageError } from '../usage-error.ts';

const keepOption: Option = {
  name: 'keep',
  value: 'ID[/IFNAME]',
  repeat: true,
  about: 'an attachment that still exists (of eth0 without IFNAME); may be repeated',
};
const noneOption: Option = { name: 'keep-none', about: 'keeps no attachment, as `cnitool gc` does' };

/** `fairlead gc`. */
export const gc: Command = {
  name: 'gc',
  summary: 'removes what containers that are gone left behind',
  about: `Removes what belongs to no attachment that still exists: DEL for those in the result cache, then GC
of every plugin. Kept are the attachments given with --keep; without it, those in the result cache
whose network namespace is still there, or not known.`,
  parameters: [{ name: 'NETWORK', about: 'the name of a network configuration' }],
  options: [keepOption, noneOption, ...runtimeOptions],
  examples: ['fairlead gc pods', 'fairlead gc pods --keep cnitool-5a2f/eth0 --keep 7c01f2/eth0'],
  run,
};

async function run(call: Call): Promise<Report> {
  const [name = ''] = call.parameters;
  const keep = keptOf(call);
  const network = networkOf(call, name);
  const runtime = runtimeOf(call);
  const known = () => runtime.cachedAttachments().filter((attachment) => attachment.network === name);
  const before = known();
  const valid = keep ?? before.filter(({ netns }) => netns === '' || existsSync(netns)).map(identity);
  await runtime.gc(network, valid);
  const after = known().map(identity);
  const removed = before.filter((attachment) => !includes(after, attachment));
  const collected = !network.disableGC;
  return {
    text: (style) => {
      if (!collected) return `${style.yellow('nothing done')} network ${name} says disableGC\n`;
      const rows = [
        ...removed.map(({ containerId, ifname }) => [containerId, ifname, 'removed']),
        ...valid.map(({ containerId, ifname }) => [containerId, ifname, 'kept']),
      ];
      const done = `${style.green('collected')} garbage of network ${name}: ${removed.length} removed, ${valid.length} kept\n`;
      return rows.length === 0
        ? done
        : `${done}\n${table(['CONTAINER ID', 'INTERFACE', 'WHAT WAS DONE'], rows, style)}`;
    },
    json: { network: name, collected, kept: valid, removed: removed.map(identity) },
  };
}

/** What is to be kept, where the options say it. Throws a `UsageError`. */
function keptOf({ options }: Call): ValidAttachment[] | undefined {
  const list = options.list(keepOption);
  if (options.flag(noneOption)) {
    if (list.length > 0) throw new UsageError('--keep-none cannot be given together with --keep');
    return [];
  }
  return list.length === 0 ? undefined : list.map(parseAttachment);
}

function parseAttachment(text: string): ValidAttachment {
  const slash = text.indexOf('/');
  const [containerId, ifname] = slash < 0 ? [text, 'eth0'] : [text.slice(0, slash), text.slice(slash + 1)];
  const problem = identifierProblem(containerId) ?? interfaceNameProblem(ifname);
  if (problem !== undefined) throw new UsageError(`--keep ${text}: container id and interface ${problem}`);
  return { containerId, ifname };
}

function identity({ containerId, ifname }: CachedAttachment): ValidAttachment {
  return { containerId, ifname };
}

function includes(list: readonly ValidAttachment[], { containerId, ifname }: ValidAttachment): boolean {
  return list.some((other) => other.containerId === containerId && other.ifname === ifname);
}
