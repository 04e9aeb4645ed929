/**
 * A node for plugins to work on, that is not the machine's own: this process moves into network and mount namespaces
 * of its own, and the plugins that it starts with it. Directories where plugins keep their state are empty there.
 * A process that has done so does not go back; the kernel takes everything down when it ends.
 */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { NETLINK_ROUTE, openConnection, rtnetlink } from '../../kernel/index.ts';
import { createNetns, removeNetns } from '../../kernel/netns/netns.ts';
import { mount, SystemError, unmount, unshare } from '../../kernel/sys/libc.ts';
import { nodeLink } from './defaults.ts';

/** CLONE_NEW* (linux/sched.h), MS_* (linux/mount.h), MNT_DETACH (umount(2)). */
const CLONE_NEWNET = 0x4000_0000;
const CLONE_NEWNS = 0x0002_0000;
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_PRIVATE = 1 << 18;
const MNT_DETACH = 2;

/** Where plugins keep state, by the directory above: namespaces, the stores of host-local and dhcp, ours, libcni's cache. */
const stateDirectories = { '/run': ['netns', 'cni', 'fairlead'], '/var/lib': ['cni', 'fairlead'] } as const;
const statePaths = Object.entries(stateDirectories).flatMap(([parent, names]) =>
  names.map((name) => `${parent}/${name}`),
);

/** Moves this process to a node of its own, for good. Throws SystemError (EPERM: root is needed). */
export function moveToOwnNode(): void {
  unshare(CLONE_NEWNS | CLONE_NEWNET);
  mount('none', '/', 'none', MS_REC | MS_PRIVATE);
  for (const [parent, names] of Object.entries(stateDirectories)) shadow(parent, names);
  for (const path of statePaths) mount('none', path, 'tmpfs', 0);
}

/** Makes the node anew: lo, a link that stands for the network card, and no state. Old namespaces end with their last user. */
export function renewNode(): void {
  unshare(CLONE_NEWNET);
  for (const path of statePaths) {
    unmount(path, MNT_DETACH);
    mount('none', path, 'tmpfs', 0);
  }
  freshSys();
  const connection = openConnection(NETLINK_ROUTE);
  try {
    const peer = { name: `${nodeLink}-peer` };
    rtnetlink.changeLink(connection, 'lo', { up: true });
    rtnetlink.createLink(connection, { kind: 'veth', name: nodeLink, up: true, data: { peer } });
    rtnetlink.changeLink(connection, peer.name, { up: true });
  } finally {
    connection.close();
  }
}

/**
 * Puts a directory of this process's own over one of the machine's: everything in it is the machine's, but the given
 * directories, which are new. So nothing has to be made on the machine to mount on.
 */
function shadow(parent: string, emptied: readonly string[]): void {
  const fd = openSync(parent, 'r');
  try {
    mount('none', parent, 'tmpfs', 0);
    const behind = `/proc/self/fd/${fd}`;
    for (const name of emptied) mkdirSync(`${parent}/${name}`);
    for (const name of readdirSync(behind)) {
      if (!emptied.includes(name)) showThrough(`${behind}/${name}`, `${parent}/${name}`);
    }
  } finally {
    closeSync(fd);
  }
}

function showThrough(source: string, target: string): void {
  const stat = lstatSync(source, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isSymbolicLink()) {
    symlinkSync(readlinkSync(source), target);
    return;
  }
  if (stat.isDirectory()) mkdirSync(target);
  else writeFileSync(target, '');
  mount(source, target, 'none', MS_BIND | MS_REC);
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
