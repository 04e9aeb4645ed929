/** Sockets whose messages keep their bounds, read without waiting: what packet.ts and udp.ts open. */
import { closeSync } from '../sys/file.ts';
import { receive, SystemError, send } from '../sys/libc.ts';

/** An open datagram socket. */
export interface DatagramSocket {
  /** Sends one message. Throws SystemError: ENETDOWN where the link is down. */
  send(message: Uint8Array): void;
  /**
   * The next message that is there already; undefined where there is none. What is longer than the buffer is cut off.
   * Throws SystemError, among others for what went wrong with a message sent before: ECONNREFUSED, ENETDOWN.
   */
  receiveNow(): Uint8Array | undefined;
  close(): void;
}

const MSG_DONTWAIT = 0x40;
/** Longer than any frame that a link's MTU allows. What is received is copied at once, so one buffer does for all. */
const bufferSize = 64 * 1024;
let buffer: Uint8Array | undefined;

/** An open descriptor as such a socket, which closes it. */
export function datagramSocket(fd: number): DatagramSocket {
  return {
    send: (message) => send(fd, message),
    receiveNow() {
      buffer ??= new Uint8Array(bufferSize);
      try {
        return buffer.slice(0, receive(fd, buffer, MSG_DONTWAIT));
      } catch (error) {
        if (error instanceof SystemError && error.code === 'EAGAIN') return undefined;
        throw error;
      }
    },
    close: () => closeSync(fd),
  };
}
