/** Installing into a bin directory that is in use. */
// packages: containernetworking-plugins
import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { pluginNames } from '../../src/plugins/names.ts';
import { createContainer, removeContainers } from '../support/container.ts';
import { add, binDirectory, check, del, runPlugin } from '../support/plugin.ts';
import { runProgram } from '../support/program.ts';
import { executable, fairlead, pods } from './fairlead.ts';

const bin = '/run/cni-bin';
const bridge = { cniVersion: '1.1.0', name: 'pods', ...pods.plugins[0] };

beforeEach(() => {
  mkdirSync(bin);
});

afterEach(() => {
  removeContainers();
  rmSync(bin, { recursive: true, force: true });
});

test('over a live older version, while 20 ADDs run: each of them succeeds', async () => {
  // The older version is another file with the same code: that is what an update in place sees.
  await Bun.$`cp ${executable} ${bin}/fairlead && printf x >> ${bin}/fairlead`.quiet();
  for (const name of pluginNames) await Bun.$`ln -s fairlead ${bin}/${name}`.quiet();
  const before = statSync(`${bin}/fairlead`).ino;
  const containers = Array.from({ length: 20 }, () => createContainer());
  let installations = 0;
  const adding = Promise.all(
    containers.map((container) => add({ plugin: 'bridge', config: bridge, container, binDirectory: bin })),
  );
  let done = false;
  const installing = (async () => {
    while (!done) {
      const { exitCode, stderr } = await fairlead(['install', bin]);
      if (exitCode !== 0) throw new Error(stderr);
      installations++;
      // The next one replaces a file again.
      await Bun.$`cp ${executable} ${bin}/.older && printf x >> ${bin}/.older && mv ${bin}/.older ${bin}/fairlead`.quiet();
    }
  })();
  const results = await adding.finally(() => {
    done = true;
  });
  await installing;
  expect(installations).toBeGreaterThan(0);
  expect(statSync(`${bin}/fairlead`).ino).not.toBe(before);
  expect(new Set(results.map(({ ips }) => ips?.[0]?.address)).size).toBe(20);
  await Promise.all(
    containers.map((container) => del({ plugin: 'bridge', config: bridge, container, binDirectory: bin })),
  );
  expect(readdirSync(bin).filter((name) => name.startsWith('.'))).toEqual([]);
}, 60_000);

test('over the reference plugins: an attachment made by them is removed by ours', async () => {
  cpSync('/usr/lib/cni', bin, { recursive: true });
  const container = createContainer();
  const config = { ...bridge, cniVersion: '1.0.0' };
  await add({ plugin: 'bridge', config, container, binDirectory: bin });
  const { exitCode, stdout } = await fairlead(['install', bin]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^bridge +a link to fairlead, replaced a file$/m);
  for (const name of pluginNames) expect(readlinkSync(`${bin}/${name}`)).toBe('fairlead');
  expect(existsSync(`${bin}/tuning`)).toBe(true);
  await del({ plugin: 'bridge', config, container, binDirectory: bin });
  expect(readdirSync('/var/lib/cni/networks/pods').filter((name) => /^(10\.|fd)/.test(name))).toEqual([]);
});

test('what is installed is a plugin by its name, and can install itself elsewhere', async () => {
  await fairlead(['install', bin]);
  const version = await runPlugin({
    plugin: 'portmap',
    command: 'VERSION',
    config: { cniVersion: '1.1.0' },
    binDirectory: bin,
  });
  expect(version.json).toMatchObject({ cniVersion: '1.1.0' });
  const { exitCode } = await runProgram([`${bin}/fairlead`, 'install', `${bin}/deeper/still`]);
  expect(exitCode).toBe(0);
  expect(statSync(`${bin}/deeper/still/fairlead`).size).toBe(statSync(executable).size);
  expect(statSync(`${bin}/deeper/still`).mode & 0o7777).toBe(0o755);
});

