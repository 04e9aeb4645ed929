/** Every plugin with a configuration that is right, to be spoilt; and what a refusal has to look like. */
import { afterAll, beforeAll, expect } from 'bun:test';
import type { JsonObject } from '../../src/cni/index.ts';
import { createContainer, removeContainers } from '../support/container.ts';
import { diff, type Snapshot, snapshot } from '../support/node.ts';
import { type PluginCall, type PluginEnded, type PluginError, runPlugin } from '../support/plugin.ts';
import { output, runProgram } from '../support/program.ts';

/** A plugin's configuration that is right. */
export interface Subject {
  readonly plugin:
    | 'bandwidth'
    | 'bridge'
    | 'dhcp'
    | 'dummy'
    | 'firewall'
    | 'host-device'
    | 'host-local'
    | 'ipvlan'
    | 'loopback'
    | 'macvlan'
    | 'portmap'
    | 'ptp'
    | 'sbr'
    | 'static'
    | 'tap'
    | 'tuning'
    | 'vlan'
    | 'vrf';
  readonly config: JsonObject;
  /** Whether the plugin works in the container's network namespace. */
  readonly entersNamespace: boolean;
  /** Whether it comes after a plugin that makes the interface; `makeInterface` is that one's part. */
  readonly needsInterface?: true;
  /** Whether its link sits on one of the node's: `makeMaster` makes that. */
  readonly needsMaster?: true;
  /** Whether it takes one of the node's links: `makeDevice` makes that. */
  readonly needsDevice?: true;
  /** Whether it succeeds only beside a daemon and a server, which its own tests have. */
  readonly needsDaemon?: true;
  /** The kind of link that it makes, where the machine's kernel may lack it. */
  readonly kind?: 'dummy' | 'ipvlan' | 'vlan' | 'vrf';
}

/** The container `faults` for a file's tests, which must all leave the node as it was. */
export function changeNothing(): void {
  let before: Snapshot;
  beforeAll(async () => {
    createContainer('faults');
    before = await snapshot();
  });
  afterAll(async () => {
    const changes = diff(before, await snapshot());
    removeContainers();
    expect(changes).toEqual([]);
  });
}

/** The container's eth0, a veth whose other end is the node's faults1, as a plugin before would have made it. */
export async function makeInterface(): Promise<void> {
  const pair = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', 'faults'];
  await output(['ip', 'link', 'add', 'faults1', ...pair]);
}

/** The node's link `faults1`, up; its other end is nowhere. */
export async function makeMaster(): Promise<void> {
  await output(['ip', 'link', 'add', 'faults1', 'up', 'type', 'veth', 'peer', 'name', 'faults2']);
}

/** The node's link `faults1`, as it will be when it comes back: down, and without addresses. */
export async function makeDevice(): Promise<void> {
  await output(['ip', 'link', 'add', 'faults1', 'type', 'veth', 'peer', 'name', 'faults2']);
}

/** Removes any of them again: a namespace's links go some time after it. */
export async function removeInterface(): Promise<void> {
  await runProgram(['ip', 'link', 'delete', 'faults1']);
}

const common = { cniVersion: '1.1.0', name: 'faults' };
const hostLocal = { type: 'host-local', ranges: [[{ subnet: '10.7.0.0/24' }], [{ subnet: 'fd07::/64' }]] };
const prevResult = {
  cniVersion: '1.1.0',
  interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/run/netns/faults' }],
  ips: [{ address: '10.7.0.2/24', gateway: '10.7.0.1', interface: 0 }],
};
const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }];

/** Without IPv6: on a link without a far end its duplicate address detection takes its time. */
function onMaster(type: string): JsonObject {
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.7.0.0/24' }]] };
  return { ...common, type, master: 'faults1', ipam };
}

