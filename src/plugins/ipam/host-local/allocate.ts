/** Choosing addresses: one of each range set, all or none. */
import { CniError } from '../../../cni/index.ts';
import { formatAddress, type IpAddress, type Prefix, parseAddress } from '../../../lib/ip.ts';
import {
  type Candidate,
  candidates,
  formatRangeSet,
  inRange,
  purposeOf,
  type RangeSet,
  rangeOf,
  sizeOf,
} from './range.ts';
import type { Owner } from './reservation.ts';
import type { Store } from './store.ts';

/** An address given out: with its subnet's length, and the subnet's gateway. */
export interface Allocation {
  readonly address: Prefix;
  readonly gateway: IpAddress;
}

/** "No address left" (a code of the plugin's own, SPEC.md section 5: 100 and above). */
const noAddressLeft = 100;
/** "That address is taken", or held by the same attachment already. */
const addressTaken = 101;

/** What an operator can do about that. */
export const exhaustedAdvice =
  'delete containers, run GC to free the addresses of those that are gone, or configure a larger range';

/** How many candidates are tried one by one before the store's list is read, which pays from there on. */
const triesBeforeListing = 128;

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
  const asked = assign(sets, requested);
  const given: Allocation[] = [];
  try {
    for (const [index, set] of sets.entries()) {
      const address = asked[index];
      given.push(
        address === undefined
          ? takeNext(store, set, index, owner)
          : takeRequested(store, set, index, owner, address),
      );
    }
    return given;
  } catch (error) {
    store.release(
      owner,
      given.map(({ address: { address } }) => address),
    );
    throw error;
  }
}

/** The address asked for of each set: the first one that lies in it. Each must find a set. */
function assign(
  sets: readonly RangeSet[],
  requested: readonly IpAddress[],
): readonly (IpAddress | undefined)[] {
  const left = [...requested];
  const asked = sets.map((set) => {
    const position = left.findIndex((address) => rangeOf(set, address) !== undefined);
    return position < 0 ? undefined : left.splice(position, 1)[0];
  });
  if (left.length === 0) return asked;
  throw new CniError(
    'invalidConfig',
    `requested ${left.map(formatAddress).join(', ')}, which no range of \`ipam\` has to give: ${sets.map(formatRangeSet).join('; ')}`,
    'one address is given of each range set',
  );
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
  const purpose = purposeOf(range, address);
  if (purpose !== undefined) {
    throw new CniError(
      'invalidConfig',
      `requested ${text} is ${purpose} of its subnet; ask for another address`,
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
    exhaustedAdvice,
  );
}

function allocation({ address, range }: Candidate): Allocation {
  return { address: { address, length: range.subnet.length }, gateway: range.gateway };
}

/** Whether the set could give out another address: counted from the files, so that a /64 costs no more. */
export function hasFreeAddress(store: Store, set: RangeSet): boolean {
  const taken = [...store.taken()].flatMap((name) => parseAddress(name) ?? []);
  return set.some((range) => {
    const used = taken.filter(
      (address) => inRange(range, address) && purposeOf(range, address) === undefined,
    );
    return BigInt(used.length) < sizeOf(range);
  });
}
