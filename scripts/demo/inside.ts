/** The demo itself, in the sandbox that demo.ts makes (scripts/sandbox.sh): here “the node” is ours. */
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { NETLINK_ROUTE, openConnection } from '../../src/kernel/netlink/connection.ts';
import { removeNetns } from '../../src/kernel/netns/netns.ts';
import { listLinks } from '../../src/kernel/rtnetlink/index.ts';
import { requireSandbox } from '../../test/support/sandbox.ts';
import { serve, stopServers } from '../../test/support/traffic.ts';
import { root } from '../process.ts';
import { draw, type Pod } from './picture.ts';
import { run, type Trial } from './trials.ts';
import { makeWorld, node, world } from './world.ts';

const dist = process.env.FAIRLEAD_DIST ?? `${root}/dist`;
const network = 'pods';
const conflist = `${root}/examples/pods.conflist`;
const published = { hostPort: 8080, containerPort: 80, protocol: 'tcp' };
const gateways = { ipv4: '10.88.0.1', ipv6: 'fd00:10:88::1' };

const say = (line = '') => void process.stdout.write(`${line}\n`);

/** Runs a command of the command line as a person would, shows it with its time, and returns what it printed. */
function fairlead(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const start = performance.now();
  const ended = Bun.spawnSync([`${dist}/fairlead`, ...args], {
    env: { PATH: process.env.PATH ?? '', CNI_PATH: `${dist}/cni`, ...env },
    stderr: 'inherit',
  });
  const took = `${(performance.now() - start).toFixed(0)} ms`;
  const settings = Object.entries(env).map(([name, value]) => `${name}='${value}' `);
  say(`  $ ${settings.join('')}fairlead ${args.filter((arg) => arg !== '--json').join(' ')}   (${took})`);
  if (ended.exitCode !== 0) throw new Error(`fairlead ${args.join(' ')}: exit code ${ended.exitCode}`);
  return ended.stdout.toString();
}

function addPod(name: string, env: Readonly<Record<string, string>>): Pod {
  const result = JSON.parse(fairlead(['add', network, name, '--create-netns', '--json'], env)) as {
    interfaces: { name: string; sandbox?: string }[];
    ips: { address: string }[];
  };
  const addressOf = (mark: string) =>
    result.ips.find(({ address }) => address.includes(mark))?.address.replace(/\/.*/, '') ?? '';
  const port = result.interfaces.find((link) => link.name.startsWith('veth') && !link.sandbox)?.name ?? '';
  return { name, port, ipv4: addressOf('.'), ipv6: addressOf(':') };
}

function trialsOf(blue: Pod, green: Pod): Trial[] {
  const [inBlue, inGreen] = [`/run/netns/${blue.name}`, `/run/netns/${green.name}`];
  const both = (trial: Omit<Trial, 'address'>, to: { ipv4: string; ipv6: string }): Trial[] => [
    { ...trial, address: to.ipv4 },
    { ...trial, address: to.ipv6 },
  ];
  const tcp = 'tcp' as const;
  return [
    ...both({ what: 'blue → green', from: inBlue, protocol: tcp, port: 80, server: 'green' }, green),
    ...both({ what: 'green → blue', from: inGreen, protocol: 'udp', port: 53, server: 'blue' }, blue),
    ...both({ what: 'node → blue', from: undefined, protocol: tcp, port: 80, server: 'blue' }, blue),
    ...both({ what: 'blue → node', from: inBlue, protocol: tcp, port: 90, server: 'node' }, gateways),
    ...both(
      { what: 'world → published port → blue', from: world.netns, protocol: tcp, port: 8080, server: 'blue' },
      node,
    ),
    ...both(
      { what: 'green → published port → blue', from: inGreen, protocol: tcp, port: 8080, server: 'blue' },
      node,
    ),
    {
      what: 'node → published port → blue',
      from: undefined,
      protocol: tcp,
      address: '127.0.0.1',
      port: 8080,
      server: 'blue',
    },
    {
      what: 'green → world, masqueraded',
      from: inGreen,
      protocol: tcp,
      address: world.ipv4,
      port: 90,
      server: 'world',
      seenAs: node.ipv4,
    },
    {
      what: 'green → world, masqueraded',
      from: inGreen,
      protocol: tcp,
      address: world.ipv6,
      port: 90,
      server: 'world',
      seenAs: node.ipv6,
    },
  ];
}

async function startServers(): Promise<void> {
  await Promise.all([
    serve('/run/netns/blue', 'tcp', 80, 'blue'),
    serve('/run/netns/blue', 'udp', 53, 'blue'),
    serve('/run/netns/green', 'tcp', 80, 'green'),
    serve(undefined, 'tcp', 90, 'node'),
    serve(world.netns, 'tcp', 90, 'world'),
  ]);
}

/** What the Pods have left on the node; empty when all is as it should be. */
function leftovers(): string[] {
  const connection = openConnection(NETLINK_ROUTE);
  const ports = listLinks(connection, { kind: 'veth' }).filter(({ name }) => name !== node.link);
  connection.close();
  const store = `/var/lib/cni/networks/${network}`;
  const reservations = existsSync(store) ? readdirSync(store).filter((name) => /^\d|:/.test(name)) : [];
  return [...ports.map(({ name }) => `link ${name}`), ...reservations.map((name) => `reservation ${name}`)];
}

async function demo(): Promise<boolean> {
  say(
    'A node with a cable to the world, and the network that examples/pods.conflist describes: a bridge, an address',
  );
  say('of each family, published ports. Two Pods are attached to it.');
  say();
  makeWorld();
  mkdirSync('/etc/cni/net.d', { recursive: true });
  copyFileSync(conflist, '/etc/cni/net.d/10-pods.conflist');
  const blue = addPod('blue', { CAP_ARGS: JSON.stringify({ portMappings: [published] }) });
  const green = addPod('green', {});
  say();
  const scene = {
    world: [world.ipv4, world.ipv6],
    node: [node.ipv4, node.ipv6],
    bridge: 'cni0',
    gateways: [gateways.ipv4, gateways.ipv6],
    published: `port ${published.hostPort}/${published.protocol} ─▶ blue:${published.containerPort}`,
    pods: [blue, green],
  };
  for (const line of draw(scene)) say(`  ${line}`);
  say();
  await startServers();
  let good = true;
  for (const trial of trialsOf(blue, green)) {
    const tried = await run(trial);
    good &&= tried.good;
    say(`  ${tried.line}`);
  }
  await stopServers();
  say();
  fairlead(['check', network, 'blue']);
  for (const name of ['blue', 'green']) {
    fairlead(['del', network, name]);
    removeNetns(`/run/netns/${name}`);
  }
  const left = leftovers();
  say(`  ${left.length === 0 ? '✓ nothing is left of the Pods' : `✗ left: ${left.join(', ')}`}`);
  return good && left.length === 0;
}

requireSandbox();
const start = performance.now();
const good = await demo();
say();
say(
  `${good ? 'All of it worked' : 'Not all of it worked'}, in ${((performance.now() - start) / 1000).toFixed(1)} s. The node and everything on it go with this process.`,
);
process.exit(good ? 0 : 1);
