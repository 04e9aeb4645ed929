import { existsSync } from 'node:fs';
import { CniError, messageOf, type Result, toCniError } from '../../cni/index.ts';
import type { NetworkConfigurationList, Runtime } from '../../cni/runtime/index.ts';
import { createNetns, removeNetns } from '../../kernel/netns/netns.ts';
import { getLink } from '../../kernel/rtnetlink/link.ts';
import { openContainer } from '../../plugin/namespaces.ts';
import {
  attachmentOf,
  attachmentOptions,
  attachmentParameters,
  type NamedAttachment,
} from '../attachment.ts';
import type { Call, Command, Report } from '../command.ts';
import { decodeKeptResult } from '../kept-result.ts';
import type { Option } from '../option.ts';
import { networkOf, runtimeOf, runtimeOptions } from '../settings.ts';
import type { Style } from '../text/style.ts';
import { table } from '../text/table.ts';

const createOption: Option = {
  name: 'create-netns',
  about: 'makes NETNS where there is none; removes it again if ADD fails',
};

/** `fairlead add`. */
export const add: Command = {
  name: 'add',
  summary: 'connects a network namespace to a network',
  about: `Connects a network namespace to a network: ADD of every plugin, in their order. Prints what
was made; with --json the result of ADD as the last plugin gave it. What an ADD that fails has
made is taken back by DEL, also of one that Ctrl-C ends.`,
  parameters: attachmentParameters,
  options: [createOption, ...attachmentOptions, ...runtimeOptions],
  examples: [
    'fairlead add pods blue --create-netns',
    `CAP_ARGS='{"portMappings":[{"hostPort":8080,"containerPort":80}]}' fairlead add pods blue`,
  ],
  run,
};

async function run(call: Call): Promise<Report> {
  const [name = ''] = call.parameters;
  const attachment = attachmentOf(call);
  const network = networkOf(call, name);
  const runtime = runtimeOf(call);
  refuseAttached(runtime, name, attachment);
  const made = !existsSync(attachment.netns);
  if (made && !call.options.flag(createOption)) {
    throw new CniError(
      'invalidNetns',
      `there is no network namespace ${attachment.netns}`,
      '--create-netns makes it',
    );
  }
  if (made) createNetns(attachment.netns);
  try {
    return await attach(runtime, network, attachment, runtimeOf(call, { toTheEnd: true }));
  } catch (error) {
    if (made) removeNetns(attachment.netns);
    throw error;
  }
}

async function attach(
  runtime: Runtime,
  network: NetworkConfigurationList,
  attachment: NamedAttachment,
  undoing: Runtime,
): Promise<Report> {
  const existed = interfaceExists(attachment);
  try {
    const result = await runtime.add(network, attachment);
    return {
      text: (style) => describe(network, attachment, decodeKeptResult(result), style),
      json: result,
      warnings: unusedCapabilities(network, attachment),
    };
  } catch (error) {
    const { code, msg, details } = toCniError(error);
    const rest = existed ? '' : await takeBack(undoing, network, attachment);
    const failedToo = rest === '' || rest === msg ? '' : `taking it back failed too: ${rest}`;
    throw new CniError(code, msg, [details, failedToo].filter((text) => text !== '').join('; '));
  }
}

/** Somebody else's interface of that name: DEL would take it away. Throws a `CniError` (8) if the path is no namespace. */
function interfaceExists({ netns, ifname }: NamedAttachment): boolean {
  using container = openContainer({ netns });
  return getLink(container, ifname) !== undefined;
}

/** DEL, which the specification wants after an ADD that failed (section 2, ADD). Returns how it failed; empty if it did not. */
async function takeBack(
  runtime: Runtime,
  network: NetworkConfigurationList,
  attachment: NamedAttachment,
): Promise<string> {
  try {
    await runtime.del(network, attachment);
    return '';
  } catch (error) {
    return messageOf(error);
  }
}

/** A second ADD would fail half-way. */
function refuseAttached(runtime: Runtime, network: string, attachment: NamedAttachment): void {
  const cached = runtime.cachedAttachment(network, attachment);
  if (cached === undefined) return;
  const { containerId, ifname } = attachment;
  throw new CniError(
    'invalidEnvironment',
    `${ifname} of container ${containerId} is connected to network "${network}" already (in ${cached.netns})`,
    `\`fairlead del\` with the same arguments disconnects it`,
  );
}

function describe(
  network: NetworkConfigurationList,
  { ifname, netns, containerId }: NamedAttachment,
  { interfaces = [], ips = [] }: Result,
  style: Style,
): string {
  const rows = interfaces.map(({ name, mac = '', sandbox }, index) => {
    const own = ips.filter((ip) => ip.interface === index);
    return [
      name,
      sandbox ?? 'the node',
      mac,
      own.map(({ address }) => address),
      own.map(({ gateway = '' }) => gateway),
    ];
  });
  const elsewhere = ips
    .filter((ip) => interfaces[ip.interface ?? -1] === undefined)
    .map(({ address, gateway = '' }) => [ifname, netns, '', address, gateway]);
  const headings = ['INTERFACE', 'IN', 'MAC', 'ADDRESS', 'GATEWAY'];
  const done = `${style.green('connected')} ${ifname} in ${netns} to network ${network.name} (container ${containerId})\n`;
  const made = table(headings, [...rows, ...elsewhere], style);
  return made === '' ? done : `${done}\n${made}`;
}

/** A capability that no plugin declares is left out without a word by every runtime; here a person can still be told. */
function unusedCapabilities(
  network: NetworkConfigurationList,
  { capabilityArgs = {} }: NamedAttachment,
): string[] {
  const declared = [...new Set(network.plugins.flatMap(({ capabilities }) => capabilities))].sort();
  const known = declared.length === 0 ? 'it has no capabilities' : `it has ${declared.join(', ')}`;
  return Object.keys(capabilityArgs)
    .filter((name) => !declared.includes(name))
    .map(
      (name) =>
        `capability "${name}" is not used: no plugin of network "${network.name}" declares it; ${known}`,
    );
}
