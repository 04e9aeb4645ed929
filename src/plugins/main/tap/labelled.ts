/**
 * A tap with the SELinux context of the program that will open it: the key `selinuxContext`. The kernel gives a tap the
 * context of the process that makes it (selinux_tun_dev_alloc_security, security/selinux/hooks.c), and a process
 * with several threads cannot change its own. So this executable is executed once more, in that context, with /dev/net/tun
 * open already: it needs no more of the node than that. The reference does the same with `ip tuntap`.
 */
import { CniError } from '../../../cni/index.ts';
import type { NetworkNamespace } from '../../../kernel/netns/netns.ts';
import { closeSync, constants, openSync, readFileSync, writeSync } from '../../../kernel/sys/file.ts';
import { SystemError } from '../../../kernel/sys/libc.ts';
import { type NewTap, openTunDevice } from '../../../kernel/tap/tap.ts';
import { tapMaker } from '../../shared/tap-maker-name.ts';
import type { TapMakerAnswer } from './tap-maker.ts';

/** The context that the calling (main) thread's next execve(2) changes to (proc_pid_attr(5)). */
const execLabel = '/proc/thread-self/attr/exec';

/** As createTap, in an SELinux context. Throws a `CniError` (2, 7), SystemError. */
export function createLabelledTap(netns: NetworkNamespace, tap: NewTap, context: string): void {
  const fd = openTunDevice(netns);
  try {
    setExecContext(context);
    const { operation, errno } = answerOf(fd, tap);
    if (operation !== undefined && errno !== undefined) throw new SystemError(operation, errno);
  } finally {
    closeSync(fd);
  }
}

function setExecContext(context: string): void {
  try {
    writeExecLabel(context);
  } catch (error) {
    throw explained(error);
  }
}

function writeExecLabel(text: string): void {
  const fd = openSync(execLabel, constants.O_WRONLY);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

/** Bun starts a process by vfork(2) of the main thread, which is the one that the context was set for. */
function answerOf(fd: number, tap: NewTap): TapMakerAnswer {
  try {
    const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, JSON.stringify(tap)], {
      argv0: tapMaker,
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', fd],
    });
    if (exitCode === 0) return JSON.parse(stdout.toString()) as TapMakerAnswer;
    throw new Error(`exit code ${exitCode}: ${stderr.toString().trim()}`);
  } catch (error) {
    throw new CniError(
      'internal',
      `\`selinuxContext\` of plugin \`tap\`: making the tap by ${process.execPath} in that context failed`,
      error instanceof Error ? error.message : String(error),
    );
  } finally {
    // What else this process may execute, an IPAM plugin for one, has its own context. An empty line is none.
    writeExecLabel('\n');
  }
}

/** SELinux and a kernel without it say EINVAL both. */
function explained(error: unknown): unknown {
  const { code = '' } = error as { code?: string };
  if (!['EINVAL', 'ENOENT', 'EOPNOTSUPP'].includes(code)) return error;
  if (!/\bselinuxfs$/m.test(readFileSync('/proc/filesystems', 'utf8'))) {
    return new CniError(
      'unsupportedField',
      "`selinuxContext` of plugin `tap`: this node's kernel has no SELinux, or it is turned off",
    );
  }
  return new CniError(
    'invalidConfig',
    "`selinuxContext` of plugin `tap` must be a context of the node's SELinux policy",
    error instanceof Error ? error.message : String(error),
  );
}