test('--served: the links lead to fairlead-call, which hands over or executes fairlead; and back', async () => {
  const { stdout } = await fairlead(['install', '--served', bin]);
  expect(stdout).toMatch(/^fairlead-call +new$/m);
  expect(readdirSync(bin).sort()).toEqual(['fairlead', 'fairlead-call', ...pluginNames].sort());
  for (const name of pluginNames) expect(readlinkSync(`${bin}/${name}`)).toBe('fairlead-call');
  expect(statSync(`${bin}/fairlead-call`).mode & 0o7777).toBe(0o755);
  const container = createContainer();
  const call = { plugin: 'bridge', config: bridge, container, binDirectory: bin };
  const result = await add(call);
  await check({ ...call, config: { ...bridge, prevResult: result } });
  expect((await fairlead(['install', '--served', bin])).stdout).toMatch(/^fairlead-call +unchanged$/m);
  await Bun.write(`${bin}/fairlead-call`, 'older');
  const repaired = await fairlead(['install', '--served', bin]);
  expect(repaired.stdout).toMatch(/^fairlead-call +replaced a file$/m);
  await check({ ...call, config: { ...bridge, prevResult: result } });
  const back = await fairlead(['install', bin]);
  expect(back.stdout).toMatch(/^bridge +a link to fairlead, replaced a link to fairlead-call$/m);
  expect(back.stdout).toMatch(/^fairlead-call +removed$/m);
  expect(readdirSync(bin).sort()).toEqual(['fairlead', ...pluginNames].sort());
  await del(call);
});

test('a read-only file system: one line, and nothing is changed', async () => {
  await Bun.$`mount -t tmpfs -o ro none ${bin}`.quiet();
  try {
    const { exitCode, stdout, stderr } = await fairlead(['install', bin]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error 5: cannot install into \/run\/cni-bin: EROFS: read-only file system.*\n$/);
    expect(readdirSync(bin)).toEqual([]);
    const below = await fairlead(['install', `${bin}/below`, '--json']);
    expect(JSON.parse(below.stdout)).toMatchObject({ code: 5 });
  } finally {
    await Bun.$`umount ${bin}`.quiet();
  }
});

test('a full disk: one line, and the older version stays', async () => {
  await Bun.$`mount -t tmpfs -o size=1m none ${bin}`.quiet();
  try {
    await Bun.write(`${bin}/bridge`, 'older');
    const { exitCode, stderr } = await fairlead(['install', bin]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error 5: cannot install into \/run\/cni-bin: ENOSPC.*\n$/);
    expect(readdirSync(bin)).toEqual(['bridge']);
    expect(await Bun.file(`${bin}/bridge`).text()).toBe('older');
  } finally {
    await Bun.$`umount ${bin}`.quiet();
  }
});

test('a directory that others may not write: what to do', async () => {
  chmodSync(bin, 0o755);
  await Bun.$`cp ${executable} /run/fairlead-for-all`.quiet();
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const { exitCode, stderr } = await runProgram([...nobody, '/run/fairlead-for-all', 'install', bin]);
  rmSync('/run/fairlead-for-all');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /^error 5: cannot install into \/run\/cni-bin: EACCES: permission denied.*; run it as root\n$/,
  );
  expect(readdirSync(bin)).toEqual([]);
});

test('the default directory', async () => {
  await Bun.$`mount -t tmpfs none /opt`.quiet();
  try {
    expect((await fairlead(['install'])).stdout).toStartWith('installed fairlead ');
    expect(readdirSync('/opt/cni/bin').sort()).toEqual(['fairlead', ...pluginNames].sort());
    expect(
      (await Bun.$`/opt/cni/bin/fairlead status`.env({ PATH: '/usr/bin:/bin' }).nothrow().quiet()).exitCode,
    ).toBe(0);
  } finally {
    await Bun.$`umount /opt`.quiet();
  }
  expect(readdirSync(binDirectory).sort()).toEqual([...pluginNames]);
});
