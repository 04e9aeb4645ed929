/** What host-local's configuration says: the range sets, complete and checked, and the addresses asked for. */
import { array, CniError, type Infer, object, type Request, string } from '../../../cni/index.ts';
import { type IpAddress, parseAddress, parsePrefix, sameAddress } from '../../../lib/ip.ts';
import { routeList } from '../../../plugin/schemas.ts';
import {
  BadRangeError,
  completeRange,
  overlap,
  type Range,
  type RangeConfig,
  type RangeSet,
  unmapped,
} from './range.ts';

const range = object({
  subnet: string(),
  rangeStart: string().optional(),
  rangeEnd: string().optional(),
  gateway: string().optional(),
});

/** The keys of host-local. A single range may stand in `ipam` itself, as the first range set. */
export const hostLocalSchema = object({
  ipam: object({
    ranges: array(array(range)).default([]),
    subnet: string().optional(),
    rangeStart: string().optional(),
    rangeEnd: string().optional(),
    gateway: string().optional(),
    routes: routeList.default([]),
    dataDir: string().optional(),
    resolvConf: string().optional(),
  }),
  runtimeConfig: object({
    ips: array(string()).optional(),
    ipRanges: array(array(range)).optional(),
  }).optional(),
  args: object({ cni: object({ ips: array(string()).optional() }).optional() }).optional(),
});

/** The configuration as it is written. */
export type HostLocalConfig = Infer<typeof hostLocalSchema>;

/** Where the reference keeps its reservations. */
export const defaultDataDir = '/var/lib/cni/networks';

/** The directory that holds a directory per network. */
export function dataDirOf(config: HostLocalConfig): string {
  return absolute('ipam.dataDir', config.ipam.dataDir || defaultDataDir);
}

/** The file that `dns` is read from, where one is named. */
export function resolvConfOf({ ipam: { resolvConf } }: HostLocalConfig): string | undefined {
  return resolvConf ? absolute('ipam.resolvConf', resolvConf) : undefined;
}

/** Nothing depends on where a runtime happened to start us. */
function absolute(key: string, path: string): string {
  if (path.startsWith('/') && !path.includes('\0')) return path;
  throw invalid(key, `must be an absolute path, got ${JSON.stringify(path)}`);
}

/**
 * The range sets in the reference's order: `runtimeConfig.ipRanges`, the range in `ipam` itself, `ipam.ranges`.
 * An attachment gets one address of each. Throws a CniError (7) that names the range and key at fault.
 */
export function rangeSetsOf(config: HostLocalConfig): RangeSet[] {
  const { ipam, runtimeConfig } = config;
  const named: [name: string, ranges: readonly RangeConfig[]][] = [
    ...(runtimeConfig?.ipRanges ?? []).map((set, index): [string, readonly RangeConfig[]] => [
      `runtimeConfig.ipRanges[${index}]`,
      set,
    ]),
    ...(ipam.subnet === undefined
      ? []
      : [['ipam', [{ ...ipam, subnet: ipam.subnet }]] as [string, readonly RangeConfig[]]]),
    ...ipam.ranges.map((set, index): [string, readonly RangeConfig[]] => [`ipam.ranges[${index}]`, set]),
  ];
  if (named.length === 0)
    throw invalid('ipam.ranges', 'must have at least one range set: there is nothing to give out');
  const sets = named.map(([name, ranges]) => completeSet(name, ranges));
  refuseOverlaps(
    sets,
    named.map(([name]) => name),
  );
  return sets;
}

function completeSet(name: string, ranges: readonly RangeConfig[]): RangeSet {
  const complete = ranges.map((one, index): Range => {
    try {
      return completeRange(one);
    } catch (error) {
      if (!(error instanceof BadRangeError)) throw error;
      throw invalid(name === 'ipam' ? name : `${name}[${index}]`, error.message);
    }
  });
  const [first, ...others] = complete;
  if (first === undefined) throw invalid(name, 'must have at least one range');
  if (others.some((other) => other.start.family !== first.start.family)) {
    throw invalid(
      name,
      'must not mix IPv4 and IPv6: a range set gives one address; write two range sets for two',
    );
  }
  const clash = complete.findIndex((one, index) =>
    complete.slice(0, index).some((other) => overlap(one, other)),
  );
  if (clash > 0) throw invalid(`${name}[${clash}]`, 'must not overlap another range of its set');
  return [first, ...others];
}

function refuseOverlaps(sets: readonly RangeSet[], names: readonly string[]): void {
  for (const [index, set] of sets.entries()) {
    const clash = sets
      .slice(0, index)
      .findIndex((other) => set.some((a) => other.some((b) => overlap(a, b))));
    if (clash >= 0)
      throw invalid(names[index] ?? '', `must not overlap ${names[clash]}: an address would be given twice`);
  }
}

/**
 * The addresses that were asked for: CNI_ARGS `IP`, `args.cni.ips` and `runtimeConfig.ips`, all of them, each once, as
 * the reference takes them. A prefix length is allowed and not used; an empty `IP` asks for none.
 */
export function requestedAddresses({ config, args }: Request<HostLocalConfig>): IpAddress[] {
  const fromArgs = args.get('IP');
  const asked = [
    ...(fromArgs ? [{ source: 'CNI_ARGS IP', text: fromArgs }] : []),
    ...named('args.cni.ips', config.args?.cni?.ips),
    ...named('runtimeConfig.ips', config.runtimeConfig?.ips),
  ];
  const addresses: IpAddress[] = [];
  for (const { source, text } of asked) {
    const parsed = parseAddress(text) ?? parsePrefix(text)?.address;
    if (parsed === undefined) throw invalid(source, `must be an IP address, got ${JSON.stringify(text)}`);
    const address = unmapped(parsed);
    if (!addresses.some((other) => sameAddress(other, address))) addresses.push(address);
  }
  return addresses;
}

function named(source: string, texts: readonly string[] = []): { source: string; text: string }[] {
  return texts.map((text, index) => ({ source: `${source}[${index}]`, text }));
}

function invalid(where: string, what: string): CniError {
  const code = where.startsWith('CNI_ARGS') ? 'invalidEnvironment' : 'invalidConfig';
  return new CniError(code, `\`${where}\` of plugin \`host-local\`: ${what}`);
}
