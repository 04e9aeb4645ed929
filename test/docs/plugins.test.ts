/**
 * The configurations in docs/plugins, as they stand: each is connected, checked and disconnected, and gives what is
 * written under it; those that are marked as wrong give the error that is written under them.
 */
// packages: nftables dnsmasq-base
// kernels: first, second
// seconds: 90
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { fairlead, fairleadJson } from '../cli/fairlead.ts';
import { kernelHasKind } from '../kernel/iproute.ts';
import { start, startDaemon, stopAll } from '../plugins/dhcp/servers.ts';
import { type Container, createContainer, ip, removeContainers } from '../support/container.ts';
import { diff, snapshot } from '../support/node.ts';
import type { AddResult, PluginError } from '../support/plugin.ts';
import { runProgram } from '../support/program.ts';
import { kernel, limit } from '../support/sandbox.ts';
import { testUnless } from '../support/unless.ts';
import { type Block, blocksOf, pageText } from './page.ts';

setDefaultTimeout(limit(30));

const confDirectory = '/run/docs/net.d';
const networks = '/var/lib/cni/networks';

/** A configuration on a page, with the blocks that follow it, by the second word of their labels. */
interface Case {
  readonly name: string;
  readonly config: Block;
  readonly isWrong: boolean;
  readonly with: Readonly<Record<string, string>>;
}

/** Takes a page apart: blocks of other kinds belong to the configuration before. */
function casesOf(page: string): readonly Case[] {
  const cases: (Case & { with: Record<string, string> })[] = [];
  for (const block of blocksOf(pageText(page))) {
    if (block.label === 'json' || block.label === 'json wrong') {
      const name = `${page}:${block.line}`;
      cases.push({ name, config: block, isWrong: block.label !== 'json', with: {} });
      continue;
    }
    const [, what] = block.label.split(' ');
    const last = cases.at(-1);
    if (what !== undefined && last !== undefined) last.with[what] = block.text;
  }
  return cases;
}

const filtersVlans = await (async () => {
  const made = await runProgram(['ip', 'link', 'add', 'tryvlans', 'type', 'bridge', 'vlan_filtering', '1']);
  if (made.exitCode === 0) await ip(undefined, 'link', 'delete', 'tryvlans');
  return made.exitCode === 0;
})();

/** Plugins that are named as the kind of link that they make, and that this kernel has not. */
const missingKinds: string[] = [];
const rareKinds = ['dummy', 'ipvlan', 'vlan', 'vrf'];
for (const kind of rareKinds) if (!(await kernelHasKind(kind))) missingKinds.push(kind);

const usesVlans = ({ config }: Case) => /"vlan(Trunk)?": [^0]/.test(config.text);
const usesNat = ({ config }: Case) => /"ipMasq"|"portmap"/.test(config.text);

/** On the second kernel, which is slow, only what other kernels may lack. */
const isTriedHere = (one: Case) =>
  kernel === 'first' ||
  usesVlans(one) ||
  rareKinds.some((each) => one.config.text.includes(`"type": "${each}"`));

/** Why the case cannot be run here. */
function reasonAgainst(one: Case): string | undefined {
  if (kernel === 'second' && usesNat(one)) return 'this kernel has nf_tables for bridges only';
  const kind = missingKinds.find((each) => one.config.text.includes(`"type": "${each}"`));
  return kind && `this kernel has no ${kind} links`;
}

/** Calls `fairlead` for the case's network and a container, with what the page says the runtime gives. */
function call({ config, with: given }: Case, { netns }: Container) {
  const { name } = JSON.parse(config.text) as { name: string };
  mkdirSync(confDirectory, { recursive: true });
  writeFileSync(`${confDirectory}/${name}.conflist`, config.text);
  const [, cniArgs = ''] = /^CNI_ARGS='(.*)'$/.exec((given.arguments ?? '').trim()) ?? [];
  const env = { NETCONFPATH: confDirectory, CAP_ARGS: given.capabilities ?? '', CNI_ARGS: cniArgs };
  return {
    succeed: <T>(command: string) => fairleadJson<T>([command, name, netns], env),
    /** Commands that are about networks. */
    ofAll: (command: string) => fairleadJson([command, name], env),
    validate: () => fairlead(['validate', `${confDirectory}/${name}.conflist`], env),
    fail: async () => JSON.parse((await fairlead(['add', name, netns, '--json'], env)).stdout) as PluginError,
  };
}

/** Names and hardware addresses that Fairlead makes, and the namespace's path, differ from run to run. */
function masked(result: unknown): unknown {
  const text = JSON.stringify(result)
    .replaceAll(/\bfa(:[0-9a-f]{2}){5}\b/g, 'MAC')
    .replaceAll(/\bveth[0-9a-f]{8}\b/g, 'VETH')
    .replaceAll(/\/run\/netns\/\w+/g, 'NETNS');
  return JSON.parse(text);
}

