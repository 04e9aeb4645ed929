/**
 * `macspoofchk`: a port may only send with the hardware address that its container was given. A port is an element
 * of the guarded ones, and an element `port . address` of what is allowed.
 */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { etherAddr, ifName } from '../../../kernel/nftables/datatype.ts';
import { firstRegister, registerAt } from '../../../kernel/nftables/expr/expression.ts';
import { lookup } from '../../../kernel/nftables/expr/lookup.ts';
import { metaLoad } from '../../../kernel/nftables/expr/meta.ts';
import { payload } from '../../../kernel/nftables/expr/payload.ts';
import { defineSet } from '../../../kernel/nftables/set.ts';
import type { MacAddress } from '../../../lib/mac.ts';
import { placeIn, wantElement } from '../../shared/nftables/element.ts';
import { rule, verdict } from '../../shared/nftables/match.ts';
import type { Whose } from '../../shared/nftables/owner.ts';
import { defineOwnerIndex } from '../../shared/nftables/owner-index.ts';
import { checkElements, putElements, type Wanted } from '../../shared/nftables/ownership.ts';
import { removeElements } from '../../shared/nftables/removal.ts';
import type { Section } from '../../shared/nftables/section.ts';
import { bridgeTable } from '../../shared/nftables/tables.ts';

const guarded = defineSet({ table: bridgeTable, name: 'macspoof-guarded', key: [ifName] });
const allowed = defineSet({ table: bridgeTable, name: 'macspoof-allowed', key: [ifName, etherAddr] });

/** NF_BR_PRI_FIRST is the lowest; -300 is where nft's `dstnat` of the bridge family stands, before any filter. */
const priority = -300;
/** Where an Ethernet header has the source address. */
const source = { offset: 6, length: 6 };
/** The register after an interface's name. */
const afterName = registerAt(ifName.size);

/** The section of guarded ports. */
export const section: Section = {
  table: bridgeTable,
  name: 'macspoof',
  version: 1,
  sets: [guarded, allowed],
  chains: [
    {
      chain: { table: bridgeTable, name: 'macspoof', base: { type: 'filter', hook: 'prerouting', priority } },
      rules: () => [
        rule(
          'own address',
          [
            metaLoad('iifname', firstRegister),
            payload('link', source.offset, source.length, afterName),
            lookup(allowed.name, firstRegister),
          ],
          verdict({ verdict: 'accept' }),
        ),
        rule(
          'any other address',
          [metaLoad('iifname', firstRegister), lookup(guarded.name, firstRegister)],
          verdict({ verdict: 'drop' }),
        ),
      ],
    },
  ],
  index: defineOwnerIndex({
    table: bridgeTable,
    name: 'macspoof-owners',
    entry: [ifName, etherAddr],
    places: ([port, mac]) => [placeIn(guarded, [port]), placeIn(allowed, [port, mac])],
  }),
  unusedAmong: () => [],
};

/** Lets a port send with this address only. */
export function guardAddress(connection: Connection, owner: string, port: string, mac: MacAddress): void {
  putElements(connection, section, owner, wantedFor(port, mac));
}

/** Removes their elements. */
export function removeGuards(connection: Connection, whose: Whose): void {
  removeElements(connection, section, whose);
}

/** What of `guardAddress`'s work is missing, in words. */
export function checkGuard(connection: Connection, owner: string, port: string, mac: MacAddress): string[] {
  return checkElements(connection, section, owner, wantedFor(port, mac));
}

/** What is there for a port that may send with this address. */
export function wantedFor(port: string, mac: MacAddress): Wanted {
  const purpose = `the hardware address check of port ${port}`;
  return {
    holdings: [
      {
        entry: [port, mac],
        elements: [
          wantElement(guarded, [port], undefined, purpose),
          wantElement(allowed, [port, mac], undefined, purpose),
        ],
      },
    ],
    chains: [],
  };
}
