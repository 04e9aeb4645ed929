/** A connection to the system's D-Bus, for calls one after the other: D-Bus Specification, "Authentication Protocol". */
import { closeSync } from '../../../kernel/sys/file.ts';
import { SystemError } from '../../../kernel/sys/libc.ts';
import { connectUnix, receive, send, setSocketOption } from '../../../kernel/sys/sockets.ts';
import { bytesFromText, textFromBytes } from '../../../lib/bytes.ts';
import { joined } from '../../shared/joined.ts';
import {
  decodeReply,
  encodeCall,
  headerSize,
  type MethodCall,
  messageSize,
  type Reply,
} from './dbus-message.ts';

/** What a method answered with an error. */
export class BusError extends Error {
  override readonly name = 'BusError';
  constructor(
    /** `org.freedesktop.DBus.Error.…`, or the service's own. */
    readonly errorName: string,
    message: string,
  ) {
    super(message);
  }
}

/** An open connection. */
export interface Bus extends Disposable {
  /** Calls a method and waits for its answer: the first value of it. Throws BusError, SystemError. */
  call(call: MethodCall): Promise<Reply['value']>;
}

const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
/** How long a call may take, in milliseconds: that of the reference library. A firewalld that loads its rules answers after. */
const patience = 25_000;
/** An answer is mostly there within this time, in microseconds; for others the process does what else there is meanwhile. */
const eager = 10_000n;
const pause = 5;

/** What every connection says first. */
const hello: MethodCall = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  arguments: [],
};

/** Connects by a path, or a name in the abstract namespace after `@`. Throws SystemError, BusError. */
export async function openBus(path: string): Promise<Bus> {
  const fd = connectUnix(path);
  if (fd < 0) throw new SystemError(`connect to ${path}`, -fd);
  const read = readerOf(fd);
  let serial = 0;
  const call = async (one: MethodCall): Promise<Reply['value']> => {
    serial++;
    send(fd, encodeCall(serial, one));
    for (;;) {
      const reply = understood(decodeReply, await read.message());
      // Signals come as well.
      if (reply.replyTo !== serial) continue;
      if (reply.error === undefined) return reply.value;
      throw new BusError(reply.error, typeof reply.value === 'string' ? reply.value : reply.error);
    }
  };
  try {
    setSocketOption(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(new BigInt64Array([0n, eager]).buffer));
    // The credentials are the socket's; the user's number is said in digits, each written as a byte in hexadecimal.
    const user = bytesFromText(String(process.getuid?.() ?? 0)).toHex();
    send(fd, bytesFromText(`\0AUTH EXTERNAL ${user}\r\nBEGIN\r\n`));
    const answer = await read.line();
    if (!answer.startsWith('OK')) throw new BusError('not authenticated', `${path} answers "${answer}"`);
    await call(hello);
    return { call, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Takes a stream apart into lines, at first, and messages. */
function readerOf(fd: number) {
  let buffer = new Uint8Array();
  const chunk = new Uint8Array(4096);
  const fill = async () => {
    const length = await receiveInTime(fd, chunk);
    if (length === 0) throw new BusError('closed', 'the bus closed the connection');
    buffer = joined(buffer, chunk.subarray(0, length));
  };
  const take = async (length: number): Promise<Uint8Array> => {
    while (buffer.length < length) await fill();
    const taken = buffer.slice(0, length);
    buffer = buffer.slice(length);
    return taken;
  };
  return {
    async line(): Promise<string> {
      while (!buffer.includes(10)) await fill();
      return textFromBytes(await take(buffer.indexOf(10) + 1)).trim();
    },
    async message(): Promise<Uint8Array> {
      while (buffer.length < headerSize) await fill();
      return take(understood(messageSize, buffer));
    },
  };
}

/** Whoever else listens at that place may say anything. */
function understood<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return decode(bytes);
  } catch (error) {
    throw new BusError('not understood', error instanceof Error ? error.message : String(error));
  }
}

async function receiveInTime(fd: number, chunk: Uint8Array): Promise<number> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return receive(fd, chunk, 0);
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'EAGAIN') throw error;
      if (performance.now() > deadline)
        throw new BusError('no reply', `no answer within ${patience / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
