/**
 * Sending without waiting: an io_uring (io_uring_setup(2)) whose requests are done by threads of the kernel's. For a process
 * that stays: the end of one that has a request under way waits for it.
 */
import { load, ptr, toArrayBuffer } from './ffi.ts';
import { closeSync } from './file.ts';
import { setUpRing, submit } from './io-uring.ts';

/** linux/io_uring.h, as what follows. */
const sqeSize = 64;
const cqeSize = 16;
const IORING_OFF_SQES = 0x10000000;
const IORING_FEAT_SINGLE_MMAP = 1;
const IORING_OP_SEND = 26;
const IOSQE_ASYNC = 0x10;
/** struct io_uring_params: where the fields of both rings are, in the memory of the first. */
const fields = {
  features: 5,
  sqHead: 10,
  sqTail: 11,
  sqMask: 12,
  sqArray: 16,
  cqHead: 20,
  cqTail: 21,
  cqes: 25,
};
/** sys/mman.h; (void *) -1 as a number is 2^64, rounded. */
const [PROT_READ, PROT_WRITE, MAP_SHARED, MAP_POPULATE, MAP_FAILED] = [1, 2, 1, 0x8000, 2 ** 64];
/** As many sends may be under way that the kernel has not begun. */
const entries = 256;

/** Sends a datagram on a descriptor: false, and nothing done, where that is not possible just now. */
export type SendLater = (fd: number, datagram: Uint8Array) => boolean;

/** Opens a ring for sends; undefined where the kernel has no io_uring (before 5.6) or does not let this process use it. */
export function openSendRing(): SendLater | undefined {
  const { mmap } = load('libc.so.6', {
    mmap: { args: ['ptr', 'u64', 'i32', 'i32', 'i32', 'u64'], returns: 'ptr' },
  });
  const { ring, params } = setUpRing(entries);
  if (ring < 0) return undefined;
  const of = (field: keyof typeof fields) => params[fields[field]] ?? 0;
  if ((of('features') & IORING_FEAT_SINGLE_MMAP) === 0) return void closeSync(ring);
  const map = (size: number, offset: number) => {
    const address = mmap(null, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);
    return Number(address) === MAP_FAILED ? undefined : new Uint32Array(toArrayBuffer(address, 0, size));
  };
  const rings = map(Math.max(of('sqArray') + 4 * entries, of('cqes') + 2 * cqeSize * entries), 0);
  const requests = map(sqeSize * entries, IORING_OFF_SQES);
  if (rings === undefined || requests === undefined) return void closeSync(ring);
  /** What a thread of the kernel's has still to read stays where it is. */
  const kept: Uint8Array[] = [];
  const at = (field: keyof typeof fields, index = 0) => of(field) / 4 + index;
  const word = (place: number) => rings[place] ?? 0;

  return (fd, datagram) => {
    // What has ended is of no interest: the answer comes on the socket.
    rings[at('cqHead')] = word(at('cqTail'));
    const tail = word(at('sqTail'));
    if (tail - word(at('sqHead')) >= entries) return false;
    const index = tail & word(at('sqMask'));
    kept[index] = datagram;
    const sqe = new DataView(new ArrayBuffer(sqeSize));
    sqe.setUint8(0, IORING_OP_SEND);
    sqe.setUint8(1, IOSQE_ASYNC);
    sqe.setInt32(4, fd, true);
    sqe.setBigUint64(16, BigInt(ptr(datagram)), true);
    sqe.setUint32(24, datagram.length, true);
    requests.set(new Uint32Array(sqe.buffer), (index * sqeSize) / 4);
    rings[at('sqArray', index)] = index;
    rings[at('sqTail')] = tail + 1;
    return submit(ring, 1) === 1;
  };
}
