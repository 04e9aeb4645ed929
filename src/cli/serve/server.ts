/** The server of `fairlead serve`: does plugins' calls in this process, each as it would be done in one of its own. */
import type { Socket } from 'bun';
import { stdinLimit } from '../../cni/host.ts';
import { processHost } from '../../cni/index.ts';
import { removeFile } from '../../kernel/sys/file.ts';
import { bytesFromText, textFromBytes } from '../../lib/bytes.ts';
import { runKept } from '../../plugin/main.ts';
import { processFiles } from '../../plugin/process-files.ts';
import { isPluginName, loadPlugin, type PluginName, resolveInProcess } from '../../plugins/names.ts';
import { type Answer, identity, type Question, serveSocket, terminator } from './message.ts';
import { turns } from './turns.ts';

/** A running server. */
export interface Server {
  /** Takes no more calls, and resolves when those that run have ended. */
  stop(): Promise<void>;
}

/** In bytes: standard input as JSON, where a character may take six, and an environment. */
const questionLimit = 8 * stdinLimit;

/** One connection: a question may come in pieces, an answer may go out in pieces. */
interface Dialogue {
  received: Uint8Array[];
  length: number;
  unsent: Uint8Array;
  answered: boolean;
}

/** Starts to listen. `mayGoOn` is asked at each connection whether this is still the process to do what is asked. */
export function startServer(mayGoOn: () => boolean): Server {
  const hello = bytesFromText(identity() + terminator);
  const running = new Set<Promise<void>>();
  const inTurn = turns();
  let stopped = false;

  const reply = async (socket: Socket<Dialogue>, text: string) => {
    const answer = stopped ? 'doItYourself' : await answerTo(text, inTurn);
    socket.data.answered = true;
    send(socket, bytesFromText(JSON.stringify(answer) + terminator));
  };
  const listener = listen({
    open(socket) {
      socket.data = { received: [], length: 0, unsent: new Uint8Array(), answered: false };
      if (stopped || !mayGoOn()) socket.end();
      else send(socket, hello);
    },
    data(socket, bytes) {
      const { data } = socket;
      data.received.push(bytes.slice());
      data.length += bytes.length;
      if (data.length > questionLimit) return void socket.terminate();
      if (bytes.at(-1) !== 0) return;
      const job = reply(socket, textOf(socket.data.received)).catch(() => socket.terminate());
      running.add(job);
      void job.then(() => running.delete(job));
    },
    drain: flush,
  });
  return {
    async stop() {
      stopped = true;
      listener.stop();
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** For root alone from the moment it is there. A socket that is there already is of a server that was killed. */
function listen(socket: Bun.SocketHandler<Dialogue>): Bun.UnixSocketListener<Dialogue> {
  removeFile(serveSocket);
  const umask = process.umask(0o177);
  try {
    return Bun.listen<Dialogue>({ unix: serveSocket, socket });
  } finally {
    process.umask(umask);
  }
}

function send(socket: Socket<Dialogue>, bytes: Uint8Array): void {
  socket.data.unsent = bytes;
  flush(socket);
}

function flush(socket: Socket<Dialogue>): void {
  const { data } = socket;
  const count = socket.write(data.unsent);
  if (count > 0) data.unsent = data.unsent.subarray(count);
  if (data.unsent.length === 0 && data.answered) socket.end();
}

/** Without the terminator. */
function textOf(pieces: readonly Uint8Array[]): string {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return textFromBytes(whole.subarray(0, -1));
}

async function answerTo(text: string, inTurn: ReturnType<typeof turns>): Promise<Answer> {
  const { plugin, ...call } = JSON.parse(text) as Question;
  const { CNI_COMMAND, CNI_CONTAINERID } = call.env;
  if (!isPluginName(plugin) || mayWantTrace(call.stdin)) return 'doItYourself';
  return await inTurn(CNI_CONTAINERID, async () =>
    waitsForKernel(plugin, CNI_COMMAND) ? 'doItYourself' : await answerOf({ ...call, plugin }),
  );
}

/**
 * Whether a call takes links away: then most of its time it waits in a system call until the kernel has. Processes wait
 * side by side, and here each would keep the others waiting; only an ADD of the same container has to be over first.
 */
function waitsForKernel(plugin: PluginName, command: string | undefined): boolean {
  return command === 'GC' || (command === 'DEL' && !withoutLinks.has(plugin));
}

/** The plugins that make no links. */
const withoutLinks: ReadonlySet<PluginName> = new Set([
  'dhcp',
  'firewall',
  'host-local',
  'loopback',
  'portmap',
  'sbr',
  'static',
  'tuning',
]);

/** The configuration's key `fairlead`: a trace is of one process. */
function mayWantTrace(stdin: string): boolean {
  return stdin.includes('"fairlead"');
}

async function answerOf({
  plugin,
  executable,
  env,
  stdin,
}: Question & { readonly plugin: PluginName }): Promise<Answer> {
  let [stdout, stderr] = ['', ''];
  const host = {
    ...processHost(processFiles, { resolve: resolveInProcess }),
    env,
    stdinIsTerminal: () => false,
    readStdin: () => stdin,
    writeStdout: (text: string) => {
      stdout += text;
    },
    writeStderr: (text: string) => {
      stderr += text;
    },
  };
  const exitCode = await runKept({ plugin, executable }, () => loadPlugin(plugin), host);
  return { exitCode, stdout, stderr };
}
