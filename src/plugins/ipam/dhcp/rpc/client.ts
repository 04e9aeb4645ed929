/** The plugin's side: one question to the daemon, ours or the reference's. */
import { CniError, messageOf } from '../../../../cni/index.ts';
import { openUnixStream, type UnixStream } from '../../../../kernel/socket/unix.ts';
import { SystemError } from '../../../../kernel/sys/libc.ts';
import { bytesFromText, textFromBytes } from '../../../../lib/bytes.ts';
import { GobError, type GobValue, gobReader, gobWriter } from './gob.ts';
import {
  argumentsType,
  type CallArguments,
  encodeArguments,
  greeting,
  noSuchService,
  requestType,
  textOf,
  welcome,
} from './messages.ts';

/** Nobody listens on the daemon's socket. */
export class NoDaemonError extends Error {
  override readonly name = 'NoDaemonError';
}

/** Begins an error that is the daemon's own. */
export const daemonSays = 'the DHCP daemon says: ';

/** How long a daemon may take to say that it is one, in milliseconds. */
const greetingTimeout = 10_000;

/** An open connection. `using` closes it, which tells the daemon to give up what it does for it. */
export interface DaemonConnection extends Disposable {
  /**
   * Asks, and waits that many milliseconds for the answer; undefined where the daemon has no such method: the
   * reference's. Throws a `CniError` (11) with the daemon's words, or for one that does not answer, or not rightly.
   */
  ask(method: string, args: CallArguments, timeoutMs: number): Promise<GobValue | undefined>;
}

/** Throws NoDaemonError, and SystemError or GobError where something listens that is no such daemon. */
export async function connectDaemon(path: string): Promise<DaemonConnection> {
  const stream = await open(path);
  try {
    await stream.write(bytesFromText(greeting), greetingTimeout);
    await readWelcome(stream, path);
  } catch (error) {
    stream[Symbol.dispose]();
    throw error;
  }
  const [writer, reader] = [gobWriter(), gobReader()];
  const values: GobValue[] = [];
  const nextValue = async (timeoutMs: number): Promise<GobValue> => {
    for (;;) {
      const value = values.shift();
      if (value !== undefined) return value;
      const bytes = await stream.read(timeoutMs);
      if (bytes.length === 0) throw new GobError('the daemon ended the connection');
      values.push(...reader.push(bytes));
    }
  };
  const exchange = async (method: string, args: CallArguments, timeoutMs: number) => {
    await stream.write(writer.write(requestType, { ServiceMethod: method }), greetingTimeout);
    await stream.write(writer.write(argumentsType, encodeArguments(args)), greetingTimeout);
    const header = await nextValue(timeoutMs);
    return { problem: textOf(header, 'Error'), body: await nextValue(timeoutMs) };
  };
  return {
    async ask(...question) {
      const { problem, body } = await exchange(...question).catch((error: unknown) => {
        throw new CniError('tryAgainLater', `the DHCP daemon on ${path} gave no answer: ${messageOf(error)}`);
      });
      if (problem === '') return body;
      if (problem.startsWith(noSuchService)) return undefined;
      throw new CniError('tryAgainLater', `${daemonSays}${problem}`);
    },
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  };
}

async function open(path: string): Promise<UnixStream> {
  try {
    return await openUnixStream(path, greetingTimeout);
  } catch (error) {
    const isAbsent =
      error instanceof SystemError && ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(error.code);
    if (isAbsent) throw new NoDaemonError(messageOf(error));
    throw error;
  }
}

/** HTTP's answer, up to its empty line: byte for byte what net/rpc writes, before which it writes nothing else. */
async function readWelcome(stream: UnixStream, path: string): Promise<void> {
  let text = '';
  while (!text.includes('\n\n') && text.length < 1024) {
    const bytes = await stream.read(greetingTimeout);
    if (bytes.length === 0) break;
    text += textFromBytes(bytes);
  }
  if (text === welcome) return;
  throw new GobError(`what listens on ${path} is no DHCP daemon`);
}
