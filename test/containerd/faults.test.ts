/** What goes wrong under a Pod: containerd killed, its processes killed, no address left, a list that it refuses. */
// packages: containerd runc busybox-static
// seconds: 240
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync, rmSync } from 'node:fs';
import { kill } from 'node:process';
import { ip } from '../support/container.ts';
import { eventually } from '../support/eventually.ts';
import { diff, type Snapshot, snapshot } from '../support/node.ts';
import { output, runProgram } from '../support/program.ts';
import { limit } from '../support/sandbox.ts';
import { type Containerd, endShims, shims, startContainerd, useConflist } from './containerd.ts';
import { example, lasting } from './example.ts';
import { createNeighbour, type Neighbour, wire } from './neighbour.ts';
import { getFrom, ping, podConfig, removePod, startPod } from './pod.ts';
import { get, url, webPort } from './web.ts';

setDefaultTimeout(limit(60));

const hostPort = 8000;
const published = [{ protocol: 'TCP', container_port: webPort, host_port: hostPort }] as const;

let containerd: Containerd;
let outside: Neighbour;
let before: Snapshot;

beforeAll(async () => {
  outside = await createNeighbour();
  containerd = await startContainerd({ conflist: example('pods') });
  await removePod(containerd, await startPod(containerd, 'first', published));
  before = await snapshot();
});

afterAll(async () => {
  await containerd?.remove();
  await outside?.remove();
});

/** Every test leaves the node as it was. */
afterEach(async () => {
  await eventually('no shim is left', async () => shims(containerd).length === 0);
  expect(diff(before, await snapshot(), lasting)).toEqual([]);
});

/**
 * What containerd 1.6 had not written down when it was killed, or had struck out already, it forgets: shims, and
 * namespaces that it had made. No plugin has been called for those yet, so there is nothing in them.
 */
