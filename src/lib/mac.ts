/** Ethernet hardware addresses, as text in the kernel's spelling: six lower-case pairs joined by colons. */

/** A hardware address such as `02:42:ac:11:00:02`. */
export type MacAddress = string;

/**
 * Parses a 48-bit hardware address as people write it (`AA:BB:…`, `aa-bb-…`, `aabb.ccdd.eeff`: the forms that
 * Go's `net.ParseMAC` takes and that reference configurations may hold); undefined if it is none.
 */
export function parseMac(text: string): MacAddress | undefined {
  const separated = /^[0-9a-fA-F]{2}([:-])(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}$/;
  const dotted = /^[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}$/;
  if (!separated.test(text) && !dotted.test(text)) return undefined;
  const digits = text.replaceAll(/[:.-]/g, '').toLowerCase();
  return digits.match(/../g)?.join(':');
}

/** The six bytes of an address that `parseMac` returned. */
export function macToBytes(mac: MacAddress): Uint8Array<ArrayBuffer> {
  const pairs = mac.split(':');
  const bytes = new Uint8Array(pairs.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = Number.parseInt(pairs[index] ?? '', 16);
  return bytes;
}

/** Writes bytes as pairs of hexadecimal digits; hardware addresses of other lengths (tunnels, InfiniBand) too. */
export function macFromBytes(bytes: Uint8Array): MacAddress {
  let text = '';
  for (const byte of bytes) text += `${text === '' ? '' : ':'}${byte < 16 ? '0' : ''}${byte.toString(16)}`;
  return text;
}

/** Whether an address can be an interface's own: unicast and not all zeros (`is_valid_ether_addr`, linux/etherdevice.h). */
export function isUnicastMac(mac: MacAddress): boolean {
  const [first = 1] = macToBytes(mac);
  return (first & 1) === 0 && mac !== '00:00:00:00:00:00';
}
