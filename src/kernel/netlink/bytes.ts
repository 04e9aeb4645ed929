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

/** Makes an empty writer. Bytes are written one by one: for so few a DataView costs more to make than to use. */
export function createWriter(): Writer {
  let buffer = new Uint8Array(512);
  let used = 0;

  const reserve = (count: number): number => {
    const offset = used;
    used += count;
    if (used > buffer.length) {
      const larger = new Uint8Array(Math.max(used, buffer.length * 2));
      larger.set(buffer);
      buffer = larger;
    }
    return offset;
  };
  const put16 = (at: number, value: number) => {
    buffer[at] = value;
    buffer[at + 1] = value >>> 8;
  };
  const put32 = (at: number, value: number) => {
    put16(at, value);
    put16(at + 2, value >>> 16);
  };
  const putBe32 = (at: number, value: number) => {
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  };

  return {
    u8: (value) => {
      const at = reserve(1);
      buffer[at] = value;
    },
    u16: (value) => put16(reserve(2), value),
    u32: (value) => put32(reserve(4), value),
    u64: (value) => {
      const at = reserve(8);
      viewOf(buffer).setBigUint64(at, value, true);
    },
    be16: (value) => {
      const at = reserve(2);
      buffer[at] = value >>> 8;
      buffer[at + 1] = value;
    },
    be32: (value) => putBe32(reserve(4), value),
    be64: (value) => {
      const at = reserve(8);
      viewOf(buffer).setBigUint64(at, value, false);
    },
    bytes: (value) => {
      const at = reserve(value.length);
      buffer.set(value, at);
    },
    zeros: (count) => {
      reserve(count);
    },
    position: () => used,
    patchU16: put16,
    patchU32: put32,
    finish: () => buffer.slice(0, used),
  };
}

/** Unsigned integers in host byte order at an offset that was checked. */
export function readU8(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

export function readU16(bytes: Uint8Array, at: number): number {
  return readU8(bytes, at) | (readU8(bytes, at + 1) << 8);
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (readU16(bytes, at) | (readU16(bytes, at + 2) << 16)) >>> 0;
}

/** Unsigned integers in network byte order at an offset that was checked. */
export function readBe16(bytes: Uint8Array, at: number): number {
  return (readU8(bytes, at) << 8) | readU8(bytes, at + 1);
}

export function readBe32(bytes: Uint8Array, at: number): number {
  return ((readBe16(bytes, at) << 16) | readBe16(bytes, at + 2)) >>> 0;
}

/** A view for reading a structure's fields in place. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Rounds up to netlink's alignment of four bytes (NLMSG_ALIGN and NLA_ALIGN, linux/netlink.h). */
export function align4(length: number): number {
  return (length + 3) & ~3;
}
