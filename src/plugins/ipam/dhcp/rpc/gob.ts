/**
 * Go's encoding/gob, as much of it as net/rpc and the messages of the reference's daemon need: numbers, texts, bytes,
 * lists and structures. The format is that of https://pkg.go.dev/encoding/gob, "Encoding Details"; a stream describes
 * its own types, so values are matched by the names of their fields, whatever version of the reference sent them.
 */
import { bytesFromText, textFromBytes } from '../../../../lib/bytes.ts';
import { joined } from '../../../shared/joined.ts';

/** What a value is. */
export type GobType =
  | 'bool'
  | 'int'
  | 'uint'
  | 'bytes'
  | 'string'
  | { readonly list: GobType }
  | { readonly name: string; readonly fields: readonly (readonly [name: string, type: GobType])[] };

/** A value: a structure has its fields by name, and what is zero or empty may be left out. */
export type GobValue =
  | boolean
  | number
  | string
  | Uint8Array
  | readonly GobValue[]
  | { readonly [field: string]: GobValue | undefined };

/** Bytes that are no gob, or hold what is not understood here. */
export class GobError extends Error {
  override readonly name = 'GobError';
}

/** The ids of types that need no description. */
const basicIds = { bool: 1, int: 2, uint: 3, bytes: 5, string: 6 } as const;
/** Ids below are Go's own. */
const firstId = 65;

/** Writes one stream: what was described once is not described again. */
export interface GobWriter {
  /** The messages of a value of this type: the descriptions that it needs, and the value. */
  write(type: GobType, value: GobValue): Uint8Array;
}

/** Begins a stream. */
export function gobWriter(): GobWriter {
  const ids = new Map<GobType, number>();
  let next = firstId;
  const describe = (type: GobType, out: number[]): number => {
    if (typeof type === 'string') return basicIds[type];
    const known = ids.get(type);
    if (known !== undefined) return known;
    const id = next++;
    ids.set(type, id);
    const description =
      'list' in type
        ? listDescription(id, describe(type.list, out))
        : structureDescription(
            id,
            type.name,
            type.fields.map(([name, each]) => [name, describe(each, out)]),
          );
    putMessage(out, [...signed(-id), ...description]);
    return id;
  };
  return {
    write(type, value) {
      const out: number[] = [];
      const id = describe(type, out);
      const body = signed(id);
      // What is no structure has a number before it, that of a structure's first field less one.
      if (typeof type === 'string' || 'list' in type) body.push(0);
      putValue(body, type, value);
      putMessage(out, body);
      return Uint8Array.from(out);
    },
  };
}

/** wireType.SliceT, of sliceType {CommonType {Name, Id}, Elem}. */
function listDescription(id: number, item: number): number[] {
  return [2, 1, ...commonType('', id), 1, ...signed(item), 0, 0];
}

/** wireType.StructT, of structType {CommonType, Field []fieldType {Name, Id}}. */
function structureDescription(
  id: number,
  name: string,
  fields: readonly (readonly [string, number])[],
): number[] {
  const described = fields.flatMap(([field, type]) => [1, ...text(field), 1, ...signed(type), 0]);
  const list = fields.length === 0 ? [] : [1, ...unsigned(fields.length), ...described];
  return [3, 1, ...commonType(name, id), ...list, 0, 0];
}

function commonType(name: string, id: number): number[] {
  return name === '' ? [2, ...signed(id), 0] : [1, ...text(name), 1, ...signed(id), 0];
}

function putMessage(out: number[], body: readonly number[]): void {
  for (const byte of unsigned(body.length)) out.push(byte);
  for (const byte of body) out.push(byte);
}

function putValue(out: number[], type: GobType, value: GobValue): void {
  if (type === 'bool') out.push(value === true ? 1 : 0);
  else if (type === 'int') out.push(...signed(Number(value)));
  else if (type === 'uint') out.push(...unsigned(Number(value)));
  else if (type === 'string' || type === 'bytes') putBytes(out, value);
  else if ('list' in type) {
    const items = value as readonly GobValue[];
    out.push(...unsigned(items.length));
    for (const item of items) putValue(out, type.list, item);
  } else putStructure(out, type.fields, value as Readonly<Record<string, GobValue | undefined>>);
}

