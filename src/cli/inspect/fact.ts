/** What `inspect` says of an attachment: one thing a fact, as configured beside as found. */

/** How what was found stands to what was configured; `also` was not configured, and may be anybody's. */
export type FactState = 'same' | 'missing' | 'differs' | 'also';

/** One thing. */
export interface Fact {
  readonly group: 'links' | 'addresses' | 'routes' | 'settings' | 'reservations' | 'nftables' | 'check';
  /** Its name: `address on eth0`. */
  readonly what: string;
  /** As ADD made it; empty for what nobody asked for. */
  readonly configured: string;
  /** As it is; empty where there is none. */
  readonly found: string;
  readonly state: FactState;
}

/** Whether a fact is a difference. */
export function isDifference({ state }: Fact): boolean {
  return state === 'missing' || state === 'differs';
}

/** A fact about something that was configured. `isRight` says whether what was found is so, not whether the texts are alike. */
export function compared(
  fact: Pick<Fact, 'group' | 'what' | 'configured'>,
  found: string | undefined,
  isRight = true,
): Fact {
  if (found === undefined) return { ...fact, found: '', state: 'missing' };
  return { ...fact, found, state: isRight ? 'same' : 'differs' };
}

/** A fact about something that is there without having been asked for. */
export function also(group: Fact['group'], what: string, found: string): Fact {
  return { group, what, configured: '', found, state: 'also' };
}
