/** What a new plugin may be called. */
import { isPluginName } from '../../plugins/names.ts';
import { UsageError } from '../usage-error.ts';

/** What npm takes as a package's name and what is no trouble as a file name, a plugin's type and a network's name. */
const name = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const longest = 64;

/** Throws a `UsageError` for a name that no plugin can have. */
export function refuseName(text: string): void {
  if (!name.test(text) || text.length > longest) {
    throw new UsageError(
      `"${text}" cannot be a plugin's name`,
      `it must be lower-case letters and digits in words joined by "-", at most ${longest} characters, such as my-network`,
    );
  }
  if (text === 'fairlead' || isPluginName(text)) {
    throw new UsageError(`the name "${text}" is taken by Fairlead itself`, 'choose another one');
  }
}
