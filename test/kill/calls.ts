/**
 * The kernel calls of a plugin's process that can change something, and killing it on entry to one of them, by
 * strace(1). A call at whose entry the process is killed is not made, so killing at every one in turn, and at the end, is
 * killing after every one in turn.
 */
import { readFileSync, rmSync } from 'node:fs';
import { type PluginCall, runPlugin } from '../support/plugin.ts';
import { changesSomething, harmlessCalls, lookingCalls } from './changing.ts';

/** What the runtime does on its way to standard input, and how it looks at its memory and its limits at any time. */
const ofStart =
  /^(execve|arch_prctl|set_tid_address|set_robust_list|close|close_range|ioctl|fcntl)\b|O_RDONLY/;
const ofRuntime = /["<]\/proc\/(self|\d+)\/|\/sys\/fs\/cgroup/;
const ofInput = /^read\(0</;

/** One call: the how-manyth of its name among the plugin's own and, as strace counts, among all; and how strace wrote it. */
export interface Call {
  readonly id: string;
  readonly name: string;
  readonly when: number;
  readonly text: string;
}

/** The how-manyth call of its name it is among the plugin's own. */
export function position({ id }: Call): number {
  return Number(id.split(' ')[1]);
}

let traces = 0;

/** Runs a plugin under strace: how it ended, and the lines of strace. */
async function traced(call: PluginCall, trace: string, ...options: readonly string[]) {
  const file = `/run/strace.${traces++}`;
  const output = ['-o', file, '-e', `trace=${trace}`, '-e', 'signal=none'];
  const ended = await runPlugin({
    ...call,
    under: ['strace', '-qq', '-y', '-s', '80', ...output, ...options],
  });
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  rmSync(file);
  return { ...ended, lines };
}

/** The calls in lines of one thread: all, then those that are the plugin's own. */
function parse(lines: readonly string[]): readonly Call[] {
  const seen = new Map<string, number>();
  const count = (key: string) => {
    const next = (seen.get(key) ?? 0) + 1;
    seen.set(key, next);
    return next;
  };
  return lines.flatMap((text) => {
    const name = /^(\w+)\(/.exec(text)?.[1];
    if (name === undefined) return [];
    const when = count(name);
    if (name === 'read' || ofRuntime.test(text)) return [];
    return [{ id: `${name} ${count(`own ${name}`)}`, name, when, text }];
  });
}

/**
 * The calls of a plugin that succeeds that can change something, from its input to its end, and its end. Those before
 * only open files to read; all are the main thread's, because the runtime's other threads make none. @throws Error where that is not so
 */
export async function callsOf(call: PluginCall): Promise<readonly Call[]> {
  return callsIn(await linesOf(call, harmlessCalls)).filter(({ text }) => changesSomething(text));
}

/** All its calls but those that only look, whether they can change something or not. */
export async function everyCallOf(call: PluginCall): Promise<readonly Call[]> {
  return callsIn(await linesOf(call, lookingCalls));
}

/** The lines of `strace -f` of a plugin that succeeds. */
async function linesOf(call: PluginCall, without: readonly string[]): Promise<readonly string[]> {
  const { exitCode, stdout, stderr, lines } = await traced(call, `!${without.join(',')}`, '-f');
  if (exitCode !== 0) throw new Error(`${call.plugin} ${call.command} under strace: ${stdout}${stderr}`);
  return lines;
}

/** The calls after the input, in such lines. */
export function callsIn(lines: readonly string[]): readonly Call[] {
  // Where threads' calls overlap, strace writes the beginning of one and later its end, which says nothing new.
  // What it cannot name was not made: the process ended while that thread was on its way into the kernel.
  const begun = lines.filter((line) => !/^\d+ +(?:<\.\.\. |\?+\( <unfinished \.\.\.>$)/.test(line));
  const main = `${/^\d+/.exec(begun[0] ?? '')?.[0]} `;
  const textOf = (line: string) => line.replace(/^\d+ +/, '');
  const own = begun.filter((line) => line.startsWith(main)).map(textOf);
  const others = begun.filter((line) => !line.startsWith(main)).map(textOf);
  const input = own.findIndex((line) => ofInput.test(line));
  const usual = (line: string) => [ofStart, /^read\(/].some((pattern) => pattern.test(line));
  const strange = [...own.slice(0, input), ...others].filter((line) => !usual(line));
  if (input < 0 || strange.length > 0) {
    throw new Error(`calls before the input, or of other threads:\n${strange.join('\n')}`);
  }
  return parse(own).slice(parse(own.slice(0, input)).length);
}

/** Kills a plugin on entry to the call that strace counts as `when`: the call that it was; undefined where it ended before. */
export function killAt(call: PluginCall, name: string, when: number): Promise<Call | undefined> {
  return lastCall(call, name, `signal=KILL:when=${when}`);
}

/**
 * Lets a plugin stand still on entry to that call for some milliseconds, for someone else to kill it meanwhile. Returns
 * the same when they are over: strace waits for their end.
 */
export function standAt(call: PluginCall, name: string, when: number, ms: number): Promise<Call | undefined> {
  return lastCall(call, name, `delay_enter=${ms}ms:when=${when}`);
}

async function lastCall(call: PluginCall, name: string, injection: string): Promise<Call | undefined> {
  const { exitCode, lines } = await traced(call, name, '-e', `inject=${name}:${injection}`);
  return exitCode === 137 ? parse(lines).at(-1) : undefined;
}
