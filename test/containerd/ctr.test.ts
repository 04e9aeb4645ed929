/** Containers without CRI: `ctr run --cni`, which looks in /etc/cni/net.d and /opt/cni/bin. */
// packages: containerd runc busybox-static
// seconds: 180
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync, rmSync } from 'node:fs';
import { eventually } from '../support/eventually.ts';
import { imageName } from '../support/image.ts';
import { diff, type Snapshot, snapshot } from '../support/node.ts';
import { output, runProgram } from '../support/program.ts';
import { limit } from '../support/sandbox.ts';
import { type Containerd, shims, startContainerd } from './containerd.ts';
import { example, lasting } from './example.ts';
import { confDirectory, configure, fairlead, mountOpt, unmountOpt } from './installation.ts';
import { getCommand, serveCommand, url } from './web.ts';

setDefaultTimeout(limit(60));

let containerd: Containerd;

beforeAll(async () => {
  await mountOpt();
  await fairlead('install');
  containerd = await startContainerd({});
});

afterAll(async () => {
  await containerd?.remove();
  rmSync(confDirectory, { recursive: true });
  await unmountOpt();
});

/** The command that runs a container on the network. */
function runCommand(id: string, options: readonly string[], command: readonly string[]): readonly string[] {
  const { cgroup, ctrCommand } = containerd;
  return ctrCommand('run', '--cni', `--cgroup=${cgroup}/${id}`, ...options, imageName, id, ...command);
}

async function exec(id: string, command: readonly string[]): Promise<string> {
  return containerd.ctr('tasks', 'exec', `--exec-id=exec-${Bun.nanoseconds()}`, id, ...command);
}

/** What `ip address` shows of eth0 in a container. */
function addressesIn(text: string): { ipv4: string; ipv6: string } {
  const [, ipv4 = ''] = /inet ([\d.]+)\/16 .*global eth0/.exec(text) ?? [];
  const [, ipv6 = ''] = /inet6 (fd00:[\da-f:]+)\/64 /.exec(text) ?? [];
  return { ipv4, ipv6 };
}

/** A container that serves its own id as a page, until it is killed; ctr stays beside it and cleans up after it. */
async function startServer(id: string) {
  const serve = ['sh', '-c', `echo ${id} > /www/index.html; exec ${serveCommand('/www').join(' ')}`];
  const running = Bun.spawn([...runCommand(id, ['--rm'], serve)], { stdio: ['ignore', 'pipe', 'pipe'] });
  await eventually(`${id} serves`, async () => (await exec(id, getCommand(url('127.0.0.1')))) === `${id}\n`);
  const stop = async () => {
    await containerd.ctr('tasks', 'kill', '--signal=SIGKILL', id);
    await running.exited;
  };
  return { id, stop, ...addressesIn(await exec(id, ['ip', 'address'])) };
}

describe.each(['0.4.0', '1.0.0'])('a configuration list of version %s', (cniVersion) => {
  let before: Snapshot;

  beforeAll(async () => {
    configure({ ...example('pods'), cniVersion, cniVersions: undefined });
    // The first one makes the bridge and the table.
    await output(runCommand('first', ['--rm'], ['ip', 'address']));
    before = await snapshot();
  });

  test('containers reach each other; nothing stays of those that have ended', async () => {
    const [one, two] = [await startServer('one'), await startServer('two')];
    expect([one, two].map(({ ipv4 }) => ipv4)).toEqual([
      expect.stringMatching(/^10\.88\./),
      expect.stringMatching(/^10\.88\./),
    ]);
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      // ctr 1.6 sometimes ends before it has printed all that such a short command wrote.
      for (const address of [to.ipv4, to.ipv6])
        await eventually(
          `${from.id} gets the page of ${to.id} from ${address}`,
          async () => (await exec(from.id, getCommand(url(address)))) === `${to.id}\n`,
        );
    }
    for (const { stop } of [one, two]) await stop();
    await eventually('their shims have ended', async () => shims(containerd).length === 0);
    expect(diff(before, await snapshot(), lasting)).toEqual([]);
  });

  test('nor of one whose command cannot be started', async () => {
    const { exitCode, stderr } = await runProgram(runCommand('broken', ['--rm'], ['/no/such/file']));
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('/no/such/file');
    expect(diff(before, await snapshot(), lasting)).toEqual([]);
  });

  test('ctr 1.6 runs no DEL for a detached container: fairlead gc does', async () => {
    await output(runCommand('detached', ['--detach'], ['sleep', 'infinity']));
    expect((await snapshot()).length).toBeGreaterThan(before.length);
    await fairlead('gc', 'pods');
    expect(addressesIn(await exec('detached', ['ip', 'address'])).ipv6).toStartWith('fd00:10:88::');
    await containerd.ctr('tasks', 'delete', '--force', 'detached');
    await containerd.ctr('containers', 'delete', 'detached');
    expect(readdirSync('/var/lib/cni/results')).toEqual(['pods-default-detached-eth0']);
    await fairlead('gc', 'pods');
    expect(diff(before, await snapshot(), lasting)).toEqual([]);
  });
});
