/** Hashes. Bun's own: loading node:crypto would be a good part of every start of a plugin. */

/** The SHA-256 of a text's UTF-8 bytes: 32 bytes. */
export function sha256(text: string): Uint8Array {
  return Bun.SHA256.hash(text) as Uint8Array;
}

/** The SHA-512 of a text's UTF-8 bytes: 64 bytes. */
export function sha512(text: string): Uint8Array {
  return new Bun.CryptoHasher('sha512').update(text).digest();
}
