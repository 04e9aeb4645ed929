/**
 * Taps: Ethernet interfaces whose other end is a program, a virtual machine most often, that opens /dev/net/tun
 * (linux/if_tun.h). They are read as links of kind `tun`, but cannot be made by rtnetlink (tun_validate, drivers/net/tun.c).
 */
import { bytesFromText, textFromBytes } from '../../lib/bytes.ts';
import { errnoNumber } from '../../lib/errno.ts';
import type { NetworkNamespace } from '../netns/netns.ts';
import { closeSync, constants } from '../sys/file.ts';
import { ioctl } from '../sys/ioctl.ts';
import { SystemError } from '../sys/libc.ts';

/** _IOW('T', 202…206, int): the encoding of x86 and ARM (asm-generic/ioctl.h). */
const requests = {
  TUNSETIFF: 0x4004_54ca,
  TUNSETPERSIST: 0x4004_54cb,
  TUNSETOWNER: 0x4004_54cc,
  TUNSETGROUP: 0x4004_54ce,
} as const;

const IFF_TAP = 0x0002;
const IFF_MULTI_QUEUE = 0x0100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const IFF_TUN_EXCL = 0x8000;

/** struct ifreq, linux/if.h: a name of up to 15 bytes and a NUL, then here the flags. */
const ifreqSize = 40;
const nameSize = 16;

/** The device by which taps are made and opened. */
export const tunDevice = '/dev/net/tun';

/** A tap to be made. */
export interface NewTap {
  readonly name: string;
  /** Several programs, or threads of one, may open it at once, each a queue of its own. */
  readonly multiQueue?: boolean | undefined;
  /** The user that may open it, and the group: numbers as this process's user namespace has them. Without both, everybody may. */
  readonly owner?: number | undefined;
  readonly group?: number | undefined;
}

/** Opens the device in a namespace, to which it then belongs for good (tun_chr_open). Returns the descriptor. Throws SystemError. */
export function openTunDevice(netns: NetworkNamespace): number {
  return netns.open(tunDevice, constants.O_RDWR);
}

/** Makes a tap, down, that stays when this process ends. Throws SystemError; EBUSY when there is a link of that name. */
export function createTap(netns: NetworkNamespace, tap: NewTap): void {
  const fd = openTunDevice(netns);
  try {
    createTapOn(fd, tap);
  } finally {
    closeSync(fd);
  }
}

/**
 * The same on a descriptor of openTunDevice, which is to be closed then. The tap is there for good with the last call
 * only, so that a process that is killed before leaves none.
 */
export function createTapOn(fd: number, { name, multiQueue, owner, group }: NewTap): void {
  makeTap(fd, name, multiQueue === true);
  const set = (what: string, request: keyof typeof requests, value: number) =>
    ioctl(`set ${what} of tap ${name}`, fd, requests[request], value);
  if (owner !== undefined) set(`the owner ${owner}`, 'TUNSETOWNER', owner);
  if (group !== undefined) set(`the group ${group}`, 'TUNSETGROUP', group);
  set('the persistence', 'TUNSETPERSIST', 1);
}

/** The flags but IFF_MULTI_QUEUE hold until a program opens the tap, which then says its own. */
function makeTap(fd: number, name: string, multiQueue: boolean): void {
  const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL | (multiQueue ? IFF_MULTI_QUEUE : 0);
  const request = new Uint8Array(ifreqSize);
  const bytes = bytesFromText(name);
  if (bytes.length >= nameSize) throw new SystemError(`create tap ${name}`, errnoNumber('ENAMETOOLONG'));
  request.set(bytes);
  new DataView(request.buffer).setUint16(nameSize, flags, true);
  ioctl(`create tap ${name}`, fd, requests.TUNSETIFF, request);
  const made = textFromBytes(request.subarray(0, nameSize)).replace(/\0.*/s, '');
  // A name with %d is a pattern to the kernel (dev_alloc_name). What was made goes with the descriptor.
  if (made !== name) throw new SystemError(`create tap ${name}`, errnoNumber('EINVAL'));
}
