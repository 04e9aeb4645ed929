import { CniError, errorCodes, toCniError } from './error.ts';

/**
 * Runs what answers STATUS: an error that has no code of its own becomes 50, which says that ADD would fail
 * (SPEC.md section 2, STATUS). 51, which says that containers attached already have less than they should, stays.
 */
export async function asUnavailable(status: () => Promise<void>): Promise<void> {
  try {
    await status();
  } catch (thrown) {
    const { code, msg, details } = toCniError(thrown);
    throw new CniError(code === errorCodes.internal ? 'pluginNotAvailable' : code, msg, details);
  }
}
