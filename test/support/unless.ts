/** Tests that a kernel or a machine may not be able to run: skipped by a reason that the runner prints. */
import { test } from 'bun:test';

/**
 * `test`, or where there is a reason against it `test.skip` with the reason in the name:
 * `testUnless(kernelHasSctp() ? undefined : 'this kernel has no SCTP')('sctp through portmap', …)`.
 */
export function testUnless(reason: string | undefined) {
  return (name: string, body: () => void | Promise<void>, timeoutMs?: number): void => {
    if (reason === undefined) test(name, body, timeoutMs);
    else test.skip(`${name} [skipped: ${reason}]`, body);
  };
}
