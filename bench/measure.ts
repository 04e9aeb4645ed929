/** Running plugins as a runtime does, whole processes, and what to make of the times. */
import { readFileSync } from 'node:fs';

/** A set of plugin executables to be measured. */
export interface Contender {
  readonly name: 'fairlead' | 'served' | 'reference';
  /** The directory with the executables. */
  readonly bin: string;
  /** Called before it is measured; what it returns is disposed of afterwards. */
  readonly measured?: () => Disposable;
  /** What another process, which does its calls, has computed so far outside the kernel, in milliseconds. */
  readonly serverUserMs?: () => number;
}

/** One call of one plugin. */
export interface Call {
  readonly plugin: string;
  readonly command: 'ADD' | 'DEL' | 'VERSION';
  readonly containerId: string;
  readonly netns: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What a call took, and what it printed. */
export interface Measured {
  /** Wall time in milliseconds, from its start to its end. */
  readonly ms: number;
  /** The time of a processor outside the kernel, in milliseconds. */
  readonly userMs: number;
  /** Page faults. */
  readonly faults: number;
  readonly output: string;
}

/** The environment that a runtime gives a plugin. */
export function environment(bin: string, call: Call): Record<string, string> {
  return {
    CNI_COMMAND: call.command,
    CNI_CONTAINERID: call.containerId,
    CNI_NETNS: call.netns,
    CNI_IFNAME: 'eth0',
    CNI_PATH: bin,
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  };
}

/** Runs one call and waits for it. A plugin that fails ends the bench: its time would mean nothing. */
export function run(contender: Contender, call: Call): Measured {
  const serverUserMs = contender.serverUserMs ?? (() => 0);
  const before = serverUserMs();
  const measured = runProcess(
    `${contender.bin}/${call.plugin}`,
    JSON.stringify(call.config),
    environment(contender.bin, call),
  );
  return { ...measured, userMs: measured.userMs + serverUserMs() - before };
}

/** Runs an executable that has to succeed. */
export function runProcess(path: string, input = '', env: Record<string, string> = {}): Measured {
  const stdin = Buffer.from(input);
  const faultsBefore = childrensFaults();
  const start = Bun.nanoseconds();
  const child = Bun.spawnSync([path], { env, stdin });
  const ms = (Bun.nanoseconds() - start) / 1e6;
  const output = child.stdout.toString();
  if (child.exitCode !== 0) {
    throw new Error(`${path} ${env['CNI_COMMAND'] ?? ''}: ${output}${child.stderr.toString()}`);
  }
  const userMs = Number(child.resourceUsage.cpuTime.user) / 1000;
  return { ms, userMs, faults: childrensFaults() - faultsBefore, output };
}

/** The page faults of all children that have ended: cminflt and cmajflt of proc_pid_stat(5). */
function childrensFaults(): number {
  const fields = statFields('self');
  return Number(fields[8]) + Number(fields[10]);
}

/** The fields of proc_pid_stat(5) from the third on, `state`. */
export function statFields(pid: number | 'self'): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Runs calls at once and returns the wall time of all, in milliseconds. */
export async function runAtOnce(contender: Contender, calls: readonly Call[]): Promise<number> {
  const start = Bun.nanoseconds();
  const exits = await Promise.all(
    calls.map(async (call) => {
      const child = Bun.spawn([`${contender.bin}/${call.plugin}`], {
        env: environment(contender.bin, call),
        stdin: Buffer.from(JSON.stringify(call.config)),
        stdout: 'pipe',
      });
      const [code, output] = await Promise.all([child.exited, new Response(child.stdout).text()]);
      return { code, output };
    }),
  );
  const failed = exits.find(({ code }) => code !== 0);
  if (failed !== undefined) throw new Error(`${contender.name}: ${failed.output}`);
  return (Bun.nanoseconds() - start) / 1e6;
}

/** A configuration as it is called with the result of the plugin before, if there is one. */
export function withResult(config: Call['config'], prevResult: unknown): Call['config'] {
  return prevResult === undefined ? config : { ...config, prevResult };
}

/** A chain's ADD: each plugin's result is the next one's prevResult. Returns the sum of the processes' times. */
export function addChain(
  contender: Contender,
  plugins: readonly Readonly<Record<string, unknown>>[],
  call: Omit<Call, 'command' | 'plugin' | 'config'>,
): { readonly ms: number; readonly result: unknown } {
  let result: unknown;
  let ms = 0;
  for (const plugin of plugins) {
    const config = withResult(plugin, result);
    const one = run(contender, { ...call, plugin: String(plugin['type']), command: 'ADD', config });
    ms += one.ms;
    result = JSON.parse(one.output);
  }
  return { ms, result };
}

/** A chain's DEL, backward, each with ADD's result. Returns the sum of the processes' times in milliseconds. */
export function delChain(
  contender: Contender,
  plugins: readonly Readonly<Record<string, unknown>>[],
  call: Omit<Call, 'command' | 'plugin' | 'config'>,
  result: unknown,
): number {
  let ms = 0;
  for (const plugin of plugins.toReversed()) {
    const config = { ...plugin, prevResult: result };
    ms += run(contender, { ...call, plugin: String(plugin['type']), command: 'DEL', config }).ms;
  }
  return ms;
}

/** The mean of the values: for what the kernel counts in steps that are larger than what is measured. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle of the values; half of them are above it. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
