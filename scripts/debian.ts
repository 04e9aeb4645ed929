/** Debian packages that a test or the demo needs, installed where they are missing. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { run } from './process.ts';

/** Invoke-rc.d and deb-systemd-invoke ask this program whether a package's service may be started; 101 forbids it. */
const policyFile = '/usr/sbin/policy-rc.d';

async function missingOf(packages: readonly string[]): Promise<readonly string[]> {
  // Without output for a package that dpkg never heard of, and with exit code 1 where there is one such.
  const format = `\${Package} \${db:Status-Status}\n`;
  const { output } = await run(['dpkg-query', '--show', `--showformat=${format}`, ...packages]);
  const installed = new Set(output.split('\n').filter((line) => line.endsWith(' installed')));
  return packages.filter((name) => !installed.has(`${name} installed`));
}

async function apt(args: readonly string[]): Promise<void> {
  const ended = await run(['apt-get', '-q', '-y', ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    timeoutSeconds: 600,
  });
  if (ended.exitCode === 0) return;
  throw new Error(`apt-get ${args.join(' ')}: exit code ${ended.exitCode}\n${ended.output}`);
}

/** Installs packages without starting the services in them: tests start their own daemons, with their own state. */
async function install(packages: readonly string[]): Promise<void> {
  const ownPolicy = !existsSync(policyFile);
  if (ownPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const args = ['install', '--no-install-recommends', ...packages];
    // A machine's package lists may be missing or older than what the archive still has.
    await apt(args).catch(async () => {
      await apt(['update']);
      await apt(args);
    });
  } finally {
    if (ownPolicy) rmSync(policyFile, { force: true });
  }
}

/**
 * Makes sure that these Debian packages are installed. Says which are installed now, and what for.
 * @throws Error with apt's own output where one cannot be installed.
 */
export async function requirePackages(
  packages: readonly string[],
  why: string,
  say: (line: string) => void,
): Promise<void> {
  if (packages.length === 0) return;
  const missing = await missingOf(packages);
  if (missing.length === 0) return;
  say(`installing Debian packages for ${why}: ${missing.join(' ')} ...`);
  await install(missing);
}
