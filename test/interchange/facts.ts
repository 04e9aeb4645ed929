/** What the node and a container have, for tests in which two sides' plugins do the same. */
// packages: iproute2 iptables
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { ip } from '../support/container.ts';
import { type Snapshot, snapshot } from '../support/node.ts';
import type { AddResult } from '../support/plugin.ts';
import { output } from '../support/program.ts';

/** The two programs behind the name iptables: rules of nf_tables, and those of the kernel's older part. */
export const iptablesKinds = ['nft', 'legacy'] as const;
export type IptablesKind = (typeof iptablesKinds)[number];

const programs = ['iptables', 'ip6tables'];

/** A PATH on which iptables is of that kind, as Debian's alternatives would have it. */
export function pathWith(kind: IptablesKind): string {
  const directory = `/run/iptables-${kind}`;
  if (!existsSync(directory)) {
    mkdirSync(directory);
    for (const program of programs)
      for (const suffix of ['', '-save', '-restore'])
        symlinkSync(`/usr/sbin/${program}-${kind}${suffix}`, `${directory}/${program}${suffix}`);
  }
  return `${directory}:${process.env.PATH}`;
}

/** The node's facts (support/node.ts), and the rules of iptables-legacy, which nft does not show. */
export async function nodeFacts(): Promise<Snapshot> {
  return [...(await snapshot()), ...(await legacyRules())].sort();
}

/** The rules of both families; a table that nobody has used is not asked for, because that would make it. */
async function legacyRules(): Promise<Snapshot> {
  const families = [
    ['iptables', '/proc/net/ip_tables_names'],
    ['ip6tables', '/proc/net/ip6_tables_names'],
  ] as const;
  const found = families.flatMap(([program, names]) =>
    existsSync(names)
      ? readFileSync(names, 'utf8')
          .split('\n')
          .filter((table) => table !== '')
          .map(async (table) => {
            const text = await output([`${program}-legacy`, '-t', table, '-S']);
            return text.split('\n').map((line) => `${program}-legacy -t ${table} ${line}`);
          })
      : [],
  );
  return (await Promise.all(found)).flat();
}

/** Empties what iptables-legacy and nft have. */
export async function flushRules(): Promise<void> {
  await output(['nft', 'flush', 'ruleset']);
  for (const line of await legacyRules()) {
    const [program = '', , table = ''] = line.split(' ');
    for (const flag of ['-F', '-X']) await output([program, '-t', table, flag]);
  }
}

/** What is in a container, as lines: links, addresses, routes of every table, rules, and its interface's settings. */
export async function insideOf(netns: string): Promise<Snapshot> {
  const [links, addresses, ...routing] = await Promise.all([
    ip(netns, '-d', 'link'),
    ip(netns, 'address'),
    ...['-4', '-6'].flatMap((family) => [
      ip(netns, family, 'route', 'show', 'table', 'all'),
      ip(netns, family, 'rule'),
    ]),
  ]);
  return [
    ...links.map(({ ifname, mtu, promiscuity, allmulti, flags, master, linkinfo }) => ({
      link: ifname,
      mtu,
      promiscuity,
      allmulti,
      master,
      up: (flags as readonly string[]).includes('UP'),
      linkinfo,
    })),
    ...addresses.flatMap(({ ifname, addr_info }) =>
      (addr_info as Record<string, unknown>[])
        .filter(({ scope }) => scope !== 'link')
        .map(({ local, prefixlen, broadcast }) => ({ address: `${local}/${prefixlen}`, ifname, broadcast })),
    ),
    // What the kernel makes for IPv6 addresses comes a moment later. A route without a next hop has scope link with ours, so
    // that others can lead over it, and global with the reference's.
    ...routing
      .flat()
      .filter(({ dst, type }) => !/^(fe80|ff00)::/.test(String(dst)) && !/local|anycast/.test(String(type)))
      .map((route) => ({ ...route, flags: undefined, scope: undefined })),
  ]
    .map((fact) => JSON.stringify(fact))
    .sort();
}

/** A result as lines, without what differs by chance: names of links, and hardware addresses that nobody asked for. */
export function linesOf({ interfaces = [], ips = [], routes = [], ...others }: AddResult): Snapshot {
  const named = interfaces.map(({ name, mac = '', ...rest }) => ({
    interface: name.replace(/^veth[0-9a-f]{8}$/, 'vethRANDOM'),
    mac: mac.startsWith('02:00:00:') ? mac : 'ANY',
    ...rest,
  }));
  // Debian's 1.1.1 still prints an empty `dns`; 1.9.1 leaves it out.
  const addresses = ips.map(({ address, gateway, interface: index }) => ({ address, gateway, index }));
  return [...named, ...addresses, ...routes, { dns: {}, ...others }].map(
    (each) => `result ${sortedJson(each)}`,
  );
}

/** JSON whose objects have their keys in alphabetical order. */
function sortedJson(value: unknown): string {
  const sort = (_: string, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each;
  return JSON.stringify(value, sort);
}
