/** A plugin's process gives its call to `fairlead serve`, where that runs: what is warm already is done sooner. */
import { stdinLimit } from '../../cni/host.ts';
import { readAll, writeAll } from '../../cni/process-host.ts';
import { closeSync } from '../../kernel/sys/file.ts';
import { connectUnix, receiveText, sendText } from '../../kernel/sys/unix-socket.ts';
import { executedPath, processFiles } from '../../plugin/process-files.ts';
import { type Answer, identity, type Question, serveSocket, terminator } from './message.ts';

/** A server that does not say at once who it is, in milliseconds, is stuck or stopped: the call is done here. */
const helloPatience = 500;

/** A call that was done by the server; or how to read standard input, where that was read already. */
export type HandedOver =
  | { readonly exitCode: number }
  | { readonly exitCode?: undefined; readonly readStdin?: () => string };

/**
 * Gives the call to the server and prints its answer. Where there is no server, or one that would not do just the same,
 * nothing is done and the caller goes on. Throws SystemError where the answer cannot be printed.
 */
export async function handOver(plugin: string): Promise<HandedOver> {
  if (!isForServer(process.env)) return {};
  const fd = connectUnix(serveSocket);
  if (fd < 0) return {};
  // What takes its time is done while the server wakes up.
  const own = identity();
  const readStdin = readOnce();
  const isSame = receiveText(fd, helloPatience) === own;
  const answer = isSame ? await ask(fd, plugin, readStdin) : 'doItYourself';
  closeSync(fd);
  if (answer === 'doItYourself') return { readStdin };
  writeAll(processFiles, 1, answer.stdout);
  if (answer.stderr !== '') writeAll(processFiles, 2, answer.stderr);
  return { exitCode: answer.exitCode };
}

/** Reads standard input, which can be read only once, for whoever asks for it: the text, or the same error each time. */
function readOnce(): () => string {
  try {
    const text = readAll(processFiles, 0, stdinLimit);
    return () => text;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** A trace is of this process; a path that depends on the working directory means nothing elsewhere. */
function isForServer({ CNI_COMMAND, CNI_NETNS, CNI_PATH, FAIRLEAD_TRACE }: NodeJS.ProcessEnv): boolean {
  return Boolean(CNI_COMMAND) && !FAIRLEAD_TRACE && isAbsolute(CNI_NETNS) && isAbsolute(CNI_PATH);
}

function isAbsolute(paths = ''): boolean {
  return paths === '' || paths.split(':').every((path) => path.startsWith('/'));
}

/** Never throws: what the server does not get, or the plugin cannot read, is the plugin's own. */
async function ask(fd: number, plugin: string, readStdin: () => string): Promise<Answer> {
  const { env } = process;
  try {
    const question: Question = { plugin, executable: executedPath(), env, stdin: readStdin() };
    sendText(fd, JSON.stringify(question) + terminator);
  } catch {
    return 'doItYourself';
  }
  const answer = receiveText(fd, 0);
  if (answer !== undefined) return JSON.parse(answer) as Answer;
  // What else a call does, it does as well a second time.
  return env['CNI_COMMAND'] === 'ADD' ? await unfinishedAdd() : 'doItYourself';
}

async function unfinishedAdd(): Promise<Exclude<Answer, 'doItYourself'>> {
  const { CniError, encodeError } = await import('../../cni/error.ts');
  const { currentVersion } = await import('../../cni/version.ts');
  const error = new CniError(
    'tryAgainLater',
    'the process of `fairlead serve` ended during this ADD',
    'DEL removes what it had done',
  );
  return { exitCode: 1, stdout: `${JSON.stringify(encodeError(error, currentVersion))}\n`, stderr: '' };
}
