/** Choosing addresses: one of each range set, all or none. */
import { CniError } from '../../../cni/index.ts';
import { formatAddress, type IpAddress, type Prefix, parseAddress, sameAddress } from '../../../lib/ip.ts';
import { type Candidate, candidates, formatRangeSet, inRange, type RangeSet, rangeOf } from './range.ts';
import type { Owner, Store } from './store.ts';

/** An address given out: with its subnet's length, and the subnet's gateway. */
export interface Allocation {
  readonly address: Prefix;
  readonly gateway: IpAddress;
}

/** "No address left" (a code of the plugin's own, SPEC.md section 5: 100 and above). */
const noAddressLeft = 100;
/** "That address is taken", or held by the same attachment already. */
const addressTaken = 101;

/** How many candidates are tried one by one before the store's list is read, which pays from there on. */
const triesBeforeListing = 16;

/**
 * Reserves one address of each set for the owner: the one that was asked for, where it lies in the set, else
 * the next free one. Throws a CniError and leaves nothing reserved when a set cannot give one, when an address
 * that was asked for lies in no set, or when the owner holds one already.
 */
export function allocate(
  store: Store,
  sets: readonly RangeSet[],
  requested: readonly IpAddress[],
  owner: Required<Owner>,
): Allocation[] {
  refuseSecond(store, sets, owner);
  const wanted = [...requested];
  try {
    const given = sets.map((set, index) => {
      const position = wanted.findIndex((address) => rangeOf(set, address) !== undefined);
      const [asked] = position < 0 ? [] : wanted.splice(position, 1);
      return asked === undefined
        ? takeNext(store, set, index, owner)
        : takeRequested(store, set, index, owner, asked);
    });
    if (wanted.length > 0) {
      const missing = wanted.map(formatAddress).join(', ');
      throw new CniError(
        'invalidConfig',
        `requested ${missing}, which no range of \`ipam\` contains: ${sets.map(formatRangeSet).join('; ')}`,
      );
    }
    return given;
  } catch (error) {
    store.release(owner);
    throw error;
  }
}

/** ADD twice for one attachment is the runtime's error (SPEC.md section 2, ADD): the first one's addresses stay. */
function refuseSecond(store: Store, sets: readonly RangeSet[], owner: Required<Owner>): void {
  const held = store.held(owner).find((address) => sets.some((set) => rangeOf(set, address) !== undefined));
  if (held === undefined) return;
  throw new CniError(
    addressTaken,
    `${formatAddress(held)} has been allocated to container ${owner.containerId}, interface ${owner.ifname} already; DEL must come before another ADD`,
  );
}

function takeRequested(
  store: Store,
  set: RangeSet,
  index: number,
  owner: Required<Owner>,
  address: IpAddress,
): Allocation {
  const range = rangeOf(set, address);
  const text = formatAddress(address);
  if (range === undefined) throw new Error(`${text} was looked up in a range that does not contain it`);
  if (sameAddress(address, range.gateway)) {
    throw new CniError(
      'invalidConfig',
      `requested ${text} is the gateway of its subnet; ask for another address`,
    );
  }
  if (!store.reserve(address, owner, index)) {
    throw new CniError(addressTaken, `requested ${text} is taken by another container`);
  }
  return allocation({ address, range });
}

function takeNext(store: Store, set: RangeSet, index: number, owner: Required<Owner>): Allocation {
  let tries = 0;
  let taken: Set<string> | undefined;
  for (const candidate of candidates(set, store.lastReserved(index))) {
    if (++tries === triesBeforeListing) taken = store.taken();
    if (taken?.has(formatAddress(candidate.address))) continue;
    if (store.reserve(candidate.address, owner, index)) return allocation(candidate);
  }
  throw new CniError(
    noAddressLeft,
    `no address left in range set ${index}: ${formatRangeSet(set)}`,
    'free addresses by deleting containers, run GC for those that are gone, or configure a larger range',
  );
}

function allocation({ address, range }: Candidate): Allocation {
  return { address: { address, length: range.subnet.length }, gateway: range.gateway };
}

/** Whether the set could give out another address: counted from the files, so that a /64 costs no more. */
export function hasFreeAddress(store: Store, set: RangeSet): boolean {
  const taken = [...store.taken()].flatMap((name) => parseAddress(name) ?? []);
  return set.some((range) => {
    const gateway = inRange(range, range.gateway) ? 1n : 0n;
    const size = range.end.value - range.start.value + 1n - gateway;
    const used = taken.filter((address) => inRange(range, address) && !sameAddress(address, range.gateway));
    return BigInt(used.length) < size;
  });
}
