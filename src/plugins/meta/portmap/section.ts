/** portmap's part of the nftables table: what goes to a published port of this node is translated. */
import type { Chain } from '../../../kernel/nftables/chain.ts';
import { rule, toThisNode, verdict } from '../../shared/nftables/match.ts';
import type { ChainWithRules, Section } from '../../shared/nftables/section.ts';
import { inetTable } from '../../shared/nftables/tables.ts';
import { applyPolicy, maps, translate } from './maps.ts';
import { unusedChains } from './policy.ts';

/** NF_IP_PRI_NAT_DST, linux/netfilter_ipv4.h. */
const dstnat = -100;

const ports: Chain = { table: inetTable, name: 'portmap' };

/** A port published on one address wins over one published on all. */
const portRules: ChainWithRules = {
  chain: ports,
  rules: ([4, 6] as const).flatMap((family) =>
    (['hostIp', 'any'] as const).flatMap((by) => {
      const what = by === 'hostIp' ? `IPv${family} address and port` : `IPv${family} port`;
      return [
        rule(`${what}: policy`, applyPolicy(family, by)),
        rule(`${what}: translation`, translate(family, by)),
      ];
    }),
  ),
};

/** From elsewhere in prerouting, from this node itself in output. */
const entries: ChainWithRules[] = (['prerouting', 'output'] as const).map((hook) => ({
  chain: { table: inetTable, name: `portmap-${hook}`, base: { type: 'nat', hook, priority: dstnat } },
  rules: [rule('to this node', toThisNode(), verdict({ verdict: 'jump', chain: ports.name }))],
}));

/** The section of published ports. */
export const section: Section = {
  table: inetTable,
  name: 'portmap',
  version: 1,
  sets: [maps[4], maps[6]].flatMap((family) => Object.values(family)),
  chains: [portRules, ...entries],
  unusedChains,
};
