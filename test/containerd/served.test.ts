/** Containers of a real containerd on a node where `fairlead serve` does the plugins' calls. */
// packages: containerd runc busybox-static strace
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readFileSync, rmSync } from 'node:fs';
import { serve, stopServers } from '../serve/server.ts';
import { eventually } from '../support/eventually.ts';
import { imageName } from '../support/image.ts';
import { diff, snapshot } from '../support/node.ts';
import { limit } from '../support/sandbox.ts';
import { type Containerd, startContainerd } from './containerd.ts';
import { example, lasting } from './example.ts';
import { confDirectory, configure, fairlead, mountOpt, unmountOpt } from './installation.ts';

setDefaultTimeout(limit(60));

let containerd: Containerd;

beforeAll(async () => {
  await mountOpt();
  await fairlead('install', '--served');
  containerd = await startContainerd({});
});

afterAll(async () => {
  await containerd?.remove();
  await stopServers();
  rmSync(confDirectory, { recursive: true, force: true });
  rmSync('/run/fairlead', { recursive: true, force: true });
  await unmountOpt();
});

async function run(id: string): Promise<string> {
  const { cgroup, ctr } = containerd;
  const options = ['--rm', '--cni', `--cgroup=${cgroup}/${id}`];
  return ctr('run', ...options, imageName, id, 'sh', '-c', 'ip address; sleep 1');
}

const log = '/run/served.strace';

/** How many connections the server took while something happened. */
async function connectionsDuring(pid: number, happening: () => Promise<unknown>): Promise<number> {
  const watching = Bun.spawn(['strace', '-f', '-qq', '-e', 'trace=accept4', '-o', log, '-p', String(pid)]);
  await Bun.sleep(500);
  await happening();
  watching.kill('SIGINT');
  await watching.exited;
  const lines = readFileSync(log, 'utf8');
  rmSync(log);
  return [...lines.matchAll(/accept4\(.*= \d+$/gm)].length;
}

test('ADD and DEL of each plugin are handed over; a server that comes, goes and stays away is no matter', async () => {
  configure(example('pods'));
  // The first makes what stays: the bridge and the rules.
  expect(await run('before')).toContain('inet 10.');
  const before = await snapshot();
  const server = await serve('/opt/cni/bin/fairlead');
  const connections = await connectionsDuring(server.pid, async () => {
    expect(await run('served')).toContain('inet 10.');
  });
  // bridge and portmap, ADD and DEL each; whether IPAM is called apart is the plugin's own matter.
  expect(connections).toBeGreaterThanOrEqual(4);
  server.kill('SIGTERM');
  await server.exited;
  expect(await run('after')).toContain('inet 10.');
  await eventually(
    'nothing is left of the three',
    async () => diff(before, await snapshot(), lasting).length === 0,
  );
});
