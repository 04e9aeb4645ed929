/** Running plugins as a runtime does, whole processes, and what to make of the times. */

/** A set of plugin executables to be measured. */
export interface Contender {
  readonly name: 'fairlead' | 'reference';
  /** The directory with the executables. */
  readonly bin: string;
}

/** One call of one plugin. */
export interface Call {
  readonly plugin: string;
  readonly command: 'ADD' | 'DEL';
  readonly containerId: string;
  readonly netns: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What a call took: wall time in milliseconds, peak memory in MiB, and what it printed. */
export interface Measured {
  readonly ms: number;
  readonly peakMiB: number;
  readonly output: string;
}

function environment(bin: string, call: Call): Record<string, string> {
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
  const stdin = Buffer.from(JSON.stringify(call.config));
  const start = Bun.nanoseconds();
  const child = Bun.spawnSync([`${contender.bin}/${call.plugin}`], {
    env: environment(contender.bin, call),
    stdin,
  });
  const ms = (Bun.nanoseconds() - start) / 1e6;
  const output = child.stdout.toString();
  if (child.exitCode !== 0) {
    throw new Error(`${contender.name} ${call.plugin} ${call.command}: ${output}${child.stderr.toString()}`);
  }
  return { ms, peakMiB: child.resourceUsage.maxRSS / 1024 / 1024, output };
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

/** A chain's ADD: each plugin's result is the next one's prevResult. Returns the sum of the processes' times. */
export function addChain(
  contender: Contender,
  plugins: readonly Readonly<Record<string, unknown>>[],
  call: Omit<Call, 'command' | 'plugin' | 'config'>,
): { readonly ms: number; readonly peakMiB: number; readonly result: unknown } {
  let result: unknown;
  let [ms, peakMiB] = [0, 0];
  for (const plugin of plugins) {
    const config = result === undefined ? plugin : { ...plugin, prevResult: result };
    const one = run(contender, { ...call, plugin: String(plugin['type']), command: 'ADD', config });
    ms += one.ms;
    peakMiB = Math.max(peakMiB, one.peakMiB);
    result = JSON.parse(one.output);
  }
  return { ms, peakMiB, result };
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

/** The middle of the values; half of them are above it. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
