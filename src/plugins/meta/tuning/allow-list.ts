/** The node's list of settings that configurations may change: one regular expression a line, as the reference reads it. */
import { CniError } from '../../../cni/index.ts';
import { readFileSync, statIfThere } from '../../../kernel/sys/file.ts';
import type { Sysctl } from './sysctls.ts';

/** Where an operator puts it. Without the file everything below `net.` is allowed. */
export const allowListPath = '/etc/cni/tuning/allowlist.conf';

/** Throws a `CniError` (7) for the first setting that the node's list does not allow, SystemError for a list that cannot be read. */
export function refuseForbidden(sysctls: readonly Sysctl[]): void {
  if (sysctls.length === 0 || statIfThere(allowListPath) === undefined) return;
  const patterns = readFileSync(allowListPath, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  for (const { key } of sysctls) {
    if (patterns.some((pattern) => allows(pattern, key))) continue;
    throw new CniError(
      'invalidConfig',
      `sysctl ${key} is not allowed on this node`,
      `${allowListPath} allows ${patterns.length === 0 ? 'none' : patterns.join(', ')}`,
    );
  }
}

/** Whether a line of the list matches a part of the name: without `^` and `$`, any part. */
export function allows(pattern: string, key: string): boolean {
  return expressionOf(pattern).test(key);
}

/** Go's regular expressions (RE2) are JavaScript's, but for some words. */
function expressionOf(pattern: string): RegExp {
  const [, flags = '', rest = pattern] = /^\(\?([ims]+)\)(.*)$/.exec(pattern) ?? [];
  const source = rest
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\[:(\w+):\]/g, (word, name: string) => classes[name] ?? word)
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$');
  try {
    return new RegExp(source, flags);
  } catch {
    throw new CniError(
      'invalidConfig',
      `${allowListPath} has a line that is no regular expression: ${pattern}`,
    );
  }
}

/** POSIX's classes, to stand in brackets. */
const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
};
