/** CNI_NETNS that is no network namespace: ADD and CHECK say so with code 8, DEL finishes, nothing is left. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { diff, type Snapshot, snapshot } from '../support/node.ts';
import { runPlugin } from '../support/plugin.ts';
import { output } from '../support/program.ts';
import { callOf, refusal, subjects } from './plugins.ts';

const places = [
  ['a plain file', '/run/no-netns/file'],
  ['a directory', '/run/no-netns/directory'],
  ['a pipe', '/run/no-netns/fifo'],
  ['a link to nowhere', '/run/no-netns/link'],
  ['a link to itself', '/run/no-netns/loop'],
  ['nothing', '/run/no-netns/nothing'],
  ['below a file', '/run/no-netns/file/netns'],
  ['a namespace of another kind', '/proc/self/ns/uts'],
  ['a device', '/dev/null'],
  ['a path that is too long', `/run/${'x'.repeat(5000)}`],
] as const;

let before: Snapshot;
beforeAll(async () => {
  mkdirSync('/run/no-netns/directory', { recursive: true });
  writeFileSync('/run/no-netns/file', 'net');
  symlinkSync('/run/nowhere', '/run/no-netns/link');
  symlinkSync('/run/no-netns/loop', '/run/no-netns/loop');
  await output(['mkfifo', '/run/no-netns/fifo']);
  before = await snapshot();
});

const entering = subjects.filter(({ entersNamespace }) => entersNamespace);

describe.each(entering.map((subject) => [subject.plugin, subject] as const))('%s', (_, subject) => {
  test.each(places)('%s', async (_what, netns) => {
    const prevResult = { cniVersion: '1.1.0', interfaces: [], ips: [] };
    const { code, msg } = await refusal(callOf(subject, 'ADD', { netns, timeoutSeconds: 10 }));
    expect({ code, msg }).toEqual({ code: 8, msg: expect.stringContaining(netns.slice(0, 60)) });
    const withResult = { ...subject, config: { ...subject.config, prevResult } };
    await refusal(callOf(withResult, 'CHECK', { netns, timeoutSeconds: 10 }));
    expect(await runPlugin(callOf(subject, 'DEL', { netns, timeoutSeconds: 10 }))).toMatchObject({
      exitCode: 0,
      stdout: '',
    });
  });
});

afterAll(async () => {
  // Files of the store itself stay: the lock, and what says which address was given last.
  const changes = diff(before, await snapshot(), /^file \/var\/lib\/cni\/networks|^sysctl /);
  expect(changes).toEqual([]);
});
