/** What this executable is by the name `fairlead-tap`: the process that makes a tap for labelled.ts. */
import { SystemError } from '../../../kernel/sys/libc.ts';
import { createTapOn, type NewTap } from '../../../kernel/tap/tap.ts';

/** The descriptor on which it gets /dev/net/tun, open. */
export const tunDescriptor = 3;

/** What it answers: an empty object, or the call that failed. */
export interface TapMakerAnswer {
  readonly operation?: string;
  readonly errno?: number;
}

/** Makes the tap that its argument describes. Returns its answer as JSON. */
export function makeTapAsAsked(argument = ''): string {
  try {
    createTapOn(tunDescriptor, JSON.parse(argument) as NewTap);
    return '{}';
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const { operation, errno } = error;
    return JSON.stringify({ operation, errno } satisfies TapMakerAnswer);
  }
}
