/** Routing tables that nobody uses. */
import { CniError } from '../../cni/index.ts';

/** The highest number that a table can have: 32 bits, and the kernel takes all of them. */
export const lastTable = 0xffff_ffff;

/** 253, 254 and 255 are the kernel's: default, main and local (RT_TABLE_*, linux/rtnetlink.h). */
const kernelTables: ReadonlySet<number> = new Set([253, 254, 255]);

/** Whether a table is one of the kernel's own. */
export function isKernelTable(table: number): boolean {
  return kernelTables.has(table);
}

/** The first table from `first` on that is not taken. Throws a `CniError` (11) where none is left up to `last`. */
export function freeTable(taken: ReadonlySet<number>, first: number, last: number = lastTable): number {
  for (let table = first; table <= last; table++) {
    if (!taken.has(table) && !isKernelTable(table)) return table;
  }
  throw new CniError(
    'tryAgainLater',
    `no routing table is free from ${first} to ${last} in the container`,
    'name one by `table`, or remove rules and routes that nobody needs',
  );
}
