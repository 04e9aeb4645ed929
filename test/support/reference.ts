/** The reference's plugins, for tests beside ours. */
import { existsSync } from 'node:fs';
import { testUnless } from './unless.ts';

/** Their directory: Debian's containernetworking-plugins, or others to be compared with by hand. */
export const reference = process.env.FAIRLEAD_REFERENCE ?? '/usr/lib/cni';

/** `test`, skipped with the reason where the reference's plugin is not there. */
export function testWithReference(plugin: string): ReturnType<typeof testUnless> {
  return testUnless(
    existsSync(`${reference}/${plugin}`) ? undefined : 'needs the package containernetworking-plugins',
  );
}

const ours = { whose: 'ours', call: {} };
const theirs = { whose: 'the reference’s', call: { binDirectory: reference } };

function exchange(first: typeof ours, second: typeof ours) {
  const name = `ADD by ${first.whose}, CHECK and DEL by ${second.whose}`;
  return { name, first: first.call, second: second.call };
}

/** One attaches and the other goes on, both ways round: for a test's name, and what each one's calls have more. */
export const exchanges = [exchange(ours, theirs), exchange(theirs, ours)];