/** An error as the pages write it: without who called whom, and without what happened when it was taken back. */
function written({ code, msg, details = '' }: PluginError): string {
  const own = details.replace(/(^|; )taking it back failed too:.*$/, '');
  return `${code}: ${[msg.replace(/^(plugin `[^`]+`: )+/, ''), own].filter((text) => text !== '').join('; ')}`;
}

async function removeBridges(): Promise<void> {
  for (const { ifname } of await ip(undefined, 'link', 'show', 'type', 'bridge'))
    await ip(undefined, 'link', 'delete', String(ifname));
  // A gateway's own pair stays when its bridge goes.
  for (const { ifname } of await ip(undefined, 'link', 'show', 'type', 'veth'))
    await runProgram(['ip', 'link', 'delete', String(ifname)]);
}

/** The node's link that pages name as a master. */
beforeEach(async () => {
  await ip(undefined, 'link', 'add', 'up0', 'up', 'type', 'veth', 'peer', 'name', 'outside0');
});

afterEach(async () => {
  removeContainers();
  await removeBridges();
  for (const directory of ['/run/docs', networks, '/run/cni'])
    rmSync(directory, { recursive: true, force: true });
});

/** What the page of dhcp says there is: its daemon, and a server on the segment of `up0` that has one address. */
async function leaseAddresses(): Promise<AsyncDisposable> {
  await ip(undefined, 'address', 'add', '10.20.0.1/24', 'dev', 'outside0');
  await ip(undefined, 'link', 'set', 'outside0', 'up');
  const own = ['--port=0', '--conf-file=/dev/null', '--leasefile-ro', '--no-ping', '--pid-file='];
  const range = ['--interface=outside0', '--dhcp-range=10.20.0.50,10.20.0.50,255.255.255.0,2m'];
  start(['dnsmasq', '-k', ...own, '--bind-interfaces', '--except-interface=lo', ...range]);
  await startDaemon();
  return { [Symbol.asyncDispose]: stopAll };
}

async function connect(one: Case): Promise<void> {
  await using _ = one.config.text.includes('"dhcp"') ? await leaseAddresses() : undefined;
  const container = createContainer('docs');
  const { succeed, ofAll, validate } = call(one, container);
  expect(await validate()).toMatchObject({ exitCode: 0, stderr: '' });
  await ofAll('status');
  const result = await succeed<AddResult>('add');
  const { result: whole, ips } = one.with;
  if (whole !== undefined) expect(masked(result)).toEqual(masked(JSON.parse(whole)));
  if (ips !== undefined) expect(result.ips).toEqual(JSON.parse(ips));
  await succeed('check');
  await ofAll('gc');
  await succeed('check');
  await succeed('del');
  expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
  expect(reservations()).toEqual([]);
}

/** What host-local keeps that is named by an address. */
function reservations(): readonly string[] {
  const directories = [networks, '/run/cni/networks'].filter((path) => existsSync(path));
  const names = directories.flatMap((path) => readdirSync(path, { recursive: true, encoding: 'utf8' }));
  return names.filter((name) => /^[^./][^/]*\/[0-9a-f]+[.:]/.test(name));
}

/**
 * What an ADD that is refused may leave: host-local's own files, the record of the failed call; the bridge, which
 * others may share, where it is not the first plugin that refuses.
 */
function lasting({ config }: Case): RegExp {
  const { plugins } = JSON.parse(config.text) as { plugins: readonly unknown[] };
  const files = String.raw`^file (/var/lib/cni|/run/fairlead/failures)\b`;
  return new RegExp(plugins.length === 1 ? files : String.raw`${files}|\bwrong0\b`);
}

async function refuse(one: Case, expected: string | RegExp): Promise<void> {
  const container = createContainer('docs');
  const { fail } = call(one, container);
  const before = await snapshot();
  const error = await fail();
  if (typeof expected === 'string') expect(written(error)).toBe(expected);
  else expect(written(error)).toMatch(expected);
  if (one.isWrong) expect(diff(before, await snapshot(), lasting(one))).toEqual([]);
  expect(reservations()).toEqual([]);
}

/** That each plugin has one, keys.test.ts says. */
const pages = readdirSync(`${root}/docs/plugins`).map((name) => `docs/plugins/${name}`);

describe('a configuration on a page', () => {
  for (const one of pages.flatMap(casesOf).filter(isTriedHere)) {
    const test = testUnless(reasonAgainst(one));
    if (one.isWrong) test(`${one.name} is wrong`, () => refuse(one, (one.with.error ?? '').trim()));
    else if (usesVlans(one) && !filtersVlans)
      test(`${one.name} needs vlan filtering`, () =>
        refuse(one, /^2: `vlan(Trunk)?` of .* no vlan filtering/));
    else test(one.name, () => connect(one));
  }
});

test('pages have configurations, results and errors', () => {
  const cases = pages.flatMap(casesOf);
  for (const page of pages.filter((one) => !one.endsWith('README.md'))) {
    const own = cases.filter(({ name, isWrong }) => name.startsWith(`${page}:`) && !isWrong);
    expect(own.length).toBeGreaterThan(0);
  }
  expect(cases.filter((one) => one.with.result !== undefined).length).toBeGreaterThanOrEqual(4);
  expect(cases.filter(({ isWrong }) => isWrong).length).toBeGreaterThanOrEqual(10);
  for (const { isWrong, with: given } of cases) expect(given.error !== undefined).toBe(isWrong);
});
