/** An executable of Linux on x86-64: elf(5), without sections and without a library. */
import { assemble, type Item } from './x86-64.ts';

/** Where the program is loaded, and where the memory begins that it may write to. Fixed, and below 2 GiB. */
const textAddress = 0x400000;
/** See `textAddress`. */
export const memoryAddress = 0x600000;

const headerSize = 64;
const segmentSize = 56;
const [PT_LOAD, PT_GNU_STACK] = [1, 0x6474e551];
const [PF_X, PF_W, PF_R] = [1, 2, 4];

/** An executable that begins with its first instruction, and has `memory` bytes of zeros to write to. */
export function executableOf(items: readonly Item[], memory: number): Uint8Array<ArrayBuffer> {
  const textOffset = headerSize + 3 * segmentSize;
  const program = assemble(items, textAddress + textOffset);
  const file = new Uint8Array(textOffset + program.length);
  file.set(program, textOffset);
  const view = new DataView(file.buffer);
  writeHeader(view, textAddress + textOffset);
  const page = 0x1000;
  writeSegment(view, 0, [PT_LOAD, PF_R | PF_X], textAddress, [file.length, file.length], page);
  writeSegment(view, 1, [PT_LOAD, PF_R | PF_W], memoryAddress, [0, memory], page);
  // A stack that cannot be executed.
  writeSegment(view, 2, [PT_GNU_STACK, PF_R | PF_W], 0, [0, 0], 16);
  return file;
}

/** Elf64_Ehdr. */
function writeHeader(view: DataView, entry: number): void {
  const [ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ET_EXEC, EM_X86_64] = [2, 1, 1, 2, 62];
  for (const [index, byte] of [0x7f, 0x45, 0x4c, 0x46, ELFCLASS64, ELFDATA2LSB, EV_CURRENT].entries())
    view.setUint8(index, byte);
  view.setUint16(16, ET_EXEC, true);
  view.setUint16(18, EM_X86_64, true);
  view.setUint32(20, EV_CURRENT, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, BigInt(headerSize), true);
  view.setUint16(52, headerSize, true);
  view.setUint16(54, segmentSize, true);
  view.setUint16(56, 3, true);
}

/** Elf64_Phdr. */
function writeSegment(
  view: DataView,
  index: number,
  [type, flags]: readonly [number, number],
  address: number,
  [inFile, inMemory]: readonly [number, number],
  alignment: number,
): void {
  const offset = headerSize + index * segmentSize;
  view.setUint32(offset, type, true);
  view.setUint32(offset + 4, flags, true);
  const words = [0, address, address, inFile, inMemory, alignment];
  for (const [word, value] of words.entries()) view.setBigUint64(offset + 8 + word * 8, BigInt(value), true);
}