function putBytes(out: number[], value: GobValue): void {
  const bytes = typeof value === 'string' ? bytesFromText(value) : (value as Uint8Array);
  out.push(...unsigned(bytes.length));
  for (const byte of bytes) out.push(byte);
}

/** Each field that says something: how far it is from the one before, and its value. */
function putStructure(
  out: number[],
  fields: readonly (readonly [string, GobType])[],
  value: Readonly<Record<string, GobValue | undefined>>,
): void {
  let before = -1;
  for (const [index, [name, type]] of fields.entries()) {
    const field = value[name];
    if (field === undefined || isZero(field)) continue;
    out.push(...unsigned(index - before));
    putValue(out, type, field);
    before = index;
  }
  out.push(0);
}

/** Structures are sent, empty or not. */
function isZero(value: GobValue): boolean {
  if (typeof value === 'object') return 'length' in value && value.length === 0;
  return value === 0 || value === '' || value === false;
}

function text(value: string): number[] {
  const bytes = bytesFromText(value);
  return [...unsigned(bytes.length), ...bytes];
}

/** Below 128 one byte; else how many bytes there are, negated, and these, the highest first. */
function unsigned(value: number): number[] {
  if (value < 128) return [value];
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [256 - bytes.length, ...bytes];
}

/** The sign in the lowest bit. */
function signed(value: number): number[] {
  return unsigned(value < 0 ? (-value - 1) * 2 + 1 : value * 2);
}

/** What a stream says a type is; fields and items by id. */
type Description =
  | { readonly kind: 'list'; readonly item: number; readonly size: number | undefined }
  | { readonly kind: 'map'; readonly key: number; readonly item: number }
  | { readonly kind: 'structure'; readonly fields: readonly (readonly [string, number])[] };

/** Reads one stream, as its bytes come. */
export interface GobReader {
  /** Takes more bytes. Returns the values that they complete, in their order. Throws GobError: nothing can be read after that. */
  push(bytes: Uint8Array): GobValue[];
}

/** More than any configuration has; Go itself allows 1 GiB. */
const largestMessage = 16 * 1024 * 1024;
/** Deeper than any type of the messages. */
const deepest = 32;

/** Begins to read a stream. */
export function gobReader(): GobReader {
  const types = new Map<number, Description>();
  let rest: Uint8Array = new Uint8Array();
  const readMessage = (message: Uint8Array): GobValue | undefined => {
    const cursor = cursorOf(message);
    const id = cursor.signed();
    if (id < 0) {
      if (types.has(-id) || -id < 64) throw new GobError(`type ${-id} is described twice`);
      types.set(-id, readDescription(cursor));
      return undefined;
    }
    if (types.get(id)?.kind !== 'structure' && cursor.unsigned() !== 0)
      throw new GobError('no value where one must be');
    const value = readValue(cursor, types, id, 0);
    if (cursor.left() > 0) throw new GobError('bytes after a value');
    return value;
  };
  return {
    push(bytes) {
      rest = rest.length === 0 ? bytes : joined(rest, bytes);
      const values: GobValue[] = [];
      for (let message = nextMessage(rest); message !== undefined; message = nextMessage(rest)) {
        rest = rest.subarray(message.end);
        const value = readMessage(message.body);
        if (value !== undefined) values.push(value);
      }
      // The caller's buffer may be used again.
      rest = rest.slice();
      return values;
    },
  };
}

/** The first message of these bytes, and where it ends; undefined where it is not whole yet. */
function nextMessage(bytes: Uint8Array): { readonly body: Uint8Array; readonly end: number } | undefined {
  const [first] = bytes;
  if (first === undefined) return undefined;
  const lengthSize = first < 128 ? 1 : 257 - first;
  if (bytes.length < lengthSize) return undefined;
  const length = cursorOf(bytes.subarray(0, lengthSize)).unsigned();
  if (length > largestMessage) throw new GobError(`a message of ${length} bytes`);
  const end = lengthSize + length;
  return bytes.length < end ? undefined : { body: bytes.subarray(lengthSize, end), end };
}

