/** What `npm run demo` shows, and that it says so when something does not work. */
import { expect, test } from 'bun:test';
import { diff, snapshot } from '../support/node.ts';
import { runProgram } from '../support/program.ts';

const scripts = new URL('../../scripts/', import.meta.url).pathname;
const argv = [`${scripts}sandbox.sh`, process.execPath, 'run', `${scripts}demo/inside.ts`];
const demo = (env: Readonly<Record<string, string>> = {}) =>
  runProgram(argv, { env: { ...process.env, ...env } as Record<string, string> });

test('every trial is good, and nothing outside of the demo’s own node changes', async () => {
  const before = await snapshot();
  const { exitCode, stdout, stderr } = await demo();
  expect(stderr).toBe('');
  expect(stdout).not.toContain('✗');
  expect(stdout.match(/^ {2}✓ /gm)?.length).toBe(16);
  expect(stdout).toMatch(/cni0 +10\.88\.0\.1 +fd00:10:88::1/);
  expect(stdout).toContain('seen as 2001:db8::1');
  expect(exitCode).toBe(0);
  expect(diff(before, await snapshot())).toEqual([]);
}, 60_000);

test('an executable that is not there ends it with the reason', async () => {
  const { exitCode, stderr } = await demo({ FAIRLEAD_DIST: '/nonexistent' });
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('/nonexistent/fairlead');
}, 60_000);
