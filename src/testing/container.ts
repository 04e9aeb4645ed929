/** Containers as far as the network is concerned: a namespace bound under /run/netns. */
import { randomBytes } from 'node:crypto';
import { createNetns, removeNetns } from '../kernel/netns/netns.ts';
import { type Ended, type ProgramOptions, runProgram } from './program.ts';
import { requireSandbox } from './sandbox.ts';

/** A container: its id, and where its namespace is. Disposing it, or remove(), takes the namespace away. */
export interface Container extends Disposable {
  readonly id: string;
  /** The path of its namespace: CNI_NETNS. */
  readonly netns: string;
  remove(): void;
}

const containers = new Set<Container>();

/** Creates a container's namespace at /run/netns/NAME; the name is its id as well, 64 random hexadecimal digits if left out. */
export function createContainer(name: string = randomBytes(32).toString('hex')): Container {
  requireSandbox();
  const netns = `/run/netns/${name}`;
  createNetns(netns);
  const remove = () => {
    containers.delete(container);
    removeNetns(netns);
  };
  const container = { id: name, netns, remove, [Symbol.dispose]: remove };
  containers.add(container);
  return container;
}

/** Removes every container of this file that is still there: `afterEach(removeContainers)`. */
export function removeContainers(): void {
  for (const container of containers) container.remove();
}

/** The command that runs another one in a namespace; on the node itself where there is none. */
export function within(netns: string | undefined, argv: readonly string[]): readonly string[] {
  return netns === undefined ? argv : ['nsenter', `--net=${netns}`, '--', ...argv];
}

/** Runs a program in a namespace and returns how it ended. */
export function inNetns(netns: string, argv: readonly string[], options?: ProgramOptions): Promise<Ended> {
  return runProgram(within(netns, argv), options);
}
