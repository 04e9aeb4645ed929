/** portmap's static chains: the way of a packet to a published port of this node. */
import type { BaseChain, Chain } from '../../../kernel/nftables/chain.ts';
import type { Prefix } from '../../../lib/ip.ts';
import { addressIs, interfaceIs, rule, toThisNode, verdict } from '../../shared/nftables/match.ts';
import { priorities } from '../../shared/nftables/priorities.ts';
import type { ChainWithRules } from '../../shared/nftables/section.ts';
import { inetTable } from '../../shared/nftables/tables.ts';
import { applyPolicy, type Lookup, translate } from './maps.ts';
import { localhost } from './policy.ts';

/** ::1, RFC 4291 section 2.5.3. */
const localhost6: Prefix = { address: { family: 6, value: 1n }, length: 128 };

/** The chains that are always there, each after those it jumps to. */
export function staticChains(): ChainWithRules[] {
  const ways = [lookupChain('hostIp'), lookupChain('any')];
  return [...ways, portChain(ways), fromOutside(), fromHere(), localnet()];
}

/** A way to look a port up: published on one address, or on all. */
function lookupChain(by: Lookup): ChainWithRules {
  const [name, what] = by === 'hostIp' ? ['portmap-hostip', 'address and port'] : ['portmap-any', 'port'];
  return {
    chain: { table: inetTable, name },
    rules: () =>
      ([4, 6] as const).flatMap((family) => [
        rule(`IPv${family} ${what}: policy`, applyPolicy(family, by)),
        rule(`IPv${family} ${what}: translation`, translate(family, by)),
      ]),
  };
}

/** One way after the other. Conditions that are not met lead out of a way (by goto), and so to the next. */
function portChain(ways: readonly ChainWithRules[]): ChainWithRules {
  return {
    chain: { table: inetTable, name: 'portmap' },
    rules: () => ways.map(({ chain: { name } }) => rule(name, verdict({ verdict: 'jump', chain: name }))),
  };
}

function fromOutside(): ChainWithRules {
  return {
    chain: base('portmap-prerouting', { type: 'nat', hook: 'prerouting', priority: priorities.dstnat }),
    rules: () => [toPorts()],
  };
}

/**
 * From this node itself. By ::1 a container cannot be reached: the kernel takes no packet from or to that address in
 * from a link (RFC 4291 section 2.5.3), and there is no `route_localnet` for IPv6. So it is not translated: it is
 * refused at once, or reaches what listens there, instead of getting lost.
 */
function fromHere(): ChainWithRules {
  return {
    chain: base('portmap-output', { type: 'nat', hook: 'output', priority: priorities.dstnat }),
    rules: () => [
      rule('not to ::1', addressIs('daddr', '==', localhost6), verdict({ verdict: 'return' })),
      toPorts(),
    ],
  };
}

function toPorts() {
  return rule('to this node', toThisNode(), verdict({ verdict: 'jump', chain: 'portmap' }));
}

/**
 * `route_localnet`, which 127.0.0.1 to a container needs, also lets containers reach what listens on the node's
 * 127.0.0.1 only (CVE-2020-8558). What comes in by a link to such an address is dropped, as the kernel itself does
 * without that setting; answers are not concerned: they are translated later.
 */
function localnet(): ChainWithRules {
  return {
    chain: base('portmap-localnet', { type: 'filter', hook: 'prerouting', priority: priorities.raw }),
    rules: () => [
      rule(
        'to 127.0.0.0/8 from outside',
        addressIs('daddr', '==', localhost),
        interfaceIs('iifname', '!=', 'lo'),
        verdict({ verdict: 'drop' }),
      ),
    ],
  };
}

function base(name: string, hooked: BaseChain): Chain {
  return { table: inetTable, name, base: hooked };
}
