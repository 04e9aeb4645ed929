/** Reading and writing the kernel's structures: host byte order (little on every machine Bun runs on) unless said. */

/** A message that is not what its own lengths say, or a value that does not fit its field. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

/** An output buffer that grows. */
export interface Writer {
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  u64(value: bigint): void;
  be16(value: number): void;
  be32(value: number): void;
  be64(value: bigint): void;
  bytes(value: Uint8Array): void;
  zeros(count: number): void;
  /** Bytes written so far; also the offset of what is written next. */
  position(): number;
  /** Overwrites two bytes written before: a length that is known only now. */
  patchU16(offset: number, value: number): void;
  patchU32(offset: number, value: number): void;
  finish(): Uint8Array<ArrayBuffer>;
}

/** Makes an empty writer. */
export function createWriter(): Writer {
  let buffer = new Uint8Array(512);
  let view = new DataView(buffer.buffer);
  let used = 0;

  const reserve = (count: number): number => {
    const offset = used;
    used += count;
    if (used > buffer.length) {
      const larger = new Uint8Array(Math.max(used, buffer.length * 2));
      larger.set(buffer);
      buffer = larger;
      view = new DataView(buffer.buffer);
    }
    return offset;
  };

  return {
    u8: (value) => {
      const at = reserve(1);
      view.setUint8(at, value);
    },
    u16: (value) => {
      const at = reserve(2);
      view.setUint16(at, value, true);
    },
    u32: (value) => {
      const at = reserve(4);
      view.setUint32(at, value, true);
    },
    u64: (value) => {
      const at = reserve(8);
      view.setBigUint64(at, value, true);
    },
    be16: (value) => {
      const at = reserve(2);
      view.setUint16(at, value, false);
    },
    be32: (value) => {
      const at = reserve(4);
      view.setUint32(at, value, false);
    },
    be64: (value) => {
      const at = reserve(8);
      view.setBigUint64(at, value, false);
    },
    bytes: (value) => {
      const at = reserve(value.length);
      buffer.set(value, at);
    },
    zeros: (count) => {
      reserve(count);
    },
    position: () => used,
    patchU16: (offset, value) => view.setUint16(offset, value, true),
    patchU32: (offset, value) => view.setUint32(offset, value, true),
    finish: () => buffer.slice(0, used),
  };
}

/** A view for reading a structure's fields in place. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Rounds up to netlink's alignment of four bytes (NLMSG_ALIGN and NLA_ALIGN, linux/netlink.h). */
export function align4(length: number): number {
  return (length + 3) & ~3;
}
