/**
 * firewall's part of the bridges' table: a container that is isolated exchanges no frame with its neighbours. Those are
 * on ports that are one end of a veth, as containers' are. So is the port of a vlan's gateway, which elements of its own let
 * through. What comes by another port, as the node's network card in a bridge is, comes from outside.
 */
import { ifName } from '../../../kernel/nftables/datatype.ts';
import { cmp } from '../../../kernel/nftables/expr/cmp.ts';
import { firstRegister, registerAt } from '../../../kernel/nftables/expr/expression.ts';
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
import type { Guarded } from './guarded.ts';

const ports = defineSet({ table, name: 'firewall-ports', key: [ifName] });
const gateways = defineSet({ table, name: 'firewall-gateways', key: [ifName, ifName] });

type Way = 'iifname' | 'oifname';
/** The register after an interface's name. */
const afterName = registerAt(ifName.size);

function withGateway(own: Way, other: Way, comment: string) {
  return rule(
    comment,
    [metaLoad(own, firstRegister), metaLoad(other, afterName), lookup(gateways.name, firstRegister)],
    verdict({ verdict: 'accept' }),
  );
}

/** A kind (IFLA_INFO_KIND) is in a register as a name is. */
function withNeighbour(own: Way, otherKind: 'iifkind' | 'oifkind', comment: string) {
  return rule(
    comment,
    [metaLoad(own, firstRegister), lookup(ports.name, firstRegister)],
    [metaLoad(otherKind, firstRegister), cmp(firstRegister, '==', ifName.encode('veth'))],
    verdict({ verdict: 'drop' }),
  );
}

/** The section of ports that have no neighbours. */
export const section: Section = {
  table,
  name: 'firewall',
  version: 1,
  sets: [ports, gateways],
  chains: [
    {
      chain: {
        table,
        name: 'firewall-forward',
        base: { type: 'filter', hook: 'forward', priority: priorities.filter },
      },
      rules: () => [
        withGateway('iifname', 'oifname', 'from an isolated container to its gateway'),
        withGateway('oifname', 'iifname', 'to an isolated container from its gateway'),
        withNeighbour('iifname', 'oifkind', 'from an isolated container to another'),
        withNeighbour('oifname', 'iifkind', 'to an isolated container from another'),
      ],
    },
  ],
  index: defineOwnerIndex({
    table,
    name: 'firewall-owners',
    entry: [ifName, ifName],
    places: ([port, gateway]) => [placeIn(ports, [port]), placeIn(gateways, [port, gateway])],
  }),
  unusedAmong: () => [],
};

/** What is there for a container that is isolated. */
export function wantedFor(guarded: Guarded | undefined): Wanted {
  const isolated = guarded?.policy === 'isolated' ? guarded.ports : [];
  return {
    holdings: isolated.map(({ name, gateway }) => {
      const purpose = `the isolation of port ${name}`;
      const port = wantElement(ports, [name], undefined, purpose);
      const pair = wantElement(gateways, [name, gateway], undefined, purpose);
      return { entry: [name, gateway], elements: gateway === name ? [port] : [port, pair] };
    }),
    chains: [],
  };
}
