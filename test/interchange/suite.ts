/** The exchanges of the table as tests, on whichever kernel: real links, real rules, and the node held against what it was. */
// packages: containernetworking-plugins iptables iproute2 nftables
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { isPluginName } from '../../src/plugins/names.ts';
import { type Container, createContainer, inNetns, ip } from '../support/container.ts';
import { eventually } from '../support/eventually.ts';
import { diff, type Snapshot } from '../support/node.ts';
import { output } from '../support/program.ts';
import { kernel, limit } from '../support/sandbox.ts';
import { makeSegment, removeSegment } from '../support/segment.ts';
import { type Exception, type Exchange, exchanges, type Step } from './exchanges.ts';
import {
  flushRules,
  type IptablesKind,
  insideOf,
  iptablesKinds,
  linesOf,
  nodeFacts,
  pathWith,
} from './facts.ts';
import { type Attached, addList, by, checkList, delList, gcList, type List, type Side } from './runtime.ts';

/**
 * What may differ afterwards: files that remember the last address, the empty ones of host-local's index, directories of
 * files, locks; and what the kernel does with IPv6 addresses and their routes a moment later.
 */
const lasting =
  /last_reserved_ip|\/owners\/|^file \/(run|var\/lib)\/cni\/\S*\/ |\/lock |xtables.lock|"fe80:|^route .*("dst":"ff00::|"type":"(anycast|local)")/;

const other = (side: Side): Side => (side === 'reference' ? 'Fairlead' : 'reference');

/** Declares a test for each step of each exchange that this kernel can run and Fairlead has the plugins for. */
export function testExchanges(): void {
  for (const exchange of exchanges) {
    const { plugin, what, plugins, iptables } = exchange;
    if ((exchange.kernel ?? 'first') !== kernel || !plugins.every(({ type }) => isPluginName(type))) continue;
    for (const kind of iptables ? iptablesKinds : [undefined]) {
      const beside = kind === undefined ? '' : `, beside iptables-${kind}`;
      describe(`${plugin}: ${what}${beside}`, () => testExchange(exchange, kind));
    }
  }
}

function testExchange(exchange: Exchange, kind: IptablesKind | undefined): void {
  let theirs: List;
  let ours: List;
  const kept: Attached[] = [];

  beforeAll(async () => {
    theirs = listOf(exchange, kind);
    ours = { ...theirs, sides: theirs.sides.map(other) };
    await makeSegment(exchange.plugin === 'vlan' ? 7 : undefined);
    await output(['ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:14']);
    // What the first container of a node makes is there already, by both; and others' things must stay.
    for (const [index, list] of [theirs, ours].entries()) {
      const others = withOtherPorts(list, index + 1);
      const attached = await addList(others, await newContainer(`kept-${index}`));
      if (exchange.single) await delList(others, attached);
      else kept.push(attached);
    }
  }, limit(30));

  afterEach(() => exchanged?.remove());

  afterAll(async () => {
    await removeSegment();
    await flushRules();
    for (const directory of ['/var/lib/cni/exchanged', '/var/lib/cni/networks', '/run/cni'])
      rmSync(directory, { recursive: true, force: true });
  }, limit(30));

  test.each(['1.0.0', ...(exchange.versions ?? [])])(
    'the same result and the same in the container, version %s',
    async (cniVersion) => {
      const seen: Snapshot[] = [];
      for (const side of ['reference', 'Fairlead'] as const) {
        const list = { ...by(side, theirs), cniVersion };
        const attached = await attach(list);
        if (side === 'reference' && cniVersion === '1.0.0')
          await judgeItself(exchange, () => checkList(list, attached));
        seen.push([...linesOf(attached.result), ...(await insideOf(attached.container.netns))]);
        await delList(list, attached);
        attached.container.remove();
      }
      const [before = [], after = []] = seen;
      judge(exchange, 'result', '', diff(before, after));
    },
    limit(30),
  );

  test.each([
    ['ADD by the reference, CHECK and DEL by Fairlead', 'check', 'del'],
    ['ADD by Fairlead, CHECK and DEL by the reference', 'referenceCheck', 'referenceDel'],
  ] as const)(
    '%s',
    async (_, check, del) => {
      const [adds, goesOn] = del === 'del' ? [theirs, ours] : [ours, theirs];
      const before = await nodeFacts();
      const attached = await attach(adds);
      judge(exchange, check, await errorOf(() => checkList(goesOn, attached)));
      const error = await detach(goesOn, attached);
      judge(exchange, del, error, diff(before, await nodeFacts(), lasting));
      // What the reference cannot know of goes with Fairlead's next GC.
      await gcList(ours, kept);
      const { stays, left } = exceptionFor(exchange, del) ?? {};
      const still = diff(before, await nodeFacts(), lasting);
      expect(still.filter((line) => !stays || !left?.test(line))).toEqual([]);
    },
    limit(30),
  );

  test(
    'ADD by the reference, its container is lost, GC by Fairlead',
    async () => {
      const before = await nodeFacts();
      const veths = (await ip(undefined, 'link', 'show', 'type', 'veth')).length;
      const { container } = await attach(theirs);
      container.remove();
      const error = await errorOf(() => gcList(ours, kept));
      const cables = async () => (await ip(undefined, 'link', 'show', 'type', 'veth')).length;
      const left = async () => diff(before, await nodeFacts(), lasting);
      // The kernel removes what was in a namespace some time after its end.
      const isClean = exceptionFor(exchange, 'gc')?.left === undefined;
      await eventually('what was in the namespace has gone with it', async () =>
        isClean ? (await left()).length === 0 : (await cables()) <= veths,
      );
      judge(exchange, 'gc', error, await left());
    },
    limit(30),
  );
}

