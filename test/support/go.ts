/** Go, with which other people's programs are compiled for the tests, where this machine has it. */
import { run } from '../../scripts/process.ts';

/** Whether there is a Go of that version or a newer one: `1.21`. */
export async function hasGo(version: string): Promise<boolean> {
  if (Bun.which('go') === null) return false;
  const found = (await run(['go', 'env', 'GOVERSION'])).output.trim().replace(/^go/, '');
  return Bun.semver.order(found, `${version}.0`) >= 0;
}

/** Runs `go`, without C. Checksums are held against Go's own database, as always. @throws Error with its output */
export async function go(
  args: readonly string[],
  timeoutSeconds: number,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const ended = await run(['go', ...args], {
    env: { CGO_ENABLED: '0', GOWORK: 'off', ...env },
    timeoutSeconds,
  });
  if (ended.exitCode !== 0)
    throw new Error(`go ${args.join(' ')}: exit code ${ended.exitCode}\n${ended.output}`);
}
