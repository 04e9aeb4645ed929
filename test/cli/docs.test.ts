/**
 * The examples of docs/command-line.md, run in their order on one node: what the page shows is what happens.
 * `FAIRLEAD_UPDATE_DOCS=1` writes what happens into the page instead.
 */
// packages: containernetworking-plugins iproute2
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { commands } from '../../src/cli/commands/index.ts';
import { optionsOf } from '../../src/cli/parse.ts';
import { output } from '../support/program.ts';
import { played } from './console.ts';
import { executable, netConfPath } from './fairlead.ts';

const page = `${root}/docs/command-line.md`;
const text = readFileSync(page, 'utf8');
const home = '/run/docs';
const env = { PATH: `${home}/bin:/usr/sbin:/usr/bin:/sbin:/bin` };

beforeAll(async () => {
  mkdirSync(`${home}/bin`, { recursive: true });
  await output(['cp', executable, `${home}/bin/fairlead`]);
  await output(['mount', '-t', 'tmpfs', 'none', '/opt']);
  // The page begins on a node that has reference plugins.
  mkdirSync('/opt/cni/bin', { recursive: true });
  for (const name of ['bridge', 'tuning']) await output(['cp', `/usr/lib/cni/${name}`, '/opt/cni/bin/']);
  const [pods = '', bad = ''] = [...text.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, body]) => body);
  mkdirSync(netConfPath, { recursive: true });
  writeFileSync(`${netConfPath}/10-pods.conflist`, pods);
  writeFileSync(`${home}/bad.conflist`, bad);
});

afterAll(async () => {
  await output(['umount', '/opt']);
  rmSync(home, { recursive: true });
});

/** Hardware addresses and names made from them, and dates, differ from run to run. */
function masked(shown: string): string {
  return shown
    .replaceAll(/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, 'MAC')
    .replaceAll(/\bveth[0-9a-f]{8}\b/g, 'vethXXXXXXXX')
    .replaceAll(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b/g, 'DATE and TIME');
}

test('every example shows what happens', async () => {
  const { happened, examples } = await played(text, { env, cwd: home });
  expect(examples).toBeGreaterThan(10);
  if (process.env.FAIRLEAD_UPDATE_DOCS === '1') writeFileSync(page, happened);
  else expect(masked(happened)).toBe(masked(text));
}, 60_000);

test('every command and every option is on the page', () => {
  for (const command of commands) {
    expect(text).toContain(`fairlead ${command.name}`);
    for (const { name } of optionsOf(command)) expect(text).toContain(`--${name}`);
  }
});
