/**
 * firewall's part of the bridges' table: a container that is isolated exchanges no frame with its neighbours. Those are
 * on ports that are one end of a veth, as containers' are. What comes by another port, as the node's network card in a
 * bridge is, comes from outside, where the gateway may be.
 */
import { ifName } from '../../../kernel/nftables/datatype.ts';
import { cmp } from '../../../kernel/nftables/expr/cmp.ts';
import { firstRegister } from '../../../kernel/nftables/expr/expression.ts';
import { lookup } from '../../../kernel/nftables/expr/lookup.ts';
import { metaLoad } from '../../../kernel/nftables/expr/meta.ts';
import { defineSet } from '../../../kernel/nftables/set.ts';
import { placeIn, wantElement } from '../../shared/nftables/element.ts';
import { rule, verdict } from '../../shared/nftables/match.ts';
import { defineOwnerIndex } from '../../shared/nftables/owner-index.ts';
import type { Wanted } from '../../shared/nftables/ownership.ts';
import { priorities } from '../../shared/nftables/priorities.ts';
import type { Section } from '../../shared/nftables/section.ts';
import { bridgeTable as table } from '../../shared/nftables/tables.ts';
import type { Guarded } from './targets.ts';

const ports = defineSet({ table, name: 'firewall-ports', key: [ifName] });

/** One rule for each direction; a kind (IFLA_INFO_KIND) is in a register as a name is. */
function between(name: 'iifname' | 'oifname', kind: 'iifkind' | 'oifkind', comment: string) {
  return rule(
    comment,
    [metaLoad(name, firstRegister), lookup(ports.name, firstRegister)],
    [metaLoad(kind, firstRegister), cmp(firstRegister, '==', ifName.encode('veth'))],
    verdict({ verdict: 'drop' }),
  );
}

/** The section of ports that have no neighbours. */
export const section: Section = {
  table,
  name: 'firewall',
  version: 1,
  sets: [ports],
  chains: [
    {
      chain: {
        table,
        name: 'firewall-forward',
        base: { type: 'filter', hook: 'forward', priority: priorities.filter },
      },
      rules: () => [
        between('iifname', 'oifkind', 'from an isolated container to another'),
        between('oifname', 'iifkind', 'to an isolated container from another'),
      ],
    },
  ],
  index: defineOwnerIndex({
    table,
    name: 'firewall-owners',
    entry: [ifName],
    places: ([port]) => [placeIn(ports, [port])],
  }),
  unusedAmong: () => [],
};

/** What is there for a container that is isolated. */
export function wantedFor(guarded: Guarded | undefined): Wanted {
  const isolated = guarded?.policy === 'isolated' ? guarded.ports : [];
  return {
    holdings: isolated.map((port) => ({
      entry: [port],
      elements: [wantElement(ports, [port], undefined, `the isolation of port ${port}`)],
    })),
    chains: [],
  };
}
