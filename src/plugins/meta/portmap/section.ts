/** portmap's part of the nftables table: what goes to a published port of this node is translated. */
import type { Section } from '../../shared/nftables/section.ts';
import { inetTable } from '../../shared/nftables/tables.ts';
import { staticChains } from './chains.ts';
import { portIndex } from './index-entry.ts';
import { maps } from './maps.ts';
import { unusedAmong } from './policy.ts';

/** The section of published ports. */
export const section: Section = {
  table: inetTable,
  name: 'portmap',
  version: 1,
  sets: [maps[4], maps[6]].flatMap((family) => Object.values(family)),
  chains: staticChains(),
  index: portIndex,
  unusedAmong,
};
