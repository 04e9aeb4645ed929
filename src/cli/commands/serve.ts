import { CniError } from '../../cni/index.ts';
import { closeSync, constants, mkdirSync, openSync, statIfThere } from '../../kernel/sys/file.ts';
import { tryLockExclusive } from '../../kernel/sys/libc.ts';
import type { Command, Report } from '../command.ts';
import { serveDirectory } from '../serve/message.ts';
import { startServer } from '../serve/server.ts';

/** `fairlead serve`. */
export const serve: Command = {
  name: 'serve',
  summary: 'does the plugins\u2019 calls in one process that stays, several times as fast',
  about: `Stays, and does what the plugins of this executable are called for. Where it was installed with
--served their processes find it, hand their call over and print its answer. Nothing depends on it:
where it does not run, is about to end, or is another version, every plugin does its work itself. It
ends at SIGTERM, when the calls that run are done, and when its executable was replaced: what
supervises it starts the new one.`,
  parameters: [],
  options: [],
  examples: ['fairlead serve'],
  run,
};

async function run(): Promise<Report> {
  const lock = takeLock();
  // The runtime compiles to machine code what it runs often: this process runs for long.
  Bun.unsafe.setJITPolicy(1);
  process.umask(0o022);
  Error.stackTraceLimit = 0;
  try {
    const reason = await untilEnd();
    return { text: () => `ended: ${reason}\n`, json: { reason } };
  } finally {
    closeSync(lock);
  }
}

/** Throws a `CniError` (4) where another process serves. */
function takeLock(): number {
  mkdirSync(serveDirectory, { recursive: true, mode: 0o700 });
  const path = `${serveDirectory}/serve.lock`;
  const fd = openSync(path, constants.O_RDONLY | constants.O_CREAT, 0o600);
  if (tryLockExclusive(fd, path)) return fd;
  closeSync(fd);
  throw new CniError('invalidEnvironment', '`fairlead serve` runs on this node already');
}

async function untilEnd(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const own = executableFile();
  const server = startServer(() => {
    const isOwn = executableFile() === own;
    if (!isOwn) resolve('the executable was replaced');
    return isOwn;
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  const reason = await promise;
  await server.stop();
  return reason;
}

function executableFile(): string | undefined {
  const file = statIfThere(process.execPath);
  return file && `${file.dev} ${file.ino}`;
}
