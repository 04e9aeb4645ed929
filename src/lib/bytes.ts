/** Bytes and text. Without Buffer, whose first use costs a plugin's start more than all that is done with it. */

let decoder: TextDecoder | undefined;

/** UTF-8 as text; what is no UTF-8 becomes U+FFFD, a byte order mark stays. Short ASCII needs no decoder. */
export function textFromBytes(bytes: Uint8Array): string {
  if (bytes.length <= 64) {
    let text = '';
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (byte > 0x7f) return decode(bytes);
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decode(bytes);
}

function decode(bytes: Uint8Array): string {
  decoder ??= new TextDecoder('utf-8', { ignoreBOM: true });
  return decoder.decode(bytes);
}

let encoder: TextEncoder | undefined;

/** Text as UTF-8; half of a surrogate pair becomes U+FFFD. */
export function bytesFromText(text: string): Uint8Array<ArrayBuffer> {
  encoder ??= new TextEncoder();
  return encoder.encode(text);
}

/** A copy with twice the room, for a buffer that is full. */
export function doubled(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}
