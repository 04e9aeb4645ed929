/** Fairlead's plugins with `fairlead serve` running, beside the same ones without. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { type Contender, statFields } from './measure.ts';

const socket = '/run/fairlead/serve.sock';
const aside = `${socket}.aside`;

/** The contender, and its server, which ends with it. */
export interface Served extends Contender, Disposable {
  readonly pid: number;
}

/** Starts the server of `dist`, whose dist/served is called; it is found while its contender is measured. */
export async function startServed(dist: string): Promise<Served> {
  mkdirSync('/run/fairlead', { recursive: true });
  Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'mode=700', 'none', '/run/fairlead']);
  const server = Bun.spawn([`${dist}/fairlead`, 'serve'], { stdout: 'ignore', stderr: 'inherit' });
  while (!existsSync(socket)) {
    if (server.exitCode !== null) throw new Error('fairlead serve ended');
    await Bun.sleep(20);
  }
  renameSync(socket, aside);
  return {
    name: 'served',
    bin: `${dist}/served`,
    measured() {
      renameSync(aside, socket);
      return { [Symbol.dispose]: () => renameSync(socket, aside) };
    },
    pid: server.pid,
    serverUserMs: () => userMsOf(server.pid),
    [Symbol.dispose]: () => server.kill(),
  };
}

/** utime of proc_pid_stat(5): in ticks of 10 ms, so only the mean of many says something. */
function userMsOf(pid: number): number {
  return Number(statFields(pid)[11]) * 10;
}
