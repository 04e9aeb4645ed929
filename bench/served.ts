/** Fairlead's plugins with `fairlead serve` running, beside the same ones without. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import type { Contender } from './measure.ts';

const socket = '/run/fairlead/serve.sock';
const aside = `${socket}.aside`;

/** The contender, and its server, which ends with it. */
export interface Served extends Contender, Disposable {}

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
    [Symbol.dispose]: () => server.kill(),
  };
}
