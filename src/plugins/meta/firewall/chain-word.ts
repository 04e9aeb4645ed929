/**
 * An interface's name in a chain's: nft's words have letters, digits, `_`, `.` and `-`, and `/`, which no interface may
 * have in its name. So it stands before the two digits of any other byte, and the name can be read back.
 */
import { bytesFromText, textFromBytes } from '../../../lib/bytes.ts';

/** `br0` as it is, `br@0` as `br/400`. */
export function chainWord(interfaceName: string): string {
  let word = '';
  for (const byte of bytesFromText(interfaceName)) {
    const character = String.fromCharCode(byte);
    word += /[A-Za-z0-9_.-]/.test(character) ? character : `/${byte.toString(16).padStart(2, '0')}`;
  }
  return word;
}

/** The interface's name. */
export function interfaceOf(word: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < word.length; at++) {
    const isEscaped = word[at] === '/';
    bytes.push(isEscaped ? Number.parseInt(word.slice(at + 1, at + 3), 16) : word.charCodeAt(at));
    if (isEscaped) at += 2;
  }
  return textFromBytes(Uint8Array.from(bytes));
}
