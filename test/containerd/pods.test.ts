/** Pods on a real containerd, through CRI, in the versions of the protocol that a configuration list may name. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { ip } from '../support/container.ts';
import { diff, type Snapshot, snapshot } from '../support/node.ts';
import { limit } from '../support/sandbox.ts';
import { type Containerd, startContainerd } from './containerd.ts';
import { example } from './example.ts';
import { imageName } from './image.ts';
import { createNeighbour, type Neighbour, wire } from './neighbour.ts';
import { getFrom, type Pod, ping, removePod, startPod } from './pod.ts';
import { get, getCommand, url, webPort } from './web.ts';

setDefaultTimeout(limit(60));

/** The addresses in the network's store, which holds other files as well. */
const reserved = () =>
  readdirSync('/var/lib/cni/networks/pods').filter((name) => /^(?:10\.|fd00:)/.test(name));

/** What comes by itself, a while after the bridge; what remembers the last address; the files of an empty index. */
const lasting =
  /^route .*"fe80:|^file \/var\/lib\/cni\/networks\/(pods\/last_reserved_ip|.*\/owners\/..? 600 ""$)/;

const hostPort = 8000;
const published = [{ protocol: 'TCP', container_port: webPort, host_port: hostPort }] as const;

describe.each(['0.4.0', '1.0.0'])('a configuration list of version %s', (cniVersion) => {
  let containerd: Containerd;
  let outside: Neighbour;
  let before: Snapshot;
  let one: Pod;
  let two: Pod;

  beforeAll(async () => {
    outside = await createNeighbour();
    containerd = await startContainerd({ conflist: { ...example('pods'), cniVersion } });
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
    expect(conditions.map(({ type, status }) => [type, status])).toEqual([
      ['RuntimeReady', true],
      ['NetworkReady', true],
    ]);
    for (const { id, ipv4, ipv6 } of [one, two]) {
      expect(ipv4).toMatch(/^10\.88\.0\.\d+$/);
      expect(ipv6).toMatch(/^fd00:10:88::/);
      expect((await containerd.cri.podStatus(id)).ips).toEqual([ipv4, ipv6]);
    }
    expect(reserved().sort()).toEqual([one.ipv4, one.ipv6, two.ipv4, two.ipv6].sort());
  });

  test.each(['ipv4', 'ipv6'] as const)('Pods reach each other: %s', async (family) => {
    expect(await ping(containerd, one, two[family])).toMatchObject({ exitCode: 0 });
    expect(await ping(containerd, two, one[family])).toMatchObject({ exitCode: 0 });
    expect(await getFrom(containerd, one, url(two[family]))).toMatchObject({ stdout: 'two\n' });
    expect(await getFrom(containerd, two, url(one[family]))).toMatchObject({ stdout: 'one\n' });
  });

  test.each(['ipv4', 'ipv6'] as const)('a Pod reaches what knows no way back to it: %s', async (family) => {
    expect(await getFrom(containerd, one, url(wire.neighbour[family]))).toMatchObject({
      stdout: 'outside\n',
    });
  });

  test.each([
    ['the node, by localhost', undefined, '127.0.0.1'],
    ['the node, by IPv4', undefined, wire.node.ipv4],
    ['the node, by IPv6', undefined, wire.node.ipv6],
    ['another machine, by IPv4', 'outside', wire.node.ipv4],
    ['another machine, by IPv6', 'outside', wire.node.ipv6],
  ])('the Pod’s published port is reached from %s', async (_where, from, address) => {
    const netns = from === undefined ? undefined : outside.netns;
    expect(await get(netns, url(address, hostPort))).toMatchObject({ stdout: 'one\n', exitCode: 0 });
  });

  test.each(['ipv4', 'ipv6'] as const)('and from Pods, its own too: %s', async (family) => {
    for (const from of [one, two]) {
      const got = await getFrom(containerd, from, url(wire.node[family], hostPort));
      expect(got).toMatchObject({ stdout: 'one\n' });
    }
  });

  test('a Pod’s containers share its namespace', async () => {
    const { cri } = containerd;
    const command = ['sleep', 'infinity'];
    const second = await cri.runContainer(one.id, one.config, { name: 'second', image: imageName, command });
    const namespaces = await Promise.all(
      [second, one.container, two.container].map(async (container) => {
        return (await cri.exec(container, ['readlink', '/proc/self/ns/net'])).stdout;
      }),
    );
    expect(namespaces[0]).toMatch(/^net:\[\d+\]/);
    expect(namespaces[1]).toBe(String(namespaces[0]));
    expect(namespaces[2]).not.toBe(String(namespaces[0]));
    const served = await cri.exec(second, getCommand(url('127.0.0.1')));
    expect(served.stdout).toBe('one\n');
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
    expect(diff(before, await snapshot(), lasting)).toEqual([]);
  });
});
