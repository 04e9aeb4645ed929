/** A node is switched to Fairlead and back under running containers: what they send to each other is counted, packet by packet. */
// packages: containernetworking-plugins iptables iproute2 nftables iputils-ping
// seconds: 60
import { afterEach, expect, test } from 'bun:test';
import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { type Container, createContainer, within } from '../support/container.ts';
import { eventually } from '../support/eventually.ts';
import { diff } from '../support/node.ts';
import { dist } from '../support/plugin.ts';
import { output } from '../support/program.ts';
import { reference } from '../support/reference.ts';
import { limit } from '../support/sandbox.ts';
import { makeSegment, neighbour, removeSegment } from '../support/segment.ts';
import { ask, ping, serve, stopServers } from '../support/traffic.ts';
import { flushRules, iptablesKinds, nodeFacts, pathWith } from './facts.ts';
import { type Attached, addList, checkList, delList, gcList, type List } from './runtime.ts';

/** The node's bin directory. */
const bin = '/run/switched';

/** The reference's plugins go into it, each replaced at once. */
function installReference(): void {
  cpSync(reference, `${bin}.next`, { recursive: true });
  cpSync(`${bin}.next`, bin, { recursive: true, filter: (path) => !path.startsWith(`${bin}.next/`) });
  for (const name of readdirSync(`${bin}.next`)) renameSync(`${bin}.next/${name}`, `${bin}/${name}`);
  rmSync(`${bin}.next`, { recursive: true });
}

const installFairlead = () => output([`${dist}/fairlead`, 'install', bin]);

const plugins = [
  {
    type: 'bridge',
    bridge: 'switched',
    isDefaultGateway: true,
    ipMasq: true,
    hairpinMode: true,
    ipam: { type: 'host-local', ranges: [[{ subnet: '10.203.0.0/24' }], [{ subnet: 'fd00:203::/64' }]] },
  },
  { type: 'portmap', capabilities: { portMappings: true } },
];

/** The list, with a port that this container publishes. */
function listFor(path: string, hostPort: number): List {
  const portMappings = [{ hostPort, containerPort: 80, protocol: 'tcp' }];
  const sides = plugins.map(() => 'reference' as const);
  return {
    name: 'switched',
    cniVersion: '1.0.0',
    plugins,
    sides,
    bin,
    path,
    ifname: 'eth0',
    capabilities: { portMappings },
  };
}

/** The addresses without their prefixes' lengths: IPv4, IPv6. */
const addressesOf = ({ result }: Attached) =>
  (result.ips ?? []).map(({ address }) => address.split('/')[0] ?? '');

/** A ping, a hundred times a second. */
function startPing({ netns }: Container, address: string) {
  const child = Bun.spawn([...within(netns, ['ping', '-n', '-i', '0.01', address])], { stdout: 'pipe' });
  /** Ends it: how many went out, and the numbers of those that came back, in their order. */
  const stop = async () => {
    child.kill('SIGINT');
    const text = await child.stdout.text();
    await child.exited;
    const sent = Number(/^(\d+) packets transmitted/m.exec(text)?.[1]);
    return { sent, numbers: [...text.matchAll(/icmp_seq=(\d+) /g)].map(([, number]) => Number(number)) };
  };
  return { address, stop };
}

const pings: ReturnType<typeof startPing>[] = [];

afterEach(async () => {
  for (const { stop } of pings.splice(0)) await stop();
  await stopServers();
  await removeSegment();
  await flushRules();
  rmSync(bin, { recursive: true, force: true });
  rmSync('/var/lib/cni/networks', { recursive: true, force: true });
}, limit(20));

test.each(iptablesKinds)(
  'beside iptables-%s: to Fairlead and back, and no packet is lost',
  async (kind) => {
    await makeSegment();
    await output(['ip', 'address', 'add', '10.50.0.254/24', 'dev', 'eth0']);
    const before = await nodeFacts();
    const path = pathWith(kind);
    const attach = (name: string, port: number) => addList(listFor(path, port), createContainer(name));
    const detach = async (attached: Attached, port: number) => {
      const list = listFor(path, port);
      // The reference's first DEL of what Fairlead masquerades fails, and runtimes repeat it: docs/interchange.md.
      await delList(list, attached).catch(() => delList(list, attached));
      attached.container.remove();
    };

    installReference();
    const [one, two] = [await attach('one', 8001), await attach('two', 8002)];
    const leaving = await attach('leaving', 8003);
    await serve(one.container.netns, 'tcp', 80, 'one');
    const targets = [...addressesOf(two), '10.203.0.1', 'fd00:203::1', neighbour.ip4];
    for (const target of targets) {
      await eventually(`${target} answers`, () => ping(one.container.netns, target, 1));
      pings.push(startPing(one.container, target));
    }

    await installFairlead();
    const young = await attach('young', 8004);
    await detach(leaving, 8003);
    await checkList(listFor(path, 8001), one);
    await serve(young.container.netns, 'tcp', 80, 'young');
    pings.push(startPing(young.container, addressesOf(one)[0] ?? ''));
    const answers = async (port: number) => (await ask(neighbour.netns, 'tcp', '10.50.0.254', port))?.server;
    expect(await Promise.all([8001, 8003, 8004].map(answers))).toEqual(['one', undefined, 'young']);
    const staying = await attach('staying', 8005);

    installReference();
    const last = await attach('last', 8006);
    await detach(staying, 8005);
    for (const address of [one, two, young].flatMap(addressesOf))
      await eventually(`${address} answers`, () => ping(last.container.netns, address, 1));
    expect(await Promise.all([8001, 8004].map(answers))).toEqual(['one', 'young']);

    // The youngest ping has seen but the switch back: it goes on a while, to say something of what is after it.
    await Bun.sleep(1000);
    for (const { address, stop } of pings.splice(0)) {
      const { sent, numbers } = await stop();
      // One may be on its way when ping is ended.
      const expected = Array.from({ length: Math.max(numbers.length, sent - 1) }, (_, index) => index + 1);
      expect({ address, numbers }).toEqual({ address, numbers: expected });
      expect(numbers.length).toBeGreaterThan(20);
    }

    await installFairlead();
    await detach(one, 8001);
    await detach(two, 8002);
    await detach(last, 8006);
    await detach(young, 8004);
    await gcList(listFor(path, 8001), []);
    await output(['ip', 'link', 'delete', 'switched']);
    const shared =
      /^file |"fe80:|"ff00::|CNI-HOSTPORT|"inet","(name|table)":"fairlead"|"table":"fairlead"|"(PREROUTING|OUTPUT|INPUT|POSTROUTING)"|legacy -t nat (-P|$)|"name":"nat"|^sysctl .*(forward|nf-call)|"anycast"/;
    expect(diff(before, await nodeFacts(), shared)).toEqual([]);
  },
  limit(40),
);
