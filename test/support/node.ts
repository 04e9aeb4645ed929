/**
 * Facts of "the node", the namespaces that the test runs in, as lines of text: a test holds those before against
 * those after. Read with iproute2 and nft, which are not the code under test.
 */
// packages: iproute2 nftables
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type IpObject, ipBatch } from './ip-json.ts';
import { output } from './program.ts';

/** The node's facts, a line each, sorted: `link …`, `address …`, `route …`, `rule …`, `neighbour …`, `nft …`, `file …`, `sysctl …`. */
export type Snapshot = readonly string[];

/** Where plugins and runtimes keep files. */
const directories = [
  '/run/netns',
  '/run/cni',
  '/run/fairlead',
  '/var/lib/cni',
  '/var/lib/fairlead',
  '/etc/cni',
];

/** Reads everything. Changes nothing, so that it may be asked of a machine as well. */
export async function snapshot(): Promise<Snapshot> {
  const parts = await Promise.all([linksAndNeighbours(), ofFamily('-4'), ofFamily('-6'), ruleset()]);
  return [...parts.flat(), ...directories.flatMap(files), ...sysctls()].sort();
}

/**
 * What changed: `- LINE` for what is gone, `+ LINE` for what is new. Lines that match `except` do not count:
 * `/^sysctl net.ipv4.ip_forward/`.
 */
export function diff(before: Snapshot, after: Snapshot, except?: RegExp): string[] {
  const counted = (lines: Snapshot) => lines.filter((line) => except === undefined || !except.test(line));
  const gone = without(counted(before), counted(after)).map((line) => `- ${line}`);
  return [...gone, ...without(counted(after), counted(before)).map((line) => `+ ${line}`)];
}

/** The lines of the first that the second has not, as often as it has not. */
function without(lines: Snapshot, others: Snapshot): readonly string[] {
  const rest = [...others];
  return lines.filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

/** An object as a line, without what changes by itself. */
function line(kind: string, object: IpObject, volatile: readonly string[] = []): string {
  const kept = Object.entries(object).filter(([key]) => !volatile.includes(key));
  return `${kind} ${JSON.stringify(Object.fromEntries(kept))}`;
}

/** One process for several commands: on a slow kernel, starting one is most of what a look costs. */
async function linksAndNeighbours(): Promise<Snapshot> {
  const [links, withAddresses, neighbours] = await ipBatch(
    ['-d'],
    ['link', 'address', 'neigh show nud permanent'],
  );
  return [
    ...links.map(lineOfLink),
    ...withAddresses.flatMap(linesOfAddresses),
    ...neighbours.map((entry) => line('neighbour', entry)),
  ];
}

/** A link's state follows its peers and its timers; forwarding statistics and timers are no configuration. */
const volatileOfLink = ['operstate', 'flags', 'stats64', 'num_tx_queues', 'num_rx_queues'];

function lineOfLink(link: IpObject): string {
  const withoutTimers = (key: string, value: unknown) =>
    /_timer$|^root_|^topology_change/.test(key) ? undefined : value;
  const flags = (link.flags as string[]).filter((flag) => flag === 'UP' || flag === 'PROMISC');
  const lasting = JSON.parse(JSON.stringify({ ...link, up: flags }, withoutTimers)) as IpObject;
  return line(`link ${String(link.ifname)}`, lasting, volatileOfLink);
}

function linesOfAddresses({ ifname, addr_info }: IpObject): readonly string[] {
  const volatile = ['tentative', 'preferred_life_time', 'valid_life_time'];
  return (addr_info as IpObject[]).map((address) => line(`address ${String(ifname)}`, address, volatile));
}

async function ofFamily(family: '-4' | '-6'): Promise<Snapshot> {
  const [routes, rules] = await ipBatch([family], ['route show table all', 'rule']);
  const volatile = ['expires', 'flags'];
  return [
    ...routes.map((route) => line('route', route, volatile)),
    ...rules.map((rule) => line('rule', rule)),
  ];
}

/** The ruleset, the elements of sets and maps a line each, without handles and counters' values. */
async function ruleset(): Promise<Snapshot> {
  if (Bun.which('nft') === null) return [];
  const lasting = (key: string, value: unknown) =>
    ['handle', 'packets', 'bytes', 'expires'].includes(key) ? undefined : value;
  const { nftables } = JSON.parse(await output(['nft', '-j', 'list', 'ruleset']), lasting) as {
    nftables: IpObject[];
  };
  return nftables
    .filter((object) => !('metainfo' in object))
    .flatMap((object) => {
      const { elem, ...set } = (object.set ?? object.map ?? {}) as {
        elem?: readonly unknown[];
      } & IpObject;
      if (elem === undefined) return [`nft ${JSON.stringify(object)}`];
      const name = [set.family, set.table, set.name].join(' ');
      return [
        `nft set ${name} ${JSON.stringify(set)}`,
        ...elem.map((each) => `nft element ${name} ${JSON.stringify(each)}`),
      ];
    });
}

/** Calls that failed are kept on purpose (docs/debugging.md): not a thing that a plugin forgot. */
const kept = /^\/run\/fairlead\/failures(\/|$)|serve\.(sock|lock)$/;

/** Every file below a directory, with its mode and what is in it. Namespaces' files by their names only. */
function files(path: string): Snapshot {
  if (!existsSync(path)) return [];
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => `${path}/${name}`);
  return found
    .filter((file) => !kept.test(file))
    .map((file) => {
      const stat = lstatSync(file);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isDirectory()) return `file ${file}/ ${mode}`;
      if (stat.isSymbolicLink()) return `file ${file} -> ${readlinkSync(file)}`;
      if (stat.isSocket()) return `file ${file} ${mode} a socket`;
      return `file ${file} ${mode} ${path === '/run/netns' ? '' : JSON.stringify(readFileSync(file, 'latin1'))}`;
    });
}

/** The settings that plugins make or that follow from those; per link, they come and go with it. */
const perLink = {
  ipv4: ['forwarding', 'rp_filter', 'route_localnet', 'arp_notify', 'proxy_arp', 'promote_secondaries'],
  ipv6: ['forwarding', 'disable_ipv6', 'accept_ra', 'accept_dad', 'proxy_ndp'],
};

function sysctls(): Snapshot {
  const names = [
    'net/ipv4/ip_forward',
    'net/bridge/bridge-nf-call-iptables',
    'net/bridge/bridge-nf-call-ip6tables',
  ];
  for (const [family, settings] of Object.entries(perLink)) {
    const root = `net/${family}/conf`;
    for (const link of readdirSync(`/proc/sys/${root}`))
      names.push(...settings.map((name) => `${root}/${link}/${name}`));
  }
  return names.flatMap((name) => {
    const value = setting(`/proc/sys/${name}`);
    return value === undefined ? [] : [`sysctl ${name} ${value}`];
  });
}

/** A setting's value; undefined where the kernel has none, or its link has gone since it was listed. */
function setting(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
