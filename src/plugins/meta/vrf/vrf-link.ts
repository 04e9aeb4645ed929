/** The vrf in the container: a link whose ports have a routing table of their own. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { getLink, listLinks } from '../../../kernel/rtnetlink/link.ts';
import { createLink } from '../../../kernel/rtnetlink/link-change.ts';
import { listRoutes } from '../../../kernel/rtnetlink/route.ts';
import { listRules } from '../../../kernel/rtnetlink/rule.ts';
import { deleteLinkIfThere, presentLink } from '../../../plugin/links.ts';
import { freeTable } from '../../shared/free-table.ts';
import type { VrfConfig } from './config.ts';

/** A vrf that is there. */
export interface Vrf {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly table: number;
}

/** The reference's. */
const firstTable = 1;

/** The vrf of that name; undefined where there is no such link. Throws a `CniError` (7) for a link of another kind. */
export function findVrf(container: Connection, name: string): Vrf | undefined {
  const link = getLink(container, name);
  if (link === undefined) return undefined;
  if (link.kind === 'vrf') return { index: link.index, name, up: link.flags.up, table: link.data.table ?? 0 };
  const kind = link.kindName === undefined ? 'without a kind' : `of kind ${link.kindName}`;
  throw new CniError(
    'invalidConfig',
    `\`vrfname\` of plugin \`vrf\`: "${name}" exists and is a link ${kind}, not a vrf`,
    'choose another name',
  );
}

/** The configuration's vrf, made if it is not there. Throws a `CniError`: 2, 7 where it has another table, 11 where no table is free. */
export function findOrCreateVrf(container: Connection, { vrfname, table }: VrfConfig): Vrf {
  const found = findVrf(container, vrfname);
  if (found === undefined) return createVrf(container, vrfname, table || nextTable(container));
  if (table === 0 || table === found.table) return found;
  throw new CniError(
    'invalidConfig',
    `\`table\` of plugin \`vrf\` is ${table}, and vrf ${vrfname} exists with table ${found.table}`,
    'leave `table` out, or take the same in all networks of this vrf',
  );
}

/** The first that no vrf, rule or route of the container uses. */
function nextTable(container: Connection): number {
  const ofVrfs = listLinks(container, { kind: 'vrf' }).flatMap((link) =>
    link.kind === 'vrf' ? [link.data.table] : [],
  );
  const ofOthers = [...listRules(container), ...listRoutes(container)].map(({ table }) => table);
  return freeTable(new Set([...ofVrfs, ...ofOthers].flatMap((table) => table ?? [])), firstTable);
}

function createVrf(container: Connection, name: string, table: number): Vrf {
  try {
    createLink(container, { name, kind: 'vrf', data: { table }, up: true });
  } catch (error) {
    if (!isNetlinkError(error, 'EOPNOTSUPP')) throw error;
    throw new CniError(
      'unsupportedField',
      `\`vrfname\` of plugin \`vrf\`: ${name} cannot be made, this kernel has no vrf links`,
      'it needs the module vrf (CONFIG_NET_VRF)',
    );
  }
  const { index } = presentLink(container, name);
  return { index, name, up: true, table };
}

/** Removes the vrf if it has no ports (any more). */
export function removeIfUnused(container: Connection, vrf: Vrf): void {
  if (listLinks(container, { master: vrf.index }).length === 0) deleteLinkIfThere(container, vrf);
}
