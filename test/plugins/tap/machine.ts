/**
 * The program at the other end of a tap, as a virtual machine is one: it opens the tap and is a host there, with a
 * hardware address and one address of each family, which answers ARP, neighbour solicitations and echo requests. Run by
 * Bun in the tap's namespace, a process each:
 *
 *     machine.ts NAME QUEUES UID GID IP4 IP6
 *
 * It becomes the user and the group, opens the tap QUEUES times (more than once: as multi-queue), and says `open`, or
 * the name of the error by which the kernel refused; then, for each frame that it answered, `QUEUE KIND`, until it is killed.
 */
import { dlopen, FFIType, ptr, read } from 'bun:ffi';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { errnoName } from '../../../src/lib/errno.ts';
import { addressToBytes, parseAddress } from '../../../src/lib/ip.ts';
import { macToBytes } from '../../../src/lib/mac.ts';

const { i32, u32, u64, ptr: pointer } = FFIType;
const { symbols: libc } = dlopen('libc.so.6', {
  ioctl: { args: [i32, u64, pointer], returns: i32 },
  setgroups: { args: [u64, pointer], returns: i32 },
  setresgid: { args: [u32, u32, u32], returns: i32 },
  setresuid: { args: [u32, u32, u32], returns: i32 },
  __errno_location: { args: [], returns: pointer },
});

/** linux/if_tun.h. */
const TUNSETIFF = 0x4004_54ca;
const [IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE] = [0x0002, 0x1000, 0x0100];

/** Its hardware address. */
export const machineMac = '02:00:00:00:00:99';

/** Says something at once. */
const say = (line: string) => writeSync(1, `${line}\n`);

/** Opens a queue of the tap; the file was opened before the user changed, as a world-writable /dev/net/tun would allow. */
function attach(fd: number, name: string, flags: number): void {
  const request = new Uint8Array(40);
  request.set(new TextEncoder().encode(name));
  new DataView(request.buffer).setUint16(16, flags, true);
  if (libc.ioctl(fd, TUNSETIFF, ptr(request)) === 0) return;
  say(errnoName(read.i32(libc.__errno_location() as never, 0)));
  process.exit(0);
}

function become(uid: number, gid: number): void {
  if (libc.setgroups(0, null) + libc.setresgid(gid, gid, gid) + libc.setresuid(uid, uid, uid) !== 0)
    throw new Error(`cannot become ${uid}:${gid}`);
}

/** The Internet checksum (RFC 1071) of bytes and of a sum of others. */
function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let at = 0; at < bytes.length; at++) sum += (bytes[at] ?? 0) << (at % 2 === 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const same = (a: Uint8Array, b: Uint8Array) => a.toHex() === b.toHex();

/** A host's answers, whatever its addresses. */
function hostOf(mac: Uint8Array, ip4: Uint8Array, ip6: Uint8Array) {
  /** The frame back to where one came from. */
  const back = (frame: Buffer, payload: Uint8Array) =>
    Buffer.concat([frame.subarray(6, 12), mac, frame.subarray(12, 14), payload]);

  const answerArp = (frame: Buffer) => {
    const body = Buffer.from(frame.subarray(14, 42));
    if (body.readUInt16BE(6) !== 1 || !same(body.subarray(24, 28), ip4)) return undefined;
    body.writeUInt16BE(2, 6);
    body.set(body.subarray(8, 18), 18);
    body.set(mac, 8);
    body.set(ip4, 14);
    return ['arp', back(frame, body)] as const;
  };

  const answerEcho4 = (frame: Buffer) => {
    const packet = Buffer.from(frame.subarray(14, 14 + frame.readUInt16BE(16)));
    if (packet[9] !== 1 || packet[20] !== 8 || !same(packet.subarray(16, 20), ip4)) return undefined;
    if (checksum(packet.subarray(20)) !== 0) return undefined;
    packet.set(packet.subarray(12, 16), 16);
    packet.set(ip4, 12);
    packet[20] = 0;
    packet.writeUInt16BE(0, 22);
    packet.writeUInt16BE(checksum(packet.subarray(20)), 22);
    return ['echo', back(frame, packet)] as const;
  };

  /** ICMPv6 (RFC 4443): with the pseudo-header's sum. */
  const icmp6 = (to: Uint8Array, message: Buffer, kind: string, frame: Buffer) => {
    const header = Buffer.from(frame.subarray(14, 54));
    header.writeUInt16BE(message.length, 4);
    header.set(ip6, 8);
    header.set(to, 24);
    const pseudo = Buffer.concat([
      ip6,
      to,
      Buffer.from([0, 0, message.length >> 8, message.length & 255, 0, 0, 0, 58]),
    ]);
    message.writeUInt16BE(0, 2);
    message.writeUInt16BE(checksum(message, ~checksum(pseudo) & 0xffff), 2);
    return [kind, back(frame, Buffer.concat([header, message]))] as const;
  };

  const answer6 = (frame: Buffer) => {
    const [source, message] = [frame.subarray(22, 38), Buffer.from(frame.subarray(54))];
    if (frame[20] !== 58) return undefined;
    if (message[0] === 128 && same(frame.subarray(38, 54), ip6)) {
      message[0] = 129;
      return icmp6(source, message, 'echo6', frame);
    }
    if (message[0] !== 135 || !same(message.subarray(8, 24), ip6)) return undefined;
    // A neighbour advertisement, solicited, with the target's hardware address.
    const advertisement = Buffer.concat([
      Buffer.from([136, 0, 0, 0, 0x60, 0, 0, 0]),
      ip6,
      Buffer.from([2, 1]),
      mac,
    ]);
    return icmp6(source, advertisement, 'neighbour', frame);
  };

  return (frame: Buffer) => {
    const type = frame.readUInt16BE(12);
    if (type === 0x0806) return answerArp(frame);
    if (type === 0x0800) return answerEcho4(frame);
    return type === 0x86dd ? answer6(frame) : undefined;
  };
}

/** One frame, if one is there. */
function receive(fd: number): Buffer | undefined {
  const buffer = Buffer.alloc(65_536);
  try {
    return buffer.subarray(0, readSync(fd, buffer));
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EAGAIN') return undefined;
    // Somebody deleted the tap.
    if (code === 'EBADFD') process.exit(0);
    throw error;
  }
}

async function main(): Promise<void> {
  const [name = '', queues = '1', uid, gid, ip4 = '', ip6 = ''] = process.argv.slice(2);
  const flags = constants.O_RDWR | constants.O_NONBLOCK;
  const fds = Array.from({ length: Number(queues) }, () => openSync('/dev/net/tun', flags));
  become(Number(uid), Number(gid));
  for (const fd of fds) attach(fd, name, IFF_TAP | IFF_NO_PI | (fds.length > 1 ? IFF_MULTI_QUEUE : 0));
  process.on('exit', () => fds.forEach(closeSync));
  const bytes = (text: string) => {
    const address = parseAddress(text);
    if (address === undefined) throw new Error(`${text} is no address`);
    return addressToBytes(address);
  };
  const answer = hostOf(macToBytes(machineMac), bytes(ip4), bytes(ip6));
  say('open');
  for (;;) {
    let idle = true;
    for (const [queue, fd] of fds.entries()) {
      const frame = receive(fd);
      if (frame === undefined) continue;
      idle = false;
      const [kind, reply] = answer(frame) ?? [];
      if (reply === undefined) continue;
      writeSync(fd, reply);
      say(`${queue} ${kind}`);
    }
    if (idle) await Bun.sleep(1);
  }
}

if (import.meta.main) await main();
