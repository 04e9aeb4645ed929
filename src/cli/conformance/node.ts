/**
 * A node for plugins to work on, that is not the machine's own: this process moves into network and mount namespaces
 * of its own, and the plugins that it starts with it. Directories where plugins keep their state are empty there.
 * A process that has done so does not go back; the kernel takes everything down when it ends.
 */
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { NETLINK_ROUTE, openConnection, rtnetlink } from '../../kernel/index.ts';
import { createNetns, removeNetns } from '../../kernel/netns/netns.ts';
import { mount, SystemError, unmount, unshare } from '../../kernel/sys/libc.ts';

/** CLONE_NEW* (linux/sched.h), MS_* (linux/mount.h), MNT_DETACH (umount(2)). */
const CLONE_NEWNET = 0x4000_0000;
const CLONE_NEWNS = 0x0002_0000;
const MS_REC_PRIVATE = 0x4000 | (1 << 18);
const MNT_DETACH = 2;

/** Where plugins keep state: namespaces, host-local's and dhcp's own, that of ours, libcni's cache. */
const stateDirectories = ['/run/netns', '/run/cni', '/run/fairlead', '/var/lib/cni', '/var/lib/fairlead'];

/** The node that this process is on now. */
export interface Node {
  /** Makes the node anew: no link but lo, no state. What was on the node before ends with the last that holds it. */
  renew(): void;
  /** Removes the directories that had to be made on the machine to mount on. */
  close(): void;
}

/** Moves this process to a node of its own, for good. Throws SystemError (EPERM: root is needed). */
export function moveToOwnNode(): Node {
  unshare(CLONE_NEWNS | CLONE_NEWNET);
  mount('none', '/', 'none', MS_REC_PRIVATE);
  const made = stateDirectories.filter((path) => !existsSync(path));
  for (const path of made) mkdirSync(path, { recursive: true });
  for (const path of stateDirectories) mount('none', path, 'tmpfs', 0);
  return {
    renew: () => {
      unshare(CLONE_NEWNET);
      for (const path of stateDirectories) {
        unmount(path, MNT_DETACH);
        mount('none', path, 'tmpfs', 0);
      }
      freshSys();
      onNode((connection) => rtnetlink.changeLink(connection, 'lo', { up: true }));
    },
    close: () => {
      for (const path of stateDirectories) unmount(path, MNT_DETACH);
      for (const path of made) removeEmpty(path);
    },
  };
}

let sysIsFresh = false;

/** /sys shows the links of the namespace that it was mounted in. Not every machine lets it be mounted. */
function freshSys(): void {
  try {
    if (sysIsFresh) unmount('/sys', MNT_DETACH);
    sysIsFresh = false;
    mount('sysfs', '/sys', 'sysfs', 0);
    sysIsFresh = true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Something else has used it meanwhile.
  }
}

/** Runs something with a connection to the node's namespace. */
export function onNode<T>(call: (connection: ReturnType<typeof openConnection>) => T): T {
  const connection = openConnection(NETLINK_ROUTE);
  try {
    return call(connection);
  } finally {
    connection.close();
  }
}

/** A container, as far as the network is concerned. */
export interface Container {
  readonly id: string;
  /** The path of its namespace. */
  readonly netns: string;
  /** Takes the namespace away, as a runtime or a reboot does. */
  removeNamespace(): void;
}

/** Makes a container's namespace, lo down. */
export function createContainer(id: string): Container {
  const netns = `/run/netns/${id}`;
  createNetns(netns);
  return { id, netns, removeNamespace: () => removeNetns(netns) };
}
