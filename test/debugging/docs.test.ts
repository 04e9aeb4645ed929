/**
 * The examples of docs/debugging.md, run in their order on one node: what the page shows is what happens.
 * `FAIRLEAD_UPDATE_DOCS=1` writes what happens into the page instead.
 */
// packages: iproute2 nftables iputils-ping jq
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { played } from '../cli/console.ts';
import { executable, netConfPath } from '../cli/fairlead.ts';
import { output } from '../support/program.ts';

const page = `${root}/docs/debugging.md`;
const text = readFileSync(page, 'utf8');
const home = '/run/debugging-docs';
const bin = '/opt/cni/bin';

beforeAll(async () => {
  mkdirSync(home);
  await output(['mount', '-t', 'tmpfs', 'none', '/opt']);
  await output([executable, 'install', bin]);
  mkdirSync(netConfPath, { recursive: true });
  const [, network = ''] = /^```json\n([\s\S]*?)^```$/m.exec(text) ?? [];
  writeFileSync(`${netConfPath}/10-pods.conflist`, network);
});

afterAll(async () => {
  await output(['umount', '/opt']);
  rmSync(home, { recursive: true });
});

/** What differs from run to run: hardware addresses, names made from them, and times. */
function masked(shown: string): string {
  return shown
    .replaceAll(/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, 'MAC')
    .replaceAll(/\bfe80::[0-9a-f:]+/g, 'LINKLOCAL')
    .replaceAll(/\bveth[0-9a-f]{8}\b/g, 'vethXXXXXXXX')
    .replaceAll(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b/g, 'TIME');
}

test('every example shows what happens', async () => {
  const env = { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` };
  const { happened, examples } = await played(text, { env, cwd: home });
  expect(examples).toBeGreaterThan(5);
  if (process.env.FAIRLEAD_UPDATE_DOCS === '1') writeFileSync(page, happened);
  else expect(masked(happened)).toBe(masked(text));
}, 60_000);
