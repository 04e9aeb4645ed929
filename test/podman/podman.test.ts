/** podman with Fairlead's plugins: docs/podman.md as it stands, and what its networks do, with packets. */
// packages: podman runc conmon catatonit busybox-static containernetworking-plugins iptables iproute2 nftables
// seconds: 180
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mountOpt, unmountOpt } from '../containerd/installation.ts';
import { createNeighbour, type Neighbour, wire } from '../containerd/neighbour.ts';
import { ip } from '../support/container.ts';
import { diff, snapshot } from '../support/node.ts';
import { commandBlocks } from '../support/page.ts';
import { dist } from '../support/plugin.ts';
import { output } from '../support/program.ts';
import { reference } from '../support/reference.ts';
import { limit } from '../support/sandbox.ts';
import { ask, type Protocol, serve, stopServers } from '../support/traffic.ts';
import { binDirectory, type Podman, startPodman } from './podman.ts';

setDefaultTimeout(limit(60));

let node: Podman;
let outside: Neighbour;

beforeAll(async () => {
  await mountOpt();
  outside = await createNeighbour();
  await runLines('Install', 0);
  node = await startPodman();
});

afterAll(async () => {
  await stopServers();
  await node?.remove();
  await outside?.remove();
  await unmountOpt();
});

/** Runs the lines of a section's block, in order; what they printed. */
async function runLines(section: string, block: number): Promise<string> {
  const printed: string[] = [];
  for (const line of commandBlocks(section, 'podman.md')[block] ?? []) {
    const run = line.startsWith('fairlead ')
      ? () => output(['sh', '-c', `${dist}/${line}`])
      : () => node.shell(line);
    printed.push(await run());
  }
  return printed.join('\n');
}

/** Who answers on a port, from a namespace or the node, and whom it saw; undefined where nobody does. */
async function answerTo(netns: string | undefined, protocol: Protocol, address: string, port: number) {
  const answer = await ask(netns, protocol, address, port, { timeoutSeconds: 2 });
  return answer && { server: answer.server, source: answer.source };
}

/** Serves its own name in a container, on TCP port 80 and UDP port 53. */
async function serveIn(name: string): Promise<string> {
  const netns = await node.netnsOf(name);
  await serve(netns, 'tcp', 80, name);
  await serve(netns, 'udp', 53, name);
  return netns;
}

