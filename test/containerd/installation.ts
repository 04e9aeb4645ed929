/** The places that containerd and ctr look in by themselves, /etc/cni/net.d and /opt/cni/bin, on the sandbox's node. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dist } from '../support/plugin.ts';
import { output } from '../support/program.ts';
import { requireSandbox } from '../support/sandbox.ts';

/** Lists are read from here by default. */
export const confDirectory = '/etc/cni/net.d';

/** Plugins are found here by default. */
export const defaultBinDirectory = '/opt/cni/bin';

/** Makes /opt an empty directory of the sandbox's own; on the machine it may hold anything. */
export async function mountOpt(): Promise<void> {
  requireSandbox();
  mkdirSync('/opt', { recursive: true });
  await output(['mount', '-t', 'tmpfs', 'fairlead', '/opt']);
}

/** Takes it away, with what is installed. */
export async function unmountOpt(): Promise<void> {
  await output(['umount', '--lazy', '/opt']);
}

/** Runs the executable that `npm run build` made. */
export function fairlead(...args: readonly string[]): Promise<string> {
  return output([`${dist}/fairlead`, ...args]);
}

/** Writes the only configuration list of the node. */
export function configure(conflist: object): void {
  rmSync(confDirectory, { recursive: true, force: true });
  mkdirSync(confDirectory, { recursive: true });
  writeFileSync(`${confDirectory}/10-pods.conflist`, JSON.stringify(conflist));
}
