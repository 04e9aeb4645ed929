/** docs/write-a-plugin.md as it stands: its commands are run, its changes made, in a node with containerd. */
// packages: containerd runc busybox-static iproute2 iputils-ping
// seconds: 400
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Containerd, startContainerd } from '../containerd/containerd.ts';
import { confDirectory, defaultBinDirectory, mountOpt, unmountOpt } from '../containerd/installation.ts';
import { getFrom, ping, removePod, startPod } from '../containerd/pod.ts';
import { url } from '../containerd/web.ts';
import { emptyCgroup, hasCgroup } from '../support/cgroup.ts';
import { imageName } from '../support/image.ts';
import { type Block, fileBlock, pageBlocks } from '../support/page.ts';
import { dist } from '../support/plugin.ts';
import { type Ended, runProgram } from '../support/program.ts';
import { limit } from '../support/sandbox.ts';
import { repository } from './project.ts';

setDefaultTimeout(limit(180));

const page = pageBlocks('write-a-plugin.md');
/** Where `ctr run` puts containers. */
const ctrCgroup = '/default';

let home: string;
let containerd: Containerd;
let hadCtrCgroup: boolean;

beforeAll(async () => {
  await mountOpt();
  hadCtrCgroup = hasCgroup(ctrCgroup);
  home = mkdtempSync(`${tmpdir()}/fairlead-tutorial-`);
  writeFileSync(`${home}/where`, home);
  const toml = fileBlock('/etc/containerd/config.toml');
  containerd = await startContainerd({ standard: true, toml });
});

afterAll(async () => {
  await containerd.remove();
  if (!hadCtrCgroup) await emptyCgroup(ctrCgroup);
  rmSync(confDirectory, { recursive: true, force: true });
  await unmountOpt();
  rmSync(home, { recursive: true });
});

/** There is no network to pull from here: the image that was made on this machine gets the name. */
const standIn = `ctr() {
  if [ "$1 $2" = "image pull" ]; then command ctr image tag ${imageName} "$3"; else command ctr "$@"; fi
}`;

/** Runs a script where the reader's shell is now, which may go elsewhere. */
function shell(script: string): Promise<Ended> {
  const where = readFileSync(`${home}/where`, 'utf8').trim();
  const env = {
    ...process.env,
    PATH: `${dist}:${process.env.PATH}`,
    npm_config_cache: `${home}/npm`,
    npm_config_update_notifier: 'false',
    // What the tests run may be built anywhere; the reader's `dist` is in the checkout.
    FAIRLEAD_SOURCE: repository,
  } as Record<string, string>;
  const argv = ['sh', '-ec', `${standIn}\n${script}\npwd > ${home}/where`];
  return runProgram(argv, { cwd: where, env, timeoutSeconds: 150 });
}

/** The commands of a block: all succeed. */
async function runCommands({ text }: Block): Promise<void> {
  const { exitCode, stdout, stderr } = await shell(text);
  if (exitCode !== 0) throw new Error(`${text}: exit code ${exitCode}\n${stdout}${stderr}`);
}

/** Commands with what they print: each line that the page shows is a part of what really is printed. */
async function runExamples({ text }: Block): Promise<void> {
  for (const part of text.split(/^\$ /m).slice(1)) {
    const [command = '', ...lines] = part.trimEnd().split('\n');
    const { stdout, stderr } = await shell(`${command} || true`);
    const printed = (stdout + stderr).replaceAll(/\s+/g, ' ');
    const shown = lines.map((line) => line.trim());
    expect({ command, printed, missing: shown.filter((line) => !printed.includes(line)) }).toEqual({
      command,
      printed,
      missing: [],
    });
  }
}

/** Makes a change: the lines with `-` and those around them are there once, and become those with `+`. */
function change({ title, text }: Block): void {
  const lines = text.trimEnd().split('\n');
  const kept = (sign: string) =>
    lines.filter((line) => line.startsWith(sign) || line.startsWith(' ')).map((line) => `${line.slice(1)}\n`);
  const [before, after] = [kept('-').join(''), kept('+').join('')];
  const file = `${readFileSync(`${home}/where`, 'utf8').trim()}/${title}`;
  const parts = readFileSync(file, 'utf8').split(before);
  if (parts.length !== 2) throw new Error(`${title} has not once:\n${before}`);
  writeFileSync(file, parts.join(after));
}

async function follow(section: string): Promise<void> {
  const blocks = page.filter((block) => block.section === section);
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks) {
    if (block.language === 'sh') await runCommands(block);
    else if (block.language === 'console') await runExamples(block);
    else if (block.language === 'diff') change(block);
    else throw new Error(`a block of ${block.language} in "${section}"`);
  }
}

test('Begin', () => follow('Begin'));
test('Change it', () => follow('Change it'));
test('Break it', () => follow('Break it'));
test('Install it', () => follow('Install it'));

test('In containerd', async () => {
  await follow('In containerd');
  const [one, two] = [await startPod(containerd, 'one'), await startPod(containerd, 'two')];
  expect(one.ipv4).toMatch(/^10\.89\.0\.\d+$/);
  expect(await getFrom(containerd, one, url(two.ipv4))).toMatchObject({ stdout: 'two\n' });
  expect(await getFrom(containerd, two, url(one.ipv6))).toMatchObject({ stdout: 'one\n' });
  expect(await ping(containerd, one, '10.89.0.1')).toMatchObject({ exitCode: 0 });
  for (const pod of [one, two]) await removePod(containerd, pod);
  expect((await runProgram(['ip', '-o', 'link', 'show', 'type', 'veth'])).stdout).toBe('');
});

test('When it fails', async () => {
  await follow('When it fails');
  expect(existsSync(`${defaultBinDirectory}/my-network`)).toBe(false);
});

test('The smallest plugin is the one in examples', () => {
  const file = 'examples/plugins/smallest.ts';
  const [shown] = page.filter(({ title }) => title === file);
  expect(shown?.text).toBe(readFileSync(`${repository}/${file}`, 'utf8'));
});

test('every link of the page leads somewhere', () => {
  const text = readFileSync(`${repository}/docs/write-a-plugin.md`, 'utf8');
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-');
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => `#${anchor(heading)}`);
  const dead = links.filter((target) => {
    if (target.startsWith('#')) return !headings.includes(target);
    return !existsSync(`${repository}/docs/${target.replace(/#.*/, '')}`);
  });
  expect(dead).toEqual([]);
});
