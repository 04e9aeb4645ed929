/** What several rules look for in an answer. */
import { type Answer, codeOf, describe, excerpt } from './bench.ts';
import { Broken, NotTried } from './rule.ts';

/** The call has to succeed. */
export function succeeds(answer: Answer, what: string): void {
  if (answer.failed) throw new Broken(`${what}: ${describe(answer)}`, 'exit code 0 and no error');
}

/** The call has to fail, in whatever way. */
export function fails(answer: Answer, what: string, why: string): void {
  if (!answer.failed) throw new Broken(`${what}: ${describe(answer)}`, `an error: ${why}`);
}

/** The call has to fail with one of these codes. A failure without an error object is for the rule `error-object` to find. */
export function failsWithCode(answer: Answer, codes: readonly number[], what: string): void {
  const expected = `an error with code ${codes.join(' or ')}`;
  if (!answer.failed) throw new Broken(`${what}: ${describe(answer)}`, expected);
  const code = codeOf(answer);
  if (code === undefined) throw new NotTried(`${what} fails without an error code (rule error-object)`);
  if (!codes.includes(code)) throw new Broken(`${what}: ${describe(answer)}`, expected);
}

/** Nothing may be printed on standard output. */
export function silent(stdout: string, what: string): void {
  if (stdout.trim() !== '')
    throw new Broken(`${what} printed ${excerpt(stdout)}`, 'nothing on standard output');
}
