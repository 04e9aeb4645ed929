/** Pods on a real containerd, through CRI, in the versions of the protocol that a configuration list may name. */
// packages: containerd runc busybox-static
// prepare: test/containerd/containerd2.ts
// seconds: 240
import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { ip } from '../support/container.ts';
import { imageName } from '../support/image.ts';
import { diff, type Snapshot, snapshot } from '../support/node.ts';
import { limit } from '../support/sandbox.ts';
import { testUnless } from '../support/unless.ts';
import { type Containerd, startContainerd } from './containerd.ts';
import { containerd2Programs, withoutContainerd2 } from './containerd2.ts';
import { example, lasting } from './example.ts';
import { createNeighbour, type Neighbour, wire } from './neighbour.ts';
import { getFrom, type Pod, ping, removePod, startPod } from './pod.ts';
import { get, getCommand, url, webPort } from './web.ts';

setDefaultTimeout(limit(60));

/** The addresses in the network's store, which holds other files as well. */
const reserved = () =>
  readdirSync('/var/lib/cni/networks/pods').filter((name) => /^(?:10\.|fd00:)/.test(name));

const families = ['ipv4', 'ipv6'] as const;
const hostPort = 8000;
const published = [{ protocol: 'TCP', container_port: webPort, host_port: hostPort }] as const;

interface Setup {
  readonly list: object;
  /** What they speak then. */
  readonly version: string;
  /** Other programs than Debian's. */
  readonly programs?: string;
  /** Why it cannot be tried here. */
  readonly unless?: string | undefined;
}

const list = (cniVersion: string) => ({ ...example('pods'), cniVersion, cniVersions: undefined });
const both = example('pods');
const second = { programs: containerd2Programs, unless: withoutContainerd2 };
const setups: Readonly<Record<string, Setup>> = {
  'containerd 1.6, version 0.4.0': { list: list('0.4.0'), version: '0.4.0' },
  'containerd 1.6, version 1.0.0': { list: list('1.0.0'), version: '1.0.0' },
  // The older one does not know this field, the newer one takes the highest version in it.
  'containerd 1.6, both versions': { list: both, version: '1.0.0' },
  'containerd 2, version 1.0.0': { list: list('1.0.0'), version: '1.0.0', ...second },
  'containerd 2, version 1.1.0': { list: list('1.1.0'), version: '1.1.0', ...second },
  'containerd 2, both versions': { list: both, version: '1.1.0', ...second },
};

/** The version of the result that libcni, in containerd, keeps for a Pod. */
function cachedVersion({ id }: Pod): string {
  const { result } = JSON.parse(readFileSync(`/var/lib/cni/results/pods-${id}-eth0`, 'utf8'));
  return result.cniVersion;
}

describe.each(Object.entries(setups))('%s', (_name, { list, version, programs, unless }) => {
  const test = testUnless(unless);
  let containerd: Containerd;
  let outside: Neighbour;
  let before: Snapshot;
  let one: Pod;
  let two: Pod;

  beforeAll(async () => {
    if (unless !== undefined) return;
    outside = await createNeighbour();
    containerd = await startContainerd({ conflist: list, ...(programs === undefined ? {} : { programs }) });
    // The first Pod makes what a network's Pods share: the bridge, the table and its chains.
    await removePod(containerd, await startPod(containerd, 'first', published));
    before = await snapshot();
    one = await startPod(containerd, 'one', published);
    two = await startPod(containerd, 'two');
  });

  afterAll(async () => {
    await containerd?.remove();
    await outside?.remove();
  });

  test('containerd says that its network is ready, and each Pod’s addresses', async () => {
    const conditions = await containerd.cri.status();
    expect(conditions.slice(0, 2).map(({ type, status }) => [type, status])).toEqual([
      ['RuntimeReady', true],
      ['NetworkReady', true],
    ]);
    for (const { id, ipv4, ipv6 } of [one, two]) {
      expect(ipv4).toMatch(/^10\.88\.0\.\d+$/);
      expect(ipv6).toMatch(/^fd00:10:88::/);
      expect((await containerd.cri.podStatus(id)).ips).toEqual([ipv4, ipv6]);
    }
    expect(reserved().sort()).toEqual([one.ipv4, one.ipv6, two.ipv4, two.ipv6].sort());
    expect([one, two].map(cachedVersion)).toEqual([version, version]);
  });

  for (const family of families) {
    test(`Pods reach each other: ${family}`, async () => {
      expect(await ping(containerd, one, two[family])).toMatchObject({ exitCode: 0 });
      expect(await ping(containerd, two, one[family])).toMatchObject({ exitCode: 0 });
      expect(await getFrom(containerd, one, url(two[family]))).toMatchObject({ stdout: 'two\n' });
      expect(await getFrom(containerd, two, url(one[family]))).toMatchObject({ stdout: 'one\n' });
    });

    test(`a Pod reaches what knows no way back to it: ${family}`, async () => {
      expect(await getFrom(containerd, one, url(wire.neighbour[family]))).toMatchObject({
        stdout: 'outside\n',
      });
    });

    test(`a published port is reached from the node, from another machine and from Pods: ${family}`, async () => {
      const target = url(wire.node[family], hostPort);
      expect(await get(undefined, target)).toMatchObject({ stdout: 'one\n' });
      expect(await get(outside.netns, target)).toMatchObject({ stdout: 'one\n' });
      expect(await getFrom(containerd, two, target)).toMatchObject({ stdout: 'one\n' });
      expect(await getFrom(containerd, one, target)).toMatchObject({ stdout: 'one\n' });
    });
  }

  test('a published port is reached from the node by 127.0.0.1', async () => {
    expect(await get(undefined, url('127.0.0.1', hostPort))).toMatchObject({ stdout: 'one\n' });
  });

  test('a Pod’s containers share its namespace', async () => {
    const { cri } = containerd;
    const command = ['sleep', 'infinity'];
    const second = await cri.runContainer(one.id, one.config, { name: 'second', image: imageName, command });
    const inode = async (container: string) =>
      (await cri.exec(container, ['readlink', '/proc/self/ns/net'])).stdout.trim();
    expect(await inode(second)).toMatch(/^net:\[\d+\]$/);
    expect(await inode(second)).toBe(await inode(one.container));
    expect(await inode(second)).not.toBe(await inode(two.container));
    expect((await cri.exec(second, getCommand(url('127.0.0.1')))).stdout).toBe('one\n');
    await cri.stopContainer(second);
    await cri.removeContainer(second);
  });

  test('stopping one Pod frees its addresses, link and elements, and leaves the other’s', async () => {
    const veths = async () => (await ip(undefined, 'link', 'show', 'master', 'cni0')).length;
    expect(await veths()).toBe(2);
    await removePod(containerd, one);
    expect(await veths()).toBe(1);
    expect(reserved().sort()).toEqual([two.ipv4, two.ipv6].sort());
    expect((await get(outside.netns, url(wire.node.ipv4, hostPort))).exitCode).not.toBe(0);
    expect(await getFrom(containerd, two, url(wire.neighbour.ipv4))).toMatchObject({ stdout: 'outside\n' });
    await removePod(containerd, two);
    expect(await veths()).toBe(0);
    expect(reserved()).toEqual([]);
    expect(diff(before, await snapshot(), lasting)).toEqual([]);
  });
});
