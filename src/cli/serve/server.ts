/** The server of `fairlead serve`: does plugins' calls in this process, each as it would be done in one of its own. */
import type { Socket } from 'bun';
import { processHost } from '../../cni/index.ts';
import { removeLinksWithoutWaiting } from '../../kernel/rtnetlink/link-removal.ts';
import { removeFile } from '../../kernel/sys/file.ts';
import { bytesFromText } from '../../lib/bytes.ts';
import { runKept } from '../../plugin/main.ts';
import { processFiles } from '../../plugin/process-files.ts';
import { isPluginName, loadPlugin, type PluginName, resolveInProcess } from '../../plugins/names.ts';
import { joined } from '../../plugins/shared/joined.ts';
import { answerHeaderSize, doItYourself, questionLayout, serveSocket, taken } from './message.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { decodeQuestion, ownIdentity, type Question, questionLength } from './question.ts';
import { turns } from './turns.ts';

/** A running server. */
export interface Server {
  /** Takes no more calls, and resolves when those that run have ended. */
  stop(): Promise<void>;
}

/** How a call ended. */
interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing was done. */
const notDone: Answer = { exitCode: doItYourself, stdout: '', stderr: '' };

/** One connection: a question may come in pieces, an answer may go out in pieces. */
interface Dialogue {
  received: Uint8Array;
  unsent: Uint8Array;
  isAnswered: boolean;
}

/** Starts to listen. `mayGoOn` is asked at each connection whether this is still the process to do what is asked. */
export function startServer(mayGoOn: () => boolean): Server {
  const own = ownIdentity();
  const running = new Set<Promise<void>>();
  const inOrder = oneAtATime();
  const inTurn = turns();
  const waits = waitsForKernel();
  let isStopped = false;

  const take = (socket: Socket<Dialogue>, question: Question) => {
    const plugin = pluginOf(question);
    const isForMe = !isStopped && plugin !== undefined && question.identity === own && isForServer(question);
    // Whoever cannot be told that his call is taken does it himself.
    if (!isForMe || socket.write(takenByte(question)) !== 1) return void socket.end();
    const job = inOrder(() => answerTo({ ...question, plugin }, inTurn, waits)).then(
      (answer) => send(socket, encodeAnswer(answer)),
      () => socket.terminate(),
    );
    running.add(job);
    void job.then(() => running.delete(job));
  };
  const listener = listen({
    open(socket) {
      socket.data = { received: new Uint8Array(), unsent: new Uint8Array(), isAnswered: false };
      if (isStopped || !mayGoOn()) socket.end();
    },
    data(socket, bytes) {
      // A copy: what Bun passes is its own.
      const whole = joined(socket.data.received, bytes);
      socket.data.received = whole;
      if (whole.length < questionLayout.identities) return;
      const length = questionLength(whole);
      if (length === undefined || whole.length > length) return void socket.terminate();
      if (whole.length === length) take(socket, decodeQuestion(whole));
    },
    drain: flush,
  });
  return {
    async stop() {
      isStopped = true;
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
  socket.data.isAnswered = true;
  flush(socket);
}

function flush(socket: Socket<Dialogue>): void {
  const { data } = socket;
  const count = socket.write(data.unsent);
  if (count > 0) data.unsent = data.unsent.subarray(count);
  if (data.unsent.length === 0 && data.isAnswered) socket.end();
}

function takenByte({ env }: Question): Uint8Array {
  return new Uint8Array([env['CNI_COMMAND'] === 'ADD' ? taken.add : taken.other]);
}

function encodeAnswer({ exitCode, stdout, stderr }: Answer): Uint8Array {
  const [out, error] = [bytesFromText(stdout), bytesFromText(stderr)];
  const bytes = new Uint8Array(answerHeaderSize + out.length + error.length);
  const header = new DataView(bytes.buffer);
  for (const [index, value] of [exitCode, out.length, error.length].entries())
    header.setUint32(index * 4, value, true);
  bytes.set(out, answerHeaderSize);
  bytes.set(error, answerHeaderSize + out.length);
  return bytes;
}

function pluginOf({ calledAs }: Question): PluginName | undefined {
  const name = calledAs.slice(calledAs.lastIndexOf('/') + 1);
  return isPluginName(name) ? name : undefined;
}

/** A trace is of one process; a path that depends on the working directory means nothing here. */
function isForServer({ env, stdin }: Question): boolean {
  const mayWantTrace = Boolean(env['FAIRLEAD_TRACE']) || stdin.includes('"fairlead"');
  return (
    Boolean(env['CNI_COMMAND']) &&
    !mayWantTrace &&
    isAbsolute(env['CNI_NETNS']) &&
    isAbsolute(env['CNI_PATH'])
  );
}

function isAbsolute(paths = ''): boolean {
  return paths === '' || paths.split(':').every((path) => path.startsWith('/'));
}

type Call = Question & { readonly plugin: PluginName };

/** Calls of one container are done in their order: a DEL does not overtake an ADD that was given up. */
async function answerTo(call: Call, inTurn: ReturnType<typeof turns>, waits: Waits): Promise<Answer> {
  const { CNI_COMMAND, CNI_CONTAINERID } = call.env;
  return await inTurn(CNI_CONTAINERID, async () =>
    waits(call.plugin, CNI_COMMAND) ? notDone : await answerOf(call),
  );
}

/**
 * Whether a call spends most of its time in system calls that wait until the kernel has taken links away: processes wait side
 * by side, and here each would keep the others waiting.
 */
type Waits = (plugin: PluginName, command: string | undefined) => boolean;

/** Where links can be removed without waiting, it is only those that may remove many. */
function waitsForKernel(): Waits {
  const removesAtOnce = removeLinksWithoutWaiting();
  return (plugin, command) =>
    command === 'GC' || (command === 'DEL' && !removesAtOnce && !withoutLinks.has(plugin));
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

async function answerOf({ plugin, calledAs, env, stdin }: Call): Promise<Answer> {
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
  const executable = calledAs.startsWith('/') ? calledAs : process.execPath;
  const exitCode = await runKept({ plugin, executable }, () => loadPlugin(plugin), host);
  return { exitCode, stdout, stderr };
}
