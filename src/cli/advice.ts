import { messageOf } from '../cni/index.ts';
import { commands } from './commands/index.ts';
import type { CliIo } from './io.ts';
import { UsageError } from './usage-error.ts';

/** What to do about a failure, where that can be said without knowing more of it; otherwise empty. */
export function adviceFor(thrown: unknown, command: string, io: CliIo): string {
  if (thrown instanceof UsageError) {
    if (thrown.details !== '') return '';
    const known = commands.some(({ name }) => name === command);
    return known ? `see \`fairlead ${command} --help\`` : 'see `fairlead help`';
  }
  const refused = /\b(EACCES|EPERM)\b|permission denied|not permitted/i.test(messageOf(thrown));
  return refused && !io.isRoot ? 'run it as root' : '';
}
