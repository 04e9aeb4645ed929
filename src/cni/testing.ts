/** For tests of what fails. */
import { CniError } from './error.ts';

/** The `CniError` that `run` throws. Throws what else it throws, and if it throws nothing. */
export function errorOf(run: () => unknown): CniError {
  try {
    run();
  } catch (error) {
    if (error instanceof CniError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

/** As `errorOf`, of what may also be a promise. */
export async function rejectionOf(run: () => unknown): Promise<CniError> {
  let rejection: unknown;
  try {
    await run();
  } catch (error) {
    rejection = error;
  }
  return errorOf(() => {
    if (rejection !== undefined) throw rejection;
  });
}
