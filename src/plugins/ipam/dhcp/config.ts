/** What dhcp's configuration says, and what of it goes into messages. */
import {
  array,
  boolean,
  CniError,
  type Infer,
  integer,
  object,
  type Report,
  string,
} from '../../../cni/index.ts';
import { bytesFromText } from '../../../lib/bytes.ts';
import { option } from './protocol/message.ts';
import { defaultSocketPath } from './rpc/messages.ts';

/** The names that the reference knows; they are those of dhcp-options(5). */
const optionNames: ReadonlyMap<string, number> = new Map([
  ['dhcp-client-identifier', option.clientId],
  ['subnet-mask', option.subnetMask],
  ['routers', option.routers],
  ['host-name', option.hostName],
  ['user-class', option.userClass],
  ['vendor-class-identifier', option.vendorClass],
]);

/** An option's code by its name or number; undefined for what is neither. As the reference's, 0 and 255 are numbers too. */
export function optionCode(text: string): number | undefined {
  const named = optionNames.get(text);
  if (named !== undefined) return named;
  return /^[0-9]{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

const expectedOption = `one of ${[...optionNames.keys()].map((name) => `"${name}"`).join(', ')}, or a number such as "12"`;
const optionText = string().map(
  (text) => (optionCode(text) === undefined ? undefined : text),
  expectedOption,
);

/** What messages are made of; a text in its place would make them other messages, or none. */
const reserved: readonly number[] = [
  option.pad,
  option.requestedAddress,
  option.overload,
  option.messageType,
  option.serverId,
  option.end,
];

/** An option's value has at most that many bytes. */
const longestValue = 255;

interface Provided {
  readonly option: string;
  readonly value: string;
}

function refuseUnprovidable({ option: text, value }: Provided, report: Report): void {
  const code = optionCode(text);
  if (code !== undefined && reserved.includes(code))
    report(`must not be ${text}, which the client itself gives`, 'option');
  const { length } = bytesFromText(value);
  if (length > longestValue) report(`must have at most ${longestValue} bytes, got ${length}`, 'value');
}

/** The keys of dhcp, with the reference's defaults. */
export const dhcpSchema = object({
  ipam: object({
    daemonSocketPath: string().default(''),
    request: array(
      object({
        skipDefault: boolean().default(false),
        option: string()
          .map((text) => (text === '' || optionCode(text) !== undefined ? text : undefined), expectedOption)
          .default(''),
      }),
    ).default([]),
    provide: array(
      object({
        option: optionText,
        value: string().default(''),
        fromArg: string().default(''),
      }).refine(refuseUnprovidable),
    ).default([]),
    priority: integer({ min: 0, max: 0xffff_ffff }).default(0),
  }).default({}),
});

/** The configuration, checked. */
export type DhcpConfig = Infer<typeof dhcpSchema>;

/** Where the daemon listens. */
export function socketPathOf({ ipam }: DhcpConfig): string {
  return ipam.daemonSocketPath || defaultSocketPath;
}

/** What the client says besides what every client says. */
export interface ClientOptions {
  /** What the server is asked for, by code. */
  readonly requested: readonly number[];
  /** What it is told: text by code. */
  readonly provided: readonly (readonly [code: number, text: string])[];
}

/** What the reference asks for if nobody says otherwise, and what its DHCP library does where even that is left out. */
const requestedByDefault = [option.routers, option.subnetMask];
const requestedAtLeast = [option.subnetMask, option.routers, option.domainName, option.dnsServers];

/**
 * From `request` and `provide`, and CNI_ARGS: of one option the last text counts, and a text that is empty does not. Throws a
 * `CniError` (4) for an argument that is too long.
 */
export function clientOptionsOf({ ipam }: DhcpConfig, args: string): ClientOptions {
  const fromArgs = new Map(
    args.split(';').map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]),
  );
  const provided = ipam.provide.flatMap(({ option: text, value, fromArg }) => {
    const given = fromArg === '' ? undefined : fromArgs.get(fromArg);
    refuseLongArgument(text, fromArg, given);
    const code = optionCode(text) ?? option.pad;
    return [value, given ?? ''].filter((each) => each !== '').map((each) => [code, each] as const);
  });
  const named = ipam.request.flatMap(({ option: text }) => optionCode(text) ?? []);
  const skipsDefault = ipam.request.some(({ skipDefault }) => skipDefault);
  const requested = [...named, ...(skipsDefault ? [] : requestedByDefault)];
  return { requested: requested.length > 0 ? [...new Set(requested)] : requestedAtLeast, provided };
}

function refuseLongArgument(to: string, name: string, value = ''): void {
  const { length } = bytesFromText(value);
  if (length <= longestValue) return;
  throw new CniError(
    'invalidEnvironment',
    `\`CNI_ARGS ${name}\` of plugin \`dhcp\` must have at most ${longestValue} bytes for option ${to}, got ${length}`,
  );
}

/** The client's identity for its server, as the reference makes it: CONTAINERID/NETWORK/IFNAME, cut after 254 characters. */
export function clientIdOf(containerId: string, network: string, ifname: string): string {
  return `${containerId}/${network}/${ifname}`.slice(0, 254);
}