async function removeForgotten(): Promise<void> {
  await endShims(containerd);
  for (const name of readdirSync('/run/netns').filter((each) => each.startsWith('cni-'))) {
    const netns = `/run/netns/${name}`;
    if ((await runProgram(['mountpoint', '-q', netns])).exitCode === 0) {
      expect((await ip(netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
      await output(['umount', '--lazy', netns]);
    }
    rmSync(netns);
  }
}

/** Kills containerd some milliseconds after a call has begun, and starts it again. */
async function killAfter(moment: number, call: Promise<unknown>): Promise<void> {
  await Bun.sleep(moment);
  await containerd.kill();
  await call;
  await containerd.start();
}

describe('containerd killed', () => {
  test('while Pods run: they go on, and can be stopped by the one that comes after it', async () => {
    const one = await startPod(containerd, 'one', published);
    const two = await startPod(containerd, 'two');
    await containerd.kill();
    expect(await get(outside.netns, url(wire.node.ipv4, hostPort))).toMatchObject({ stdout: 'one\n' });
    expect(await get(outside.netns, url(wire.node.ipv6, hostPort))).toMatchObject({ stdout: 'one\n' });
    await containerd.start();
    for (const pod of [one, two]) {
      expect(await containerd.cri.podStatus(pod.id)).toMatchObject({
        state: 'SANDBOX_READY',
        ips: [pod.ipv4, pod.ipv6],
      });
    }
    for (const address of [two.ipv4, two.ipv6]) {
      expect(await ping(containerd, one, address)).toMatchObject({ exitCode: 0 });
      expect(await getFrom(containerd, one, url(address))).toMatchObject({ stdout: 'two\n' });
    }
    const three = await startPod(containerd, 'three');
    expect([one.ipv4, two.ipv4]).not.toContain(three.ipv4);
    expect(await getFrom(containerd, three, url(one.ipv6))).toMatchObject({ stdout: 'one\n' });
    for (const pod of [one, two, three]) await removePod(containerd, pod);
  });

  test('and the Pod’s processes with it: stopping it still frees everything', async () => {
    const pod = await startPod(containerd, 'lost', published);
    await containerd.kill();
    kill(pod.pid, 'SIGKILL');
    await containerd.start();
    await removePod(containerd, pod);
  });

  test('while a Pod starts, at many moments: nothing stays behind', async () => {
    // ADD runs in the first tens of milliseconds; the Pod is ready after some hundred.
    for (const moment of [0, 2, 4, 6, 8, 10, 14, 20, 40, 80, 120]) {
      const started = containerd.cri.runPod(podConfig(containerd.cgroup, `after-${moment}`)).catch(() => '');
      await killAfter(moment, started);
      for (const id of await containerd.cri.pods()) await removePod(containerd, { id });
    }
    await removeForgotten();
  });

  test('while a Pod stops, at many moments: the next one finishes that', async () => {
    for (const moment of [0, 5, 10, 20, 40, 80]) {
      const pod = await startPod(containerd, `until-${moment}`, published);
      await killAfter(
        moment,
        containerd.cri.stopPod(pod.id).catch(() => undefined),
      );
      await removePod(containerd, pod);
    }
    await removeForgotten();
  });
});

describe('a Pod whose', () => {
  test('pause process is killed is stopped as always', async () => {
    const pod = await startPod(containerd, 'killed', published);
    kill(pod.pid, 'SIGKILL');
    await eventually('containerd sees it', async () => {
      return (await containerd.cri.podStatus(pod.id)).state === 'SANDBOX_NOTREADY';
    });
    await removePod(containerd, pod);
  });

  test('namespace is gone is stopped as always', async () => {
    const pod = await startPod(containerd, 'gone', published);
    await output(['umount', '--lazy', pod.netns]);
    await output(['rm', pod.netns]);
    await removePod(containerd, pod);
  });

  test('host link is gone is stopped as always', async () => {
    const pod = await startPod(containerd, 'unplugged', published);
    const [link] = await ip(undefined, 'link', 'show', 'master', 'cni0');
    await ip(undefined, 'link', 'delete', String(link?.ifname));
    await removePod(containerd, pod);
  });
});

describe('a Pod that cannot be connected: its caller is told why, and nothing is left', () => {
  afterEach(async () => {
    await output(['ip', 'link', 'delete', 'other0']).catch(() => undefined); // Not every list gets as far as a bridge.
    for (const store of ['other', '.fairlead/other']) {
      rmSync(`/var/lib/cni/networks/${store}`, { recursive: true, force: true });
    }
    await useConflist(containerd, example('pods'));
  });

  test('no address is left; one that is freed can be had again', async () => {
    await useConflist(containerd, oneSubnet({ rangeStart: '10.99.0.2', rangeEnd: '10.99.0.3' }));
    const [one, two] = [await startPod(containerd, 'one'), await startPod(containerd, 'two')];
    const full = await snapshot();
    expect(await refusal('three')).toMatch(
      /^failed to setup network for sandbox "[\da-f]{64}": plugin type="bridge" failed \(add\): .*host-local.*10\.99\.0\.2-10\.99\.0\.3/,
    );
    expect(diff(full, await snapshot(), lasting)).toEqual([]);
    await removePod(containerd, one);
    const four = await startPod(containerd, 'four');
    expect(four.ipv4).toBe(one.ipv4);
    for (const pod of [two, four]) await removePod(containerd, pod);
  });

  test.each([
    ['a plugin’s', { vlan: 5000 }, {}, /failed \(add\): .*`vlan`.*5000/],
    ['the address manager’s', {}, { gateway: '10.99.0' }, /failed \(add\): .*`gateway`.*"10\.99\.0"/],
  ])('the list has a mistake, %s; the Pod can go all the same', async (_whose, bridge, range, message) => {
    await useConflist(containerd, oneSubnet(range, bridge));
    expect(await refusal('wrong')).toMatch(message);
    for (const id of await containerd.cri.pods()) await removePod(containerd, { id });
  });

  test('the list is of version 1.1.0, which containerd 1.6 does not take', async () => {
    await useConflist(containerd, { ...oneSubnet({}), cniVersion: '1.1.0' });
    expect(await refusal('newer')).toEndWith('unsupported CNI result version "1.1.0"');
    expect(await containerd.cri.pods()).toEqual([]);
  });
});

/** A network with a bridge of its own and one range of addresses. */
function oneSubnet(range: object, bridge: object = {}): object {
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.99.0.0/24', ...range }]] };
  return {
    cniVersion: '1.0.0',
    name: 'other',
    plugins: [{ type: 'bridge', bridge: 'other0', isGateway: true, ...bridge, ipam }],
  };
}

/** What the error says that RunPodSandbox answers. */
async function refusal(name: string): Promise<string> {
  const error = await containerd.cri
    .runPod(podConfig(containerd.cgroup, name))
    .catch((reason: unknown) => reason);
  return (error as { details: string }).details;
}
