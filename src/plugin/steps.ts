/** Steps of which each is tried, whatever becomes of the others: DEL, GC and CHECK go to their end. */
import { CniError, messageOf } from '../cni/index.ts';

/** A plugin's own error code for "not as ADD left it", which CHECK throws (SPEC.md section 5: 100 and above). */
export const differsCode = 102;

/** Runs every step; what fails is told once all are done, in one error with the first one's code. */
export async function runAll(steps: readonly (() => void | Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  const [first, ...others] = failures;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const code = first instanceof CniError ? first.code : 'internal';
  throw new CniError(code, messageOf(first), others.map(messageOf).join('; '));
}

/** For CHECK: throws a `CniError` (102) that names every problem, if there is any. */
export function refuseProblems(problems: readonly string[]): void {
  const [first, ...others] = problems;
  if (first !== undefined) throw new CniError(differsCode, first, others.join('; '));
}