function listOf({ plugins, mixed, capabilities, ifname }: Exchange, kind?: IptablesKind): List {
  return {
    name: 'exchanged',
    cniVersion: '1.0.0',
    plugins,
    sides: mixed ?? plugins.map(() => 'reference'),
    ifname: ifname ?? 'eth0',
    ...(capabilities && { capabilities }),
    ...(kind && { path: pathWith(kind) }),
  };
}

/** The list with host ports that no other container has. */
function withOtherPorts(list: List, by: number): List {
  const { portMappings = [] } = (list.capabilities ?? {}) as { portMappings?: { hostPort: number }[] };
  const moved = portMappings.map((mapping) => ({ ...mapping, hostPort: mapping.hostPort + by }));
  return { ...list, capabilities: { ...list.capabilities, portMappings: moved } };
}

/** A container without duplicate address detection, for which the reference waits a second or two each time. */
async function newContainer(name: string): Promise<Container> {
  const container = createContainer(name);
  await inNetns(container.netns, ['sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0']);
  return container;
}

/** The container of the test that is on; where that fails, it is taken away. */
let exchanged: Container | undefined;

/** Attaches a new container; host-local begins at the first free address again, so that each gets the same. */
async function attach(list: List): Promise<Attached> {
  const files = new Bun.Glob('/var/lib/cni/**/last_reserved_ip.*').scanSync({ cwd: '/', absolute: true });
  for (const file of files) rmSync(file);
  exchanged = await newContainer('exchanged');
  return addList(list, exchanged);
}

/**
 * DEL, after which the container's namespace has to be as it was made; where it fails, once more, as runtimes do. The first
 * one's error; empty where there was none.
 */
async function detach(list: List, attached: Attached): Promise<string> {
  const error = await errorOf(() => delList(list, attached));
  if (error !== '') await delList(list, attached);
  const { netns } = attached.container;
  const fresh = createContainer('fresh');
  // The kernel's own: lo's addresses, once it was up, and the rule that comes with the first vrf.
  const kernels = /"(ifname|dev)":"lo"|"l3mdev"/;
  expect(diff(await insideOf(fresh.netns), await insideOf(netns), kernels)).toEqual([]);
  fresh.remove();
  attached.container.remove();
  return error;
}

/** What an attempt failed with; empty where it did not. */
async function errorOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
    return '';
  } catch (error) {
    return String(error);
  }
}

function exceptionFor({ exceptions = [] }: Exchange, step: Step): Exception | undefined {
  return exceptions.find(({ steps }) => steps.includes(step));
}

/** The reference's CHECK of what it attached itself: an error that is said to be its own comes here, too. */
async function judgeItself({ exceptions = [] }: Exchange, checks: () => Promise<void>): Promise<void> {
  const { error } = exceptions.find(({ itself }) => itself) ?? {};
  if (error === undefined) return;
  expect(await errorOf(checks)).toMatch(error);
}

/** Holds what came of a step against what the table says: clean, or an exception that is just so. */
function judge(exchange: Exchange, step: Step, error: string, differences: readonly string[] = []): void {
  const { error: expected, left } = exceptionFor(exchange, step) ?? {};
  if (expected === undefined) expect(error).toBe('');
  else expect(error).toMatch(expected);
  if (left === undefined) expect(differences).toEqual([]);
  else {
    expect(differences).not.toEqual([]);
    expect(differences.filter((line) => !left.test(line))).toEqual([]);
  }
}
