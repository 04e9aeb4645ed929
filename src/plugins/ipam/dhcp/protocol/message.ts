/**
 * DHCP messages as bytes and back: RFC 2131 section 2 (the fields), RFC 2132 (the options), RFC 3396 (options in parts).
 * What comes from the network may be anything: it is a message, or undefined.
 */
import { addressFromBytes, addressToBytes, type IpAddress } from '../../../../lib/ip.ts';
import { type MacAddress, macFromBytes, macToBytes } from '../../../../lib/mac.ts';

/** Options by their codes, RFC 2132 and the RFCs that came after it. */
export const option = {
  subnetMask: 1,
  routers: 3,
  dnsServers: 6,
  hostName: 12,
  domainName: 15,
  interfaceMtu: 26,
  staticRoutes: 33,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverId: 54,
  parameterRequestList: 55,
  message: 56,
  maxMessageSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  vendorClass: 60,
  clientId: 61,
  userClass: 77,
  domainSearch: 119,
  classlessRoutes: 121,
  pad: 0,
  end: 255,
} as const;

/** What a message is for: option 53. */
export const messageType = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
} as const;

/** Options of one message by their codes; a Map keeps the order that they are sent in. */
export type Options = ReadonlyMap<number, Uint8Array>;

/** What a client sends. */
export interface ClientMessage {
  /** Connects an answer with its question: 32 bits, by chance. */
  readonly transactionId: number;
  /** Seconds since the client began to ask. */
  readonly seconds: number;
  /** Asks the server to broadcast its answer. */
  readonly broadcast: boolean;
  /** The address that the client has and uses (`ciaddr`). */
  readonly clientAddress?: IpAddress | undefined;
  readonly mac: MacAddress;
  readonly options: Options;
}

/** What a server answers. */
export interface ServerMessage {
  readonly transactionId: number;
  /** The address that the client gets (`yiaddr`). */
  readonly yourAddress: IpAddress;
  readonly mac: MacAddress;
  readonly options: Options;
}

const BOOTREQUEST = 1;
const BOOTREPLY = 2;
/** Hardware type, RFC 1700: Ethernet, with addresses of six bytes. */
const ETHERNET = 1;
const macLength = 6;
const BROADCAST = 0x8000;
const magicCookie = 0x6382_5363;
/** Where things are. */
const at = {
  transactionId: 4,
  seconds: 8,
  flags: 10,
  clientAddress: 12,
  yourAddress: 16,
  mac: 28,
  serverName: 44,
  file: 108,
  cookie: 236,
  options: 240,
};
/** A BOOTP message's size, under which some relays throw it away (RFC 1542 section 2.1). */
const leastSize = 300;
const mostOfAnOption = 255;

/** A client's message in bytes: the payload of a UDP datagram. */
export function encodeMessage(message: ClientMessage): Uint8Array<ArrayBuffer> {
  const options = encodeOptions(message.options);
  const bytes = new Uint8Array(Math.max(leastSize, at.options + options.length));
  const view = new DataView(bytes.buffer);
  bytes.set([BOOTREQUEST, ETHERNET, macLength]);
  view.setUint32(at.transactionId, message.transactionId);
  view.setUint16(at.seconds, Math.min(message.seconds, 0xffff));
  view.setUint16(at.flags, message.broadcast ? BROADCAST : 0);
  if (message.clientAddress !== undefined) bytes.set(addressToBytes(message.clientAddress), at.clientAddress);
  bytes.set(macToBytes(message.mac), at.mac);
  view.setUint32(at.cookie, magicCookie);
  bytes.set(options, at.options);
  return bytes;
}

function encodeOptions(options: Options): number[] {
  const bytes: number[] = [];
  for (const [code, value] of options) {
    for (let from = 0; from === 0 || from < value.length; from += mostOfAnOption) {
      const part = value.subarray(from, from + mostOfAnOption);
      bytes.push(code, part.length, ...part);
    }
  }
  bytes.push(option.end);
  return bytes;
}

/** A server's message; undefined for whatever is none, or says that something is longer than it is. Never throws. */
export function decodeMessage(bytes: Uint8Array): ServerMessage | undefined {
  if (bytes.length < at.options) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [kind, hardware, length] = bytes;
  if (kind !== BOOTREPLY || hardware !== ETHERNET || length !== macLength) return undefined;
  if (view.getUint32(at.cookie) !== magicCookie) return undefined;
  const options = decodeOptions(bytes);
  const yourAddress = addressFromBytes(bytes.subarray(at.yourAddress, at.yourAddress + 4));
  if (options === undefined || yourAddress === undefined) return undefined;
  return {
    transactionId: view.getUint32(at.transactionId),
    yourAddress,
    mac: macFromBytes(bytes.subarray(at.mac, at.mac + macLength)),
    options,
  };
}

/** Those of the options field, then what option 52 says is in `file` and in `sname`, in this order (RFC 3396 section 5). */
function decodeOptions(bytes: Uint8Array): Options | undefined {
  const options = new Map<number, Uint8Array>();
  if (!readOptions(bytes.subarray(at.options), options, 'must end')) return undefined;
  const [overload = 0] = options.get(option.overload) ?? [];
  options.delete(option.overload);
  const [inFile, inServerName] = [(overload & 1) !== 0, (overload & 2) !== 0];
  if (inFile && !readOptions(bytes.subarray(at.file, at.cookie), options)) return undefined;
  if (inServerName && !readOptions(bytes.subarray(at.serverName, at.file), options)) return undefined;
  return options;
}

/** Adds the options of a field; whether all are as long as they say, and there is an end where there must be one. */
function readOptions(field: Uint8Array, options: Map<number, Uint8Array>, end?: 'must end'): boolean {
  let position = 0;
  while (position < field.length) {
    const code = field[position++] ?? option.end;
    if (code === option.pad) continue;
    if (code === option.end) return true;
    const length = field[position++];
    if (length === undefined || position + length > field.length) return false;
    const part = field.subarray(position, position + length);
    position += length;
    const before = options.get(code);
    options.set(code, before === undefined ? part.slice() : Uint8Array.of(...before, ...part));
  }
  return end === undefined;
}
