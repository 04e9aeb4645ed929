/** The memory of processes at its peak. */
import { closeSync, constants, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { createNetns, removeNetns } from '../src/kernel/netns/netns.ts';
import { type Call, type Contender, delChain, environment, withResult } from './measure.ts';
import type { Config } from './networks.ts';

/** The largest resident set of the processes of a chain's ADD, in MiB. */
export async function peakMemory(
  contender: Contender,
  plugins: readonly Config[],
  scratch: string,
): Promise<number> {
  const netns = `${scratch}/ns`;
  createNetns(netns);
  const call = { containerId: 'memory', netns };
  let peak = 0;
  let result: unknown;
  try {
    for (const plugin of plugins) {
      const config = withResult(plugin, result);
      const one = await runUntilPrinting(
        contender,
        { ...call, plugin: String(plugin['type']), command: 'ADD', config },
        scratch,
      );
      peak = Math.max(peak, one.peakMiB);
      result = JSON.parse(one.output);
    }
    delChain(contender, plugins, call, result);
    return peak;
  } finally {
    removeNetns(netns);
  }
}

/** The largest resident set that a process has had, in MiB. */
export function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/**
 * Looks at a process while it waits to print its result, since there is no room: when it has ended, wait4(2) would say
 * how large its parent was, if that was larger (exec_mmap, fs/exec.c).
 */
async function runUntilPrinting(
  contender: Contender,
  call: Call,
  scratch: string,
): Promise<{ readonly peakMiB: number; readonly output: string }> {
  const fifo = `${scratch}/full`;
  Bun.spawnSync(['mkfifo', fifo]);
  // Two descriptions, since the plugin's runtime decides whether its own blocks.
  const output = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const input = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    const filler = new Uint8Array(4096);
    whileReady(() => writeSync(input, filler));
    const child = Bun.spawn([`${contender.bin}/${call.plugin}`], {
      env: environment(contender.bin, call),
      stdin: Buffer.from(JSON.stringify(call.config)),
      stdout: input,
    });
    await Bun.sleep(200);
    const peakMiB = peakOf(child.pid);
    const first = textIn(output);
    const exitCode = await child.exited;
    const text = `${first}${textIn(output)}`.replaceAll('\0', '');
    if (exitCode !== 0) throw new Error(`${call.plugin}: ${text}`);
    return { peakMiB, output: text };
  } finally {
    closeSync(input);
    closeSync(output);
    rmSync(fifo);
  }
}

function textIn(fd: number): string {
  const bytes = Buffer.alloc(4096);
  let text = '';
  whileReady(() => {
    text += bytes.toString('latin1', 0, readSync(fd, bytes));
  });
  return text;
}

/** Until there is nothing to read, or no more room. */
function whileReady(act: () => void): void {
  try {
    for (;;) act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
}
