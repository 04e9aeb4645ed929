/** A plugin's kernel calls, one after the other: killed before each, or answered with an error in place of the kernel's. */
// packages: strace
import { readFileSync, rmSync } from 'node:fs';
import { type PluginCall, type PluginEnded, runPlugin } from '../support/plugin.ts';

/** Calls by which a plugin changes files, and those that open them. */
const calls = [
  'openat',
  'mkdir',
  'mkdirat',
  'link',
  'linkat',
  'rename',
  'renameat',
  'renameat2',
  'unlink',
  'unlinkat',
  'rmdir',
  'utimensat',
  'write',
  'pwrite64',
  'flock',
];

const trace = '/run/strace.out';

/** Strace(1) of the main thread, which makes all the calls that matter. */
function strace(...options: readonly string[]): readonly string[] {
  return ['strace', '-qq', '-y', '-o', trace, '-e', `trace=${calls.join(',')}`, ...options];
}

/** One call to break: which one it is, counted among those of its name, and how strace wrote it. */
export interface CallToBreak {
  readonly name: string;
  readonly when: number;
  readonly text: string;
}

/** Runs a plugin and returns its calls, in order, from the first on that has to do with `from`, its answer's left out. */
export async function callsOf(call: PluginCall, from: string): Promise<readonly CallToBreak[]> {
  const { exitCode, stdout, stderr } = await runPlugin({ ...call, under: strace() });
  if (exitCode !== 0) throw new Error(`${call.plugin} ${call.command} under strace: ${stdout}${stderr}`);
  const lines = readFileSync(trace, 'utf8').trim().split('\n');
  rmSync(trace);
  const seen = new Map<string, number>();
  const all = lines.map((text): CallToBreak => {
    const name = text.slice(0, text.indexOf('('));
    const when = (seen.get(name) ?? 0) + 1;
    seen.set(name, when);
    return { name, when, text };
  });
  const start = all.findIndex(({ text }) => text.includes(from));
  if (start < 0) throw new Error(`no call has to do with ${from}:\n${lines.join('\n')}`);
  return all.slice(start).filter(({ text }) => !text.startsWith('write(1<'));
}

/** Runs a plugin in which that call is not made: the process is killed before it (`KILL`), or it fails with an error. */
export function broken(call: PluginCall, { name, when }: CallToBreak, how: string): Promise<PluginEnded> {
  const fault = how === 'KILL' ? 'signal=KILL' : `error=${how}`;
  return runPlugin({ ...call, under: strace('-e', `inject=${name}:${fault}:when=${when}`) });
}
