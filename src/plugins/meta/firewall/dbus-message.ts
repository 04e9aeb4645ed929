/** Messages of the D-Bus protocol, as far as calls with texts need them: D-Bus Specification, "Message Protocol". Pure. */
import { bytesFromText, textFromBytes } from '../../../lib/bytes.ts';

/** A call of a method whose arguments are texts. */
export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly arguments: readonly string[];
}

/** An answer, or whatever else came. */
export interface Reply {
  /** The serial number of the call that it answers. */
  readonly replyTo: number | undefined;
  /** The error's name, where it is one. */
  readonly error: string | undefined;
  /** The first value, where it is a text, a number or true or false. */
  readonly value: string | number | boolean | undefined;
}

/** Types of messages. */
const METHOD_CALL = 1;
const ERROR = 3;
/** NO_AUTO_START: who does not run is not to be started by a question. */
const flags = 0x2;
/** Header fields, each a byte and a variant. */
const fields = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  signature: 8,
} as const;

/** Encodes a call, little-endian. */
export function encodeCall(serial: number, call: MethodCall): Uint8Array {
  const body: number[] = [];
  for (const text of call.arguments) putText(body, text);
  const message: number[] = [0x6c, METHOD_CALL, flags, 1];
  putNumber(message, body.length);
  putNumber(message, serial);
  const list: number[] = [];
  const signature = 's'.repeat(call.arguments.length);
  putField(list, fields.path, 'o', call.path);
  putField(list, fields.interface, 's', call.interface);
  putField(list, fields.destination, 's', call.destination);
  if (signature !== '') putField(list, fields.signature, 'g', signature);
  putField(list, fields.member, 's', call.member);
  // The list begins at a multiple of eight, so what is aligned in it is aligned in the message.
  putNumber(message, list.length);
  message.push(...list);
  align(message, 8);
  return Uint8Array.from([...message, ...body]);
}

function putField(list: number[], field: number, type: 'o' | 's' | 'g', text: string): void {
  align(list, 8);
  list.push(field, 1, type.charCodeAt(0), 0);
  if (type === 'g') list.push(text.length, ...bytesFromText(text), 0);
  else putText(list, text);
}

function putNumber(bytes: number[], value: number): void {
  align(bytes, 4);
  bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
}

function putText(bytes: number[], text: string): void {
  const encoded = bytesFromText(text);
  putNumber(bytes, encoded.length);
  bytes.push(...encoded, 0);
}

function align(bytes: number[], to: number): void {
  while (bytes.length % to !== 0) bytes.push(0);
}

/** What is in front of the list of fields, with its length. */
export const headerSize = 16;

/** A message's whole size by its first 16 bytes. Throws for what is no message. */
export function messageSize(header: Uint8Array): number {
  const { view, little } = viewOf(header);
  const list = view.getUint32(12, little);
  const size = headerSize + Math.ceil(list / 8) * 8 + view.getUint32(4, little);
  // The specification's limit.
  if (size > 134_217_728) throw new Error(`D-Bus: a message of ${size} bytes`);
  return size;
}

function viewOf(message: Uint8Array): { view: DataView; little: boolean } {
  const order = String.fromCharCode(message[0] ?? 0);
  if (order !== 'l' && order !== 'B') throw new Error(`D-Bus: a message that begins with byte ${message[0]}`);
  return { view: new DataView(message.buffer, message.byteOffset, message.length), little: order === 'l' };
}

/** Decodes a whole message. Throws for one that is cut off. */
export function decodeReply(message: Uint8Array): Reply {
  const { view, little } = viewOf(message);
  const end = headerSize + view.getUint32(12, little);
  const number = (at: number) => view.getUint32(at, little);
  const text = (at: number) => textFromBytes(message.subarray(at + 4, at + 4 + number(at)));
  let [replyTo, error, signature]: [number?, string?, string?] = [];
  for (let at = headerSize; at < end; ) {
    at = Math.ceil(at / 8) * 8;
    const field = message[at];
    const type = String.fromCharCode(message[at + 2] ?? 0);
    const value = at + 4;
    if (type === 'u') {
      if (field === fields.replySerial) replyTo = number(value);
      at = value + 4;
    } else if (type === 'g') {
      const length = message[value] ?? 0;
      if (field === fields.signature)
        signature = textFromBytes(message.subarray(value + 1, value + 1 + length));
      at = value + length + 2;
    } else if (type === 's' || type === 'o') {
      if (field === fields.errorName) error = text(value);
      at = value + 4 + number(value) + 1;
    } else throw new Error(`D-Bus: a header field of type "${type}"`);
  }
  const body = Math.ceil(end / 8) * 8;
  return {
    replyTo,
    error: message[1] === ERROR ? (error ?? 'an error without name') : undefined,
    value: firstValue(signature ?? '', body),
  };

  function firstValue(types: string, at: number): Reply['value'] {
    switch (types[0]) {
      case 's':
      case 'o':
        return text(at);
      case 'b':
        return number(at) !== 0;
      case 'u':
        return number(at);
      default:
        return undefined;
    }
  }
}
