/**
 * Which addresses an attachment holds, without reading the whole store: a file per attachment in
 * DATADIR/.fairlead/NETWORK/owners.
 *
 * The index is only believed while the store's directory is as this code left it: after each change both
 * directories get the same modification time, to the microsecond. Whatever else creates or removes a file in
 * the store (the reference plugin, an operator, a process of ours that was killed half-way) changes the store's
 * time, and the index is built anew. The kernel stamps changes with a clock of ticks, so that a change right
 * after ours still gets another time than ours.
 */
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { formatAddress, type IpAddress, parseAddress } from '../../../lib/ip.ts';
import type { Owner, Reservation } from './store.ts';

/** The index of one store, used by the holder of the store's lock. */
export interface OwnerIndex {
  addressesOf(owner: Required<Owner>): IpAddress[];
  add(owner: Required<Owner>, address: IpAddress): void;
  remove(owner: Required<Owner>): void;
  /** Ends a change: says that index and store agree. Without it the next process builds the index anew. */
  settle(): void;
  /** Builds the index from the store. */
  rebuild(): void;
}

/** Opens the index of the store in `directory`, kept in `side`, building it where the two do not agree. */
export function openOwnerIndex(directory: string, side: string, read: () => Reservation[]): OwnerIndex {
  const owners = `${side}/owners`;
  const fileOf = (owner: Owner) => `${owners}/${owner.containerId}:${owner.ifname ?? ''}`;

  const settle = () => {
    // Microseconds, which a double holds exactly enough; an odd digit tells it from a clock's whole ticks.
    const now = (Math.floor(Date.now() * 1000 + (process.hrtime()[1] % 1000)) * 10 + 7) / 1e7;
    utimesSync(owners, now, now);
    utimesSync(directory, now, now);
  };
  const agrees = () => {
    const index = statSync(owners, { bigint: true, throwIfNoEntry: false });
    return index !== undefined && index.mtimeNs === statSync(directory, { bigint: true }).mtimeNs;
  };
  const addressesIn = (path: string): IpAddress[] => {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return [];
      throw error;
    }
    return text.split('\n').flatMap((line) => parseAddress(line) ?? []);
  };
  const write = (path: string, addresses: readonly IpAddress[]) =>
    writeFileSync(path, `${addresses.map(formatAddress).join('\n')}\n`, { mode: 0o600 });

  const rebuild = () => {
    rmSync(owners, { recursive: true, force: true });
    mkdirSync(owners, { mode: 0o700 });
    const byFile = new Map<string, IpAddress[]>();
    for (const { address, owner } of read()) {
      if (owner === undefined) continue;
      const file = fileOf(owner);
      byFile.set(file, [...(byFile.get(file) ?? []), address]);
    }
    for (const [file, addresses] of byFile) write(file, addresses);
    settle();
  };

  if (!agrees()) rebuild();
  return {
    // As the reference does: what names only the container counts where nothing names the interface too.
    addressesOf: (owner) => {
      const exact = addressesIn(fileOf(owner));
      return exact.length > 0 ? exact : addressesIn(fileOf({ containerId: owner.containerId }));
    },
    add: (owner, address) => write(fileOf(owner), [...addressesIn(fileOf(owner)), address]),
    remove: (owner) => {
      const exact = addressesIn(fileOf(owner)).length > 0;
      rmSync(fileOf(exact ? owner : { containerId: owner.containerId }), { force: true });
    },
    settle,
    rebuild,
  };
}
