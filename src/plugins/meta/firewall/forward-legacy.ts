/**
 * FORWARD of iptables-legacy, which has no netlink: it is read by getsockopt(2), as iptables-legacy itself does. Writing it
 * means replacing the whole table under that program's lock, so that is left to it: the one program that Fairlead executes
 * (docs/decisions/0014), once for a node, and only where its FORWARD is in use.
 */
import { CniError } from '../../../cni/index.ts';
import { existsSync } from '../../../kernel/sys/file.ts';
import { bytesFromText } from '../../../lib/bytes.ts';
import type { IpFamily } from '../../../lib/ip.ts';
import {
  acceptMark,
  comments,
  type ForwardState,
  missingParts,
  ownChain,
  type Part,
  problemsOf,
} from './forward-state.ts';
import { readFilter } from './legacy-table.ts';

/** Another process may write between reading and writing; then it is read again. */
const attempts = 5;

/** Writes what is missing. Throws a `CniError` where the program that could is missing, or fails. */
export async function openLegacyForward(family: IpFamily, adminChain: string): Promise<void> {
  let failure = '';
  for (let attempt = 0; attempt < attempts; attempt++) {
    const missing = missingParts(readState(family, adminChain));
    if (missing.length === 0) return;
    failure = await restore(
      family,
      missing.map((part) => lineFor(part, adminChain)),
    );
  }
  throw new CniError('internal', `iptables-legacy could not write its chain FORWARD (IPv${family})`, failure);
}

/** What is missing, in words. */
export function legacyForwardProblems(family: IpFamily, adminChain: string): string[] {
  return problemsOf(
    `table filter of ${family === 4 ? 'iptables-legacy' : 'ip6tables-legacy'}`,
    adminChain,
    readState(family, adminChain),
  );
}

/** Throws a `CniError` (50) where FORWARD needs rules that no program is there to write. */
export async function requireLegacyProgram(family: IpFamily, adminChain: string): Promise<void> {
  if (missingParts(readState(family, adminChain)).length > 0)
    await restoreProgram(family, 'pluginNotAvailable');
}

function readState(family: IpFamily, adminChain: string): ForwardState {
  const { drops, chains } = readFilter(family);
  const forward = chains.get('FORWARD') ?? [];
  const own = chains.get(ownChain);
  const hasAdminChain = chains.has(adminChain);
  return {
    isUsed: drops || forward.length > 0 || hasAdminChain,
    hasForward: true,
    hasOwnChain: own !== undefined,
    hasAdminChain,
    enters: forward.some(({ jump }) => jump === ownChain),
    asksAdmin: own?.some(({ jump }) => jump === adminChain) === true,
    accepts: own?.some(({ comment }) => comment === comments.accept) === true,
  };
}

function lineFor(part: Part, adminChain: string): string {
  const mark = `0x${acceptMark.toString(16)}`;
  const commented = (comment: string) => `-m comment --comment "${comment}"`;
  const lines: Readonly<Record<Part, string>> = {
    forward: '',
    'own chain': `-N ${ownChain}`,
    'admin chain': `-N ${adminChain}`,
    accept: `-A ${ownChain} -m mark --mark ${mark}/${mark} ${commented(comments.accept)} -j ACCEPT`,
    admin: `-I ${ownChain} 1 ${commented(comments.admin)} -j ${adminChain}`,
    enter: `-I FORWARD 1 ${commented(comments.enter)} -j ${ownChain}`,
  };
  return lines[part];
}

/** Carries out these lines together or not at all; what the program said where it failed. */
export async function restore(family: IpFamily, lines: readonly string[]): Promise<string> {
  const program = await restoreProgram(family);
  const input = ['*filter', ...lines, 'COMMIT', ''].join('\n');
  const { exitCode, stderr } = await execute([program, '--wait', '10', '--noflush'], input);
  return exitCode === 0 ? '' : `${program}: ${stderr.trim().replaceAll(/\s*\n\s*/g, '; ')}`;
}

/** The plain name is iptables-nft's on most nodes, and the only one where iptables is older than that. */
async function restoreProgram(
  family: IpFamily,
  code: 'internal' | 'pluginNotAvailable' = 'internal',
): Promise<string> {
  const start = family === 4 ? 'iptables' : 'ip6tables';
  const directories = new Set([...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']);
  const find = (name: string) =>
    [...directories]
      .map((directory) => `${directory}/${name}`)
      .find((path) => path.startsWith('/') && existsSync(path));
  const legacy = find(`${start}-legacy-restore`);
  if (legacy !== undefined) return legacy;
  const plain = find(`${start}-restore`);
  const isForNftables = async (program: string) =>
    (await execute([program, '--version'], '')).stdout.includes('nf_tables');
  if (plain !== undefined && !(await isForNftables(plain))) return plain;
  throw new CniError(
    code,
    `the chain FORWARD of ${start}-legacy needs a rule for containers, and ${start}-legacy-restore is not there`,
    'install the iptables that wrote it, or take its rules away',
  );
}

async function execute(argv: readonly string[], input: string) {
  const child = Bun.spawn([...argv], {
    stdin: bytesFromText(input),
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: 30_000,
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}