describe('the page', () => {
  test('networks and containers, and what their packets do', async () => {
    expect(await runLines('Install', 1)).toBe('cni');
    await runLines('Networks', 0);
    const [lan = ''] = commandBlocks('Networks', 'podman.md')[1] ?? [];
    await node.shell(lan.replace('parent=up0', 'parent=uplink').replaceAll('192.0.2.', '198.51.100.'));
    await runLines('Networks', 2);
    await runLines('Containers', 0);

    const [one, two] = [await node.addressesOf('one', 'dual'), await node.addressesOf('two', 'dual')];
    expect(one.ipv4).toMatch(/^10\.99\.0\.(129|1[3-9]\d|2\d\d)$/);
    expect(one.ipv6).toMatch(/^fd00:99::/);
    expect(two).toMatchObject({ ipv4: '10.99.0.200', mac: '02:00:00:00:00:99' });
    const [first, second] = [await serveIn('one'), await serveIn('two')];
    expect((await ip(first, 'link', 'show', 'eth0'))[0]).toMatchObject({ mtu: 1400 });

    for (const [from, to, name] of [
      [first, two, 'two'],
      [second, one, 'one'],
    ] as const) {
      expect(await answerTo(from, 'tcp', to.ipv4, 80)).toMatchObject({ server: name });
      expect(await answerTo(from, 'udp', to.ipv6, 53)).toMatchObject({ server: name });
    }
    await serve(outside.netns, 'tcp', 80, 'world');
    expect(await answerTo(first, 'tcp', wire.neighbour.ipv4, 80)).toEqual({
      server: 'world',
      source: wire.node.ipv4,
    });
    expect(await answerTo(first, 'tcp', wire.neighbour.ipv6, 80)).toEqual({
      server: 'world',
      source: wire.node.ipv6,
    });
  });

  test('published ports: everywhere, on one address, UDP', async () => {
    const expected: [string | undefined, Protocol, string, number, unknown][] = [
      [outside.netns, 'tcp', wire.node.ipv4, 8080, { server: 'one', source: wire.neighbour.ipv4 }],
      [outside.netns, 'udp', wire.node.ipv4, 5353, { server: 'one', source: wire.neighbour.ipv4 }],
      [outside.netns, 'tcp', wire.node.ipv6, 8080, { server: 'one', source: wire.neighbour.ipv6 }],
      [outside.netns, 'tcp', wire.node.ipv4, 8081, undefined],
      [outside.netns, 'tcp', wire.node.ipv4, 80, undefined],
      [undefined, 'tcp', '127.0.0.1', 8081, expect.objectContaining({ server: 'one' })],
      [undefined, 'tcp', wire.node.ipv4, 8080, expect.objectContaining({ server: 'one' })],
    ];
    for (const [from, protocol, address, port, answer] of expected) {
      const seen: unknown = await answerTo(from, protocol, address, port);
      expect({ protocol, address, port, seen }).toEqual({ protocol, address, port, seen: answer });
    }
  });

  test('a running container gets another interface and loses it; a reload brings back what was emptied', async () => {
    const [connect = '', disconnect = ''] = commandBlocks('Containers', 'podman.md')[1] ?? [];
    const netns = await node.netnsOf('one');
    await node.shell(connect);
    expect((await ip(netns, 'address', 'show', 'eth1'))[0]).toMatchObject({
      addr_info: expect.arrayContaining([
        expect.objectContaining({ local: (await node.addressesOf('one', 'inner')).ipv4 }),
      ]),
    });
    await node.shell(disconnect);
    expect((await ip(netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo', 'eth0']);

    const before = await node.addressesOf('one', 'dual');
    await output(['nft', 'flush', 'ruleset']);
    expect(await answerTo(outside.netns, 'tcp', wire.node.ipv4, 8080)).toBeUndefined();
    await runLines('Containers', 2);
    expect((await node.addressesOf('one', 'dual')).ipv4).toBe(before.ipv4);
    expect(await answerTo(outside.netns, 'tcp', wire.node.ipv4, 8080)).toMatchObject({ server: 'one' });
  });

  test('a pod: its containers have one address, and its port leads to them', async () => {
    await runLines('Containers', 3);
    const infra = await node.podman('pod', 'inspect', 'pod', '--format', '{{.InfraContainerID}}');
    await serve(await node.netnsOf(infra), 'tcp', 80, 'pod');
    expect(await answerTo(outside.netns, 'tcp', wire.node.ipv4, 8090)).toMatchObject({ server: 'pod' });
    const inMember = await node.podman('exec', 'member', 'ip', 'address', 'show', 'eth0');
    expect(inMember).toContain((await node.addressesOf(infra, 'dual')).ipv4);
  });

  test('everything is removed, and the node is as it was', async () => {
    await stopServers();
    await runLines('Remove', 0);
    expect(readdirSync('/etc/cni/net.d').filter((name) => name.endsWith('.conflist'))).toEqual([]);
    expect(await ip(undefined, 'link', 'show', 'type', 'bridge')).toEqual([]);
    expect((await ip(undefined, 'link', 'show', 'type', 'veth')).map(({ ifname }) => ifname)).toEqual([
      'uplink',
    ]);
    expect(readdirSync('/var/lib/cni/results')).toEqual([]);
    expect(await output(['nft', 'list', 'ruleset'])).not.toContain('10.99.0');
  });
});

/** A network and containers in it, for one test; they are removed with what the test leaves. */
async function withNetwork(
  options: readonly string[],
  names: readonly string[],
  use: () => Promise<void>,
): Promise<void> {
  await node.podman('network', 'create', ...options, 'net');
  const before = await snapshot();
  try {
    for (const name of names) await run(name, 'net');
    await use();
  } finally {
    await stopServers();
    if (names.length > 0) await node.podman('rm', '--force', '--time=0', ...names);
  }
  expect(diff(before, await snapshot(), lasting)).toEqual([]);
  await node.podman('network', 'rm', '--force', 'net');
}

/**
 * What the first container of a network makes, and stays until the network goes, or is shared by all: the bridge, its
 * routes, forwarding, Fairlead's tables, files that remember addresses.
 */
const lasting =
  /cni-podman|"(table|name)":"(fairlead|CNI-ADMIN|CNI-FORWARD|FORWARD|filter)"|^nft set inet fairlead|"fe80:|^sysctl .*forward|^file \/(var\/lib|run)\/cni\/|^file \/etc\/cni\/net.d\/cni.lock/;

const run = (name: string, network: string, ...options: readonly string[]) =>
  node.podman(
    'run',
    '--detach',
    `--name=${name}`,
    `--network=${network}`,
    ...options,
    'busybox',
    'sleep',
    'infinity',
  );

describe('networks of each kind', () => {
  test('--internal: containers reach each other, and nothing outside', () =>
    withNetwork(['--internal'], ['a', 'b'], async () => {
      const [a] = [await serveIn('a'), await serveIn('b')];
      await serve(outside.netns, 'tcp', 80, 'world');
      const { ipv4 } = await node.addressesOf('b', 'net');
      expect(await answerTo(a, 'tcp', ipv4, 80)).toMatchObject({ server: 'b' });
      expect(await answerTo(a, 'tcp', wire.neighbour.ipv4, 80)).toBeUndefined();
    }));

  test('--ipv6: both families, and each leads outside', () =>
    withNetwork(['--ipv6'], ['a'], async () => {
      const a = await node.netnsOf('a');
      await serve(outside.netns, 'tcp', 80, 'world');
      const { ipv4, ipv6 } = await node.addressesOf('a', 'net');
      expect([ipv4, ipv6]).toEqual([expect.stringMatching(/^10\.89\./), expect.stringMatching(/^fd/)]);
      for (const family of ['ipv4', 'ipv6'] as const)
        expect(await answerTo(a, 'tcp', wire.neighbour[family], 80)).toMatchObject({
          source: wire.node[family],
        });
    }));

  test('IPv6 alone: containers reach each other, the world, and are reached by a port', () =>
    withNetwork(['--subnet=fd00:77::/64'], [], async () => {
      await run('a', 'net', '--publish=8080:80');
      await run('b', 'net');
      const [a, b] = [await serveIn('a'), await node.netnsOf('b')];
      await serve(outside.netns, 'tcp', 80, 'world');
      const { ipv4, ipv6 } = await node.addressesOf('a', 'net');
      expect({ ipv4, ipv6 }).toEqual({ ipv4: '', ipv6: 'fd00:77::2' });
      expect(await answerTo(b, 'udp', ipv6, 53)).toMatchObject({ server: 'a' });
      expect(await answerTo(a, 'tcp', wire.neighbour.ipv6, 80)).toMatchObject({ source: wire.node.ipv6 });
      expect(await answerTo(outside.netns, 'tcp', wire.node.ipv6, 8080)).toMatchObject({ server: 'a' });
      await stopServers();
      await node.podman('rm', '--force', '--time=0', 'a', 'b');
    }));

  test('--driver macvlan: a host of the segment', () =>
    withNetwork(
      ['--driver=macvlan', '--opt=parent=uplink', '--subnet=192.0.2.0/24', '--ip-range=192.0.2.128/25'],
      ['a'],
      async () => {
        const a = await serveIn('a');
        const { ipv4 } = await node.addressesOf('a', 'net');
        await serve(outside.netns, 'tcp', 80, 'world');
        expect(await answerTo(a, 'tcp', wire.neighbour.ipv4, 80)).toEqual({ server: 'world', source: ipv4 });
        expect(await answerTo(outside.netns, 'tcp', ipv4, 80)).toMatchObject({ server: 'a' });
        expect((await ip(a, '-d', 'link', 'show', 'eth0'))[0]).toMatchObject({
          linkinfo: { info_kind: 'macvlan' },
        });
      },
    ));

  test('--opt isolate: other networks’ containers do not reach in; those of the same do', async () => {
    await node.podman('network', 'create', '--opt=isolate=true', 'other');
    await withNetwork(['--opt=isolate=true'], ['a', 'b'], async () => {
      await run('c', 'other');
      const [a, c] = [await serveIn('a'), await serveIn('c')];
      await serveIn('b');
      const { ipv4 } = await node.addressesOf('b', 'net');
      expect(await answerTo(a, 'tcp', ipv4, 80)).toMatchObject({ server: 'b' });
      expect(await answerTo(c, 'tcp', ipv4, 80)).toBeUndefined();
      await node.podman('rm', '--force', '--time=0', 'c');
    });
    await node.podman('network', 'rm', 'other');
  });

  test('--opt vlan on a kernel whose bridges have none: the error says so, and nothing is left', () =>
    withNetwork(['--opt=vlan=7'], [], async () => {
      const error = await node.refusal('run', '--name=a', '--network=net', 'busybox', 'true');
      expect(error).toContain('`vlan` of plugin `bridge`: 7 cannot be done');
      await node.podman('rm', 'a');
    }));
});

test('a container that was started with the reference’s plugins runs on, and is removed by Fairlead', async () => {
  const file = '/etc/containers/containers.conf';
  const ours = readFileSync(file, 'utf8');
  await node.podman('network', 'create', '--subnet=10.98.0.0/24', 'net');
  writeFileSync(file, ours.replace(`"${binDirectory}"`, `"${reference}"`));
  await run('old', 'net', '--publish=8080:80');
  await serveIn('old');
  expect(await output(['nft', 'list', 'ruleset'])).toContain('CNI-DN-');
  writeFileSync(file, ours);
  await run('young', 'net', '--publish=8081:80');
  const young = await serveIn('young');
  const { ipv4 } = await node.addressesOf('old', 'net');
  expect(await answerTo(young, 'tcp', ipv4, 80)).toMatchObject({ server: 'old' });
  expect(await answerTo(outside.netns, 'tcp', wire.node.ipv4, 8080)).toMatchObject({ server: 'old' });
  expect(await answerTo(outside.netns, 'tcp', wire.node.ipv4, 8081)).toMatchObject({ server: 'young' });
  await stopServers();
  await node.podman('rm', '--force', '--time=0', 'old', 'young');
  expect(await output(['nft', 'list', 'ruleset'])).not.toMatch(/CNI-DN-|10\.98\.0/);
  await node.podman('network', 'rm', 'net');
  rmSync('/var/lib/cni/networks', { recursive: true });
});
