/** The daemon's side of the socket: Go's net/rpc over HTTP CONNECT, a question after the other on each connection. */
import { messageOf } from '../../../../cni/index.ts';
import { bytesFromText, textFromBytes } from '../../../../lib/bytes.ts';
import { GobError, type GobType, type GobValue, gobReader, gobWriter } from '../rpc/gob.ts';
import {
  type CallArguments,
  decodeArguments,
  emptyType,
  encodeResult,
  methods,
  noSuchService,
  numberOf,
  responseType,
  resultType,
  textOf,
  welcome,
} from '../rpc/messages.ts';
import type { Leases } from './leases.ts';
import type { Log } from './log.ts';

/** What listens. */
export interface Server {
  /** Stops listening and ends every connection. */
  stop(): void;
}

/** Where is listened: at a path, or on a descriptor that systemd opened. */
export type ListenAt = { readonly unix: string } | { readonly fd: number };

interface Writable {
  write(bytes: Uint8Array): number;
  end(): void;
}

/** Serves plugins, ours and the reference's. Throws the system's error where it cannot listen. */
export function serve(at: ListenAt, leases: Leases, log: Log): Server {
  const listener = Bun.listen<Connection>({
    // Bun's types do not know that it listens on a descriptor.
    ...(at as { readonly unix: string }),
    socket: {
      open(socket) {
        socket.data = openConnection(socket, leases, log);
      },
      data: (socket, bytes) => socket.data.received(bytes),
      drain: (socket) => socket.data.writable(),
      close: (socket) => socket.data.closed(),
      error: (_, error) => log(`a connection failed: ${messageOf(error)}`),
    },
  });
  return { stop: () => listener.stop(true) };
}

interface Connection {
  received(bytes: Uint8Array): void;
  writable(): void;
  closed(): void;
}

/** More than any client says before it is greeted. */
const longestGreeting = 4096;

function openConnection(socket: Writable, leases: Leases, log: Log): Connection {
  const gone = new AbortController();
  const output = outputOf(socket);
  const answer = answererOf(leases, gone.signal, (bytes) => output.write(bytes));
  const reader = gobReader();
  let greeting: Uint8Array | undefined = new Uint8Array();
  const received = (bytes: Uint8Array): void => {
    if (greeting === undefined) {
      answer(reader.push(bytes));
      return;
    }
    greeting = Uint8Array.of(...greeting, ...bytes.subarray(0, longestGreeting));
    const text = textFromBytes(greeting);
    const [, head = '', rest] = /^(.*?)\r?\n\r?\n(.*)$/s.exec(text) ?? [];
    if (rest === undefined && greeting.length < longestGreeting) return;
    if (!/^CONNECT \/_goRPC_ HTTP\/1\.[01]/.test(head)) throw new GobError('not what a plugin begins with');
    output.write(bytesFromText(welcome));
    greeting = undefined;
    if (rest !== undefined && rest !== '') throw new GobError('a question before the answer to the greeting');
  };
  return {
    received(bytes) {
      try {
        received(bytes);
      } catch (error) {
        log(`a connection is ended: ${messageOf(error)}`);
        socket.end();
      }
    },
    writable: output.flush,
    closed: () => gone.abort(new Error('the plugin has gone')),
  };
}

/** What a socket does not take at once is kept until it takes more. */
function outputOf(socket: Writable) {
  let waiting: Uint8Array = new Uint8Array();
  const flush = () => {
    if (waiting.length > 0) waiting = waiting.slice(Math.max(socket.write(waiting), 0));
  };
  const write = (bytes: Uint8Array) => {
    waiting = Uint8Array.of(...waiting, ...bytes);
    flush();
  };
  return { flush, write };
}

/** What is answered: the type and the value of what follows the header. */
interface Reply {
  readonly type: GobType;
  readonly value: GobValue;
}

const done: Reply = { type: emptyType, value: {} };

type Method = (leases: Leases, args: CallArguments, signal: AbortSignal) => Promise<Reply>;

const answers: Readonly<Record<string, Method>> = {
  [methods.allocate]: async (leases, args, signal) => {
    const result = await leases.allocate(args, signal);
    return { type: resultType, value: encodeResult(result) };
  },
  [methods.release]: async (leases, args) => {
    await leases.release(args);
    return done;
  },
  [methods.check]: async (leases, args) => ({ type: resultType, value: encodeResult(leases.check(args)) }),
  [methods.collect]: async (leases, args) => {
    await leases.collect(args);
    return done;
  },
};

/** Takes the values of a stream, of which each question is two; answers go out in the order in which they are ready. */
function answererOf(leases: Leases, signal: AbortSignal, write: (bytes: Uint8Array) => void) {
  const writer = gobWriter();
  let header: GobValue | undefined;
  const respond = (question: GobValue, problem: string, { type, value }: Reply) => {
    if (signal.aborted) return;
    const response = {
      ServiceMethod: textOf(question, 'ServiceMethod'),
      Seq: numberOf(question, 'Seq'),
      Error: problem,
    };
    write(writer.write(responseType, response));
    write(writer.write(type, value));
  };
  const answer = async (question: GobValue, body: GobValue) => {
    try {
      const name = textOf(question, 'ServiceMethod');
      const method = Object.hasOwn(answers, name) ? answers[name] : undefined;
      if (method === undefined) return respond(question, `${noSuchService}service ${name}`, done);
      respond(question, '', await method(leases, decodeArguments(body), signal));
    } catch (error) {
      respond(question, messageOf(error), done);
    }
  };
  return (values: readonly GobValue[]) => {
    for (const value of values) {
      if (header === undefined) header = value;
      else {
        void answer(header, value);
        header = undefined;
      }
    }
  };
}