/** All of them. */
export const subjects: readonly Subject[] = [
  {
    plugin: 'bandwidth',
    config: {
      ...common,
      type: 'bandwidth',
      egressRate: 8_000_000,
      egressBurst: 800_000,
      prevResult: { ...prevResult, interfaces: [...prevResult.interfaces, { name: 'faults1' }] },
    },
    entersNamespace: true,
    needsInterface: true,
  },
  {
    plugin: 'bridge',
    config: { ...common, type: 'bridge', bridge: 'faults0', isGateway: true, ipMasq: true, ipam: hostLocal },
    entersNamespace: true,
  },
  {
    plugin: 'ptp',
    config: { ...common, type: 'ptp', ipMasq: true, ipam: hostLocal },
    entersNamespace: true,
  },
  { plugin: 'macvlan', config: onMaster('macvlan'), entersNamespace: true, needsMaster: true },
  { plugin: 'ipvlan', config: onMaster('ipvlan'), entersNamespace: true, needsMaster: true, kind: 'ipvlan' },
  { plugin: 'vlan', config: onMaster('vlan'), entersNamespace: true, needsMaster: true, kind: 'vlan' },
  {
    plugin: 'dummy',
    config: { ...common, type: 'dummy', ipam: hostLocal },
    entersNamespace: true,
    kind: 'dummy',
  },
  {
    plugin: 'firewall',
    config: {
      ...common,
      type: 'firewall',
      ingressPolicy: 'isolated',
      prevResult: {
        ...prevResult,
        interfaces: [{ name: 'faults0' }, { name: 'faults1' }, ...prevResult.interfaces],
      },
    },
    entersNamespace: false,
  },
  {
    plugin: 'host-device',
    config: {
      ...common,
      type: 'host-device',
      device: 'faults1',
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.7.0.0/24' }]] },
    },
    entersNamespace: true,
    needsDevice: true,
  },
  { plugin: 'host-local', config: { ...common, type: 'bridge', ipam: hostLocal }, entersNamespace: false },
  { plugin: 'loopback', config: { ...common, type: 'loopback' }, entersNamespace: true },
  {
    plugin: 'portmap',
    config: {
      ...common,
      type: 'portmap',
      capabilities: { portMappings: true },
      runtimeConfig: { portMappings },
      prevResult,
    },
    entersNamespace: false,
  },
  {
    plugin: 'static',
    config: { ...common, type: 'bridge', ipam: { type: 'static', addresses: [{ address: '10.7.0.5/24' }] } },
    entersNamespace: false,
  },
  { plugin: 'tap', config: { ...common, type: 'tap', ipam: hostLocal }, entersNamespace: true },
  {
    plugin: 'dhcp',
    config: { ...common, type: 'macvlan', ipam: { type: 'dhcp', request: [{ option: '6' }] } },
    entersNamespace: true,
    needsInterface: true,
    needsDaemon: true,
  },
  {
    plugin: 'sbr',
    config: { ...common, type: 'sbr', table: 7000, prevResult },
    entersNamespace: true,
    needsInterface: true,
  },
  {
    plugin: 'tuning',
    config: { ...common, type: 'tuning', sysctl: { 'net.core.somaxconn': '99' }, mtu: 1400, prevResult },
    entersNamespace: true,
    needsInterface: true,
  },
  {
    plugin: 'vrf',
    config: { ...common, type: 'vrf', vrfname: 'faults', prevResult },
    entersNamespace: true,
    needsInterface: true,
    kind: 'vrf',
  },
];

/** The subject of that name. */
export function subjectOf(plugin: Subject['plugin']): Subject {
  const found = subjects.find((subject) => subject.plugin === plugin);
  if (found === undefined) throw new Error(`no plugin ${plugin}`);
  return found;
}

/** A call of a plugin with everything right, and what is to be wrong. */
export function callOf(
  { plugin, config }: Subject,
  command: string,
  wrong: Partial<PluginCall> = {},
): PluginCall {
  return {
    plugin,
    command,
    config: command === 'GC' ? { ...config, 'cni.dev/valid-attachments': [] } : config,
    containerId: 'faults',
    ifname: 'eth0',
    netns: '/run/netns/faults',
    ...wrong,
  };
}

/** The error of a call, which has to be one error object on standard output, exit code 1, and nothing else. */
export async function refusal(call: PluginCall): Promise<PluginError> {
  return refusalIn(await runPlugin(call), `${call.plugin} ${call.command}`);
}

/** The same of a call that has ended. */
export function refusalIn({ exitCode, stdout, stderr, json }: PluginEnded, what: string): PluginError {
  const shown = stdout.length > 4000 ? `${stdout.slice(0, 4000)}…` : stdout;
  expect({ what, exitCode, stdout: shown, stderr }).toEqual({ what, exitCode: 1, stdout: shown, stderr: '' });
  const error = json as PluginError;
  expect({ what, stdout: shown, error }).toEqual({
    what,
    stdout: shown,
    error: {
      cniVersion: expect.stringMatching(/^\d\.\d\.\d$/),
      code: expect.any(Number),
      msg: expect.stringMatching(/^[^\n]{10,}$/),
      ...(error.details === undefined ? {} : { details: expect.stringMatching(/^[^\n]+$/) }),
    },
  });
  // No stack trace, and no name of a file of ours.
  expect(stdout).not.toMatch(/\bat .*:\d+:\d+|\.[tj]s\b|\$bunfs/);
  return error;
}
