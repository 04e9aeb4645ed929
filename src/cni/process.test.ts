/** A plugin as a process of its own: what only descriptors can do to it. */
import { expect, test } from 'bun:test';
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const command = ['node_modules/.bin/bun', 'examples/plugins/address-list.ts'].map((path) =>
  join(repository, path),
);

const env = {
  PATH: process.env.PATH,
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/run/netns/a',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};

function run(options: SpawnSyncOptions, shell = 'exec "$@"') {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', shell, 'sh', ...command], {
    env,
    timeout: 20_000,
    ...options,
  });
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

/** Runs and expects one error object, with nothing on standard error. */
function failure(options: SpawnSyncOptions, shell?: string) {
  const { status, stdout, stderr } = run(options, shell);
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  return JSON.parse(stdout) as { code: number; msg: string };
}

test('50 MB on standard input', () => {
  const { code, msg } = failure({ input: `{"name":"${'x'.repeat(50 * 1024 * 1024)}"}` });
  expect({ code, msg }).toEqual({ code: 6, msg: 'the configuration on standard input is larger than 4 MiB' });
});

test('what is no UTF-8 on standard input', () => {
  const input = Buffer.concat([
    Buffer.from('{"type":"t","name":"'),
    Buffer.from([0xff, 0xc0, 0x80]),
    Buffer.from('"}'),
  ]);
  const { code, msg } = failure({ input });
  expect(code).toBe(7);
  expect(msg).toContain('`name` of plugin `address-list` must start with a letter');
});

test('binary rubbish on standard input', () => {
  expect(
    failure({ input: Buffer.from(Array.from({ length: 10_000 }, (_, at) => (at * 37) % 256)) }).code,
  ).toBe(6);
});

test('nothing on standard input, and no standard input', () => {
  expect(failure({ input: '' }).msg).toContain('standard input is empty');
  expect(failure({}, 'exec "$@" <&-').code).toBeGreaterThan(4);
});

test('a directory as standard input', () => {
  expect(failure({}, 'exec "$@" </').code).toBe(5);
});

test('an answer that nobody reads, and one that cannot be written', () => {
  const input = '{"cniVersion":"1.0.0"}';
  const asked = { ...env, CNI_COMMAND: 'VERSION' };
  expect(run({ input, env: asked }, '("$@"; echo $? >&2) | true').stderr).toBe('0\n');
  const full = run({ input, env: asked }, 'exec "$@" >/dev/full');
  expect(full.status).toBe(1);
  expect(full.stderr).toContain('address-list: ENOSPC');
});
