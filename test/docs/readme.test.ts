/** The commands that README.md gives for a node, run as they stand, in their order. */
// packages: iputils-ping
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { binDirectory, dist } from '../support/plugin.ts';
import { output } from '../support/program.ts';
import { requireSandbox } from '../support/sandbox.ts';
import { blocksOf, pageText } from './page.ts';

// Before anything else: also what cleans up would change the machine.
requireSandbox();

beforeAll(async () => void (await output(['mount', '-t', 'tmpfs', 'none', '/opt'])));
afterAll(async () => {
  await output(['umount', '/opt']);
  rmSync('/etc/cni/net.d', { recursive: true, force: true });
});

/** The runner has built it; where, FAIRLEAD_DIST says. */
const run = (line: string) =>
  output(['bash', '-c', `cd ${root}\n${line.replaceAll('dist/fairlead', `${dist}/fairlead`)}`]);

test('put it on a node, and see what it does', async () => {
  const [two = '', ...blocks] = blocksOf(pageText('README.md')).map(({ text }) => text.trim());
  expect(two.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual(['npm run demo', 'npm test']);
  const lines = blocks.flatMap((text) => text.split('\n'));
  const shown = [];
  for (const line of lines.filter((each) => !each.startsWith('npm run build'))) shown.push(await run(line));
  const [installed, , validated, connected, listed, pinged] = shown;
  expect(installed).toContain('installed fairlead');
  expect(readdirSync('/opt/cni/bin').sort()).toEqual(['fairlead', ...readdirSync(binDirectory)].sort());
  expect(validated).toContain('pods');
  expect(connected).toContain('connected eth0 in /run/netns/blue');
  expect(listed).toContain('/run/netns/blue');
  expect(pinged).toContain(' 0% packet loss');
  expect(existsSync('/run/netns/blue')).toBe(false);
}, 30_000);
