/** portmap's part of the nftables table: what goes to a published port of this node is translated. */
import type { BaseChain, Chain } from '../../../kernel/nftables/chain.ts';
import type { Prefix } from '../../../lib/ip.ts';
import { addressIs, interfaceIs, rule, toThisNode, verdict } from '../../shared/nftables/match.ts';
import type { ChainWithRules, Section } from '../../shared/nftables/section.ts';
import { inetTable } from '../../shared/nftables/tables.ts';
import { portIndex } from './index-entry.ts';
import { applyPolicy, maps, translate } from './maps.ts';
import { localhost, unusedAmong } from './policy.ts';

/** NF_IP_PRI_NAT_DST, linux/netfilter_ipv4.h. */
const dstnat = -100;

/** NF_IP_PRI_RAW: before connection tracking, and so before any translation. */
const raw = -300;

/** ::1, RFC 4291 section 2.5.3. */
const localhost6: Prefix = { address: { family: 6, value: 1n }, length: 128 };

const ports: Chain = { table: inetTable, name: 'portmap' };

/** The ways to look a port up: published on one address, which wins, or on all. */
const lookups = (
  [
    ['hostIp', 'address and port'],
    ['any', 'port'],
  ] as const
).map(
  ([by, what]): ChainWithRules => ({
    chain: { table: inetTable, name: `portmap-${by === 'hostIp' ? 'hostip' : 'any'}` },
    rules: ([4, 6] as const).flatMap((family) => [
      rule(`IPv${family} ${what}: policy`, applyPolicy(family, by)),
      rule(`IPv${family} ${what}: translation`, translate(family, by)),
    ]),
  }),
);

/** Conditions that are not met lead out of a lookup (by goto), and so to the next. */
const portRules: ChainWithRules = {
  chain: ports,
  rules: lookups.map(({ chain: { name } }) => rule(name, verdict({ verdict: 'jump', chain: name }))),
};

const jump = verdict({ verdict: 'jump', chain: ports.name });

/** From elsewhere. */
const fromOutside: ChainWithRules = {
  chain: base('portmap-prerouting', { type: 'nat', hook: 'prerouting', priority: dstnat }),
  rules: [rule('to this node', toThisNode(), jump)],
};

/**
 * From this node itself. By ::1 a container cannot be reached: the kernel takes no packet from or to that address in
 * from a link (RFC 4291 section 2.5.3), and there is no `route_localnet` for IPv6. So it is not translated: it is
 * refused at once, or reaches what listens there, instead of getting lost.
 */
const fromHere: ChainWithRules = {
  chain: base('portmap-output', { type: 'nat', hook: 'output', priority: dstnat }),
  rules: [
    rule('not to ::1', addressIs('daddr', '==', localhost6), verdict({ verdict: 'return' })),
    rule('to this node', toThisNode(), jump),
  ],
};

/**
 * `route_localnet`, which 127.0.0.1 to a container needs, also lets containers reach what listens on the node's
 * 127.0.0.1 only (CVE-2020-8558). What comes in by a link to such an address is dropped, as the kernel itself does
 * without that setting; answers are not concerned: they are translated later.
 */
const localnet: ChainWithRules = {
  chain: base('portmap-localnet', { type: 'filter', hook: 'prerouting', priority: raw }),
  rules: [
    rule(
      'to 127.0.0.0/8 from outside',
      addressIs('daddr', '==', localhost),
      interfaceIs('iifname', '!=', 'lo'),
      verdict({ verdict: 'drop' }),
    ),
  ],
};

function base(name: string, hooked: BaseChain): Chain {
  return { table: inetTable, name, base: hooked };
}

/** The section of published ports. */
export const section: Section = {
  table: inetTable,
  name: 'portmap',
  version: 1,
  sets: [maps[4], maps[6]].flatMap((family) => Object.values(family)),
  chains: [...lookups, portRules, fromOutside, fromHere, localnet],
  index: portIndex,
  unusedAmong,
};
