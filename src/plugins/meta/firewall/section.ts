/**
 * firewall's part of the table for IPv4 and IPv6: which addresses are containers', whose packets others are to accept,
 * and which of them must not be reached from other bridges.
 */
import { addressTypeOf, ifName, ipv6Addr } from '../../../kernel/nftables/datatype.ts';
import { firstRegister } from '../../../kernel/nftables/expr/expression.ts';
import { lookup } from '../../../kernel/nftables/expr/lookup.ts';
import { metaLoad } from '../../../kernel/nftables/expr/meta.ts';
import { defineMap, defineSet } from '../../../kernel/nftables/set.ts';
import { formatAddress, type IpAddress, type IpFamily } from '../../../lib/ip.ts';
import { placeIn, type WantedElement, wantElement } from '../../shared/nftables/element.ts';
import { mapAddress, unmapAddress } from '../../shared/nftables/mapped-address.ts';
import {
  type AddressField,
  addressVerdict,
  bitMask,
  clearMarkBit,
  interfaceIs,
  isAnswer,
  loadAddress,
  markIs,
  ofFamily,
  rule,
  setMarkBit,
  verdict,
} from '../../shared/nftables/match.ts';
import { defineOwnerIndex } from '../../shared/nftables/owner-index.ts';
import type { Wanted } from '../../shared/nftables/ownership.ts';
import { priorities } from '../../shared/nftables/priorities.ts';
import type { ChainWithRules, Section } from '../../shared/nftables/section.ts';
import { inetTable } from '../../shared/nftables/tables.ts';
import { chainWord, interfaceOf } from './chain-word.ts';
import type { Guarded } from './guarded.ts';
import { acceptBit } from './mark.ts';

const table = inetTable;

const setsOf = (family: IpFamily) => ({
  allowed: defineSet({ table, name: `firewall-allowed${family}`, key: [addressTypeOf(family)] }),
  guarded: defineMap({
    table,
    name: `firewall-guarded${family}`,
    key: [addressTypeOf(family)],
    data: 'verdict',
  }),
});
/** By family: containers' addresses, and those that a policy guards with the chain that blocks. */
export const addressSets = { 4: setsOf(4), 6: setsOf(6) } as const;

/** The bridges of guarded containers, by their policy. */
const bridges = {
  'same-bridge': defineSet({ table, name: 'firewall-same-bridge', key: [ifName] }),
  isolated: defineSet({ table, name: 'firewall-isolated', key: [ifName] }),
} as const;
type Policy = keyof typeof bridges;
const policies = Object.keys(bridges) as readonly Policy[];

const guard: ChainWithRules = {
  chain: { table, name: 'firewall-guard' },
  rules: () =>
    ([4, 6] as const).map((family) =>
      rule(`to IPv${family} containers`, addressVerdict(family, 'daddr', addressSets[family].guarded.name)),
    ),
};

/** Before iptables' `filter` and firewalld, which is after that. */
const before: ChainWithRules = {
  chain: {
    table,
    name: 'firewall-forward',
    base: { type: 'filter', hook: 'forward', priority: priorities.filter - 10 },
  },
  rules: () => [
    ...policies.map((policy) =>
      rule(
        `from bridges with the policy ${policy}`,
        [metaLoad('iifname', firstRegister), lookup(bridges[policy].name, firstRegister)],
        verdict({ verdict: 'jump', chain: guard.chain.name }),
      ),
    ),
    ...([4, 6] as const).flatMap((family) => [
      rule(`from IPv${family} containers`, isAllowed(family, 'saddr'), setMarkBit(acceptBit)),
      rule(
        `answers to IPv${family} containers`,
        isAnswer(),
        isAllowed(family, 'daddr'),
        setMarkBit(acceptBit),
      ),
    ]),
  ],
};

/** After all of them: nobody finds the mark later, where it might mean something else. */
const after: ChainWithRules = {
  chain: {
    table,
    name: 'firewall-accepted',
    base: { type: 'filter', hook: 'forward', priority: priorities.filter + 20 },
  },
  rules: () => [
    rule('marked', markIs('==', bitMask(acceptBit), bitMask(acceptBit)), clearMarkBit(acceptBit)),
  ],
};

function isAllowed(family: IpFamily, field: AddressField) {
  return [
    ...ofFamily(family),
    loadAddress(family, field),
    lookup(addressSets[family].allowed.name, firstRegister),
  ];
}

/** The section of containers whose traffic passes this node. */
export const section: Section = {
  table,
  name: 'firewall',
  version: 1,
  sets: [addressSets[4], addressSets[6], bridges].flatMap((sets) => Object.values(sets)),
  chains: [guard, before, after],
  index: defineOwnerIndex({
    table,
    name: 'firewall-owners',
    entry: [ipv6Addr],
    places: ([mapped]) => {
      const address = unmapAddress(mapped);
      return Object.values(addressSets[address.family]).map((set) => placeIn(set, [address]));
    },
  }),
  unusedAmong: () => [],
  placesOf: (chain) =>
    policies.flatMap((policy) => {
      const prefix = chainName(policy, '');
      return chain.startsWith(prefix)
        ? [placeIn(bridges[policy], [interfaceOf(chain.slice(prefix.length))])]
        : [];
    }),
};

/** What is there for a container with these addresses. */
export function wantedFor(addresses: readonly IpAddress[], guarded: Guarded | undefined): Wanted {
  return {
    holdings: addresses.map((address) => ({
      entry: [mapAddress(address)],
      elements: elementsFor(address, guarded),
    })),
    chains: guarded === undefined || addresses.length === 0 ? [] : [blockingChain(guarded)],
  };
}

function elementsFor(address: IpAddress, guarded: Guarded | undefined): WantedElement[] {
  const sets = addressSets[address.family];
  const text = formatAddress(address);
  const allowed = wantElement(sets.allowed, [address], undefined, `the address ${text}`);
  if (guarded === undefined) return [allowed];
  const { policy, bridge } = guarded;
  const data = { verdict: 'jump', chain: chainName(policy, bridge) } as const;
  return [allowed, wantElement(sets.guarded, [address], data, `the ingress policy of ${text}`)];
}

function chainName(policy: Policy, bridge: string): string {
  return `firewall-${policy}-${chainWord(bridge)}`;
}

/** What a guarded address leads to: only what comes by a bridge in one of the two sets gets here. */
function blockingChain({ policy, bridge }: Guarded): ChainWithRules {
  const comment = policy === 'isolated' ? 'from any bridge' : 'from another bridge';
  const which = policy === 'isolated' ? [] : interfaceIs('iifname', '!=', bridge);
  return {
    chain: { table, name: chainName(policy, bridge) },
    rules: () => [rule(comment, which, verdict({ verdict: 'drop' }))],
    elements: [wantElement(bridges[policy], [bridge], undefined, `the ingress policy of bridge ${bridge}`)],
  };
}
