/** Hashes. Bun's own: loading node:crypto costs each start of a plugin 1.5 ms. */

/** The SHA-256 of a text's UTF-8 bytes: 32 bytes. */
export function sha256(text: string): Uint8Array {
  return Bun.SHA256.hash(text) as Uint8Array;
}

/** The SHA-512 of a text's UTF-8 bytes: 64 bytes. */
export function sha512(text: string): Uint8Array {
  return new Bun.CryptoHasher('sha512').update(text).digest();
}