/** A place in a message. */
interface Cursor {
  unsigned(): number;
  signed(): number;
  bytes(): Uint8Array;
  text(): string;
  /** How many items follow: each takes a byte or more, or there are more than a message can hold. */
  count(): number;
  left(): number;
}

function cursorOf(message: Uint8Array): Cursor {
  let at = 0;
  const byte = () => {
    const value = message[at++];
    if (value === undefined) throw new GobError('a message ends too early');
    return value;
  };
  const unsigned = () => {
    const first = byte();
    if (first < 128) return first;
    const size = 256 - first;
    if (size > 8) throw new GobError(`a number of ${size} bytes`);
    let value = 0;
    for (let index = 0; index < size; index++) value = value * 256 + byte();
    return value;
  };
  const bytes = () => {
    const length = unsigned();
    if (length > message.length - at) throw new GobError('a text that is longer than its message');
    at += length;
    return message.slice(at - length, at);
  };
  return {
    unsigned,
    signed() {
      const value = unsigned();
      return value % 2 === 0 ? value / 2 : -(value - 1) / 2 - 1;
    },
    bytes,
    text: () => textFromBytes(bytes()),
    count() {
      const count = unsigned();
      if (count > message.length - at) throw new GobError('a list that is longer than its message');
      return count;
    },
    left: () => message.length - at,
  };
}

/** Calls for each field of a structure that is there, by its number. */
function eachField(cursor: Cursor, read: (field: number) => void): void {
  let field = -1;
  for (let step = cursor.unsigned(); step !== 0; step = cursor.unsigned()) {
    field += step;
    read(field);
  }
}

/** A wireType: one of its fields is set, ArrayT, SliceT, StructT or MapT; the others are types that encode themselves. */
function readDescription(cursor: Cursor): Description {
  let description: Description | undefined;
  eachField(cursor, (kind) => {
    const numbers: number[] = [];
    let fields: (readonly [string, number])[] = [];
    if (kind > 3) throw new GobError('a type that encodes itself');
    eachField(cursor, (field) => {
      if (field === 0) eachField(cursor, (part) => (part === 0 ? cursor.bytes() : cursor.signed()));
      else if (kind === 2) fields = Array.from({ length: cursor.count() }, () => readField(cursor));
      else numbers[field] = cursor.signed();
    });
    const [, first = 0, second] = numbers;
    if (kind === 2) description = { kind: 'structure', fields };
    else if (kind === 3) description = { kind: 'map', key: first, item: second ?? 0 };
    else description = { kind: 'list', item: first, size: kind === 0 ? (second ?? 0) : undefined };
  });
  if (description === undefined) throw new GobError('a type without a description');
  return description;
}

function readField(cursor: Cursor): readonly [string, number] {
  let [name, type] = ['', 0];
  eachField(cursor, (field) => {
    if (field === 0) name = cursor.text();
    else type = cursor.signed();
  });
  return [name, type];
}

function readValue(
  cursor: Cursor,
  types: ReadonlyMap<number, Description>,
  id: number,
  depth: number,
): GobValue {
  if (depth > deepest) throw new GobError('a value that is too deep');
  const inner = (type: number) => readValue(cursor, types, type, depth + 1);
  switch (id) {
    case basicIds.bool:
      return cursor.unsigned() !== 0;
    case basicIds.int:
      return cursor.signed();
    case basicIds.uint:
      return cursor.unsigned();
    case basicIds.bytes:
      return cursor.bytes();
    case basicIds.string:
      return cursor.text();
  }
  const type = types.get(id);
  if (type === undefined) throw new GobError(`type ${id} is not described`);
  if (type.kind === 'list') return Array.from({ length: cursor.count() }, () => inner(type.item));
  if (type.kind === 'map')
    return Array.from({ length: cursor.count() }, () => [inner(type.key), inner(type.item)]);
  const value: Record<string, GobValue> = {};
  eachField(cursor, (index) => {
    const field = type.fields[index];
    if (field === undefined) throw new GobError(`field ${index} is not described`);
    value[field[0]] = inner(field[1]);
  });
  return value;
}
