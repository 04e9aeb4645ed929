import { CniError, type ErrorCodeName } from './error.ts';

/** The most problems that one error tells: who has corrected twenty asks again. */
const mostTold = 20;

/**
 * One error of several problems: the first is its message, after `before`; the others are its details, with their
 * number where they are too many.
 */
export function oneError<P>(
  code: ErrorCodeName,
  problems: readonly P[],
  describe: (problem: P) => string,
  before = '',
): CniError {
  const [first = '', ...others] = problems.slice(0, mostTold).map(describe);
  const more = problems.length - mostTold;
  return new CniError(
    code,
    before + first,
    [...others, ...(more > 0 ? [`and ${more} more`] : [])].join('; '),
  );
}
