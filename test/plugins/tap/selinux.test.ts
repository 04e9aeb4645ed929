/**
 * `selinuxContext`, on a kernel that has SELinux: a user-mode one of this test's own, with a policy in which only one context
 * may make taps. No other test runs there, since a policy is the whole kernel's.
 */
// packages: user-mode-linux kmod checkpolicy iproute2
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createContainer, removeContainers } from '../../support/container.ts';
import { binDirectory, failure, type PluginError } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import { limit } from '../../support/sandbox.ts';

const here = new URL('.', import.meta.url).pathname;
const directory = mkdtempSync(`${tmpdir()}/selinux-`);
afterAll(() => rmSync(directory, { recursive: true }));
afterAll(removeContainers);

const config = { cniVersion: '1.1.0', name: 'vms', type: 'tap' };
const context = 'system_u:system_r:vm_t';

/** One after the other, in one namespace. */
const calls = [
  ['ADD', config],
  ['ADD', { ...config, selinuxContext: 'system_u:system_r:nobody_t' }],
  ['ADD', { ...config, selinuxContext: 'system_u:system_r:base_t' }],
  ['ADD', { ...config, selinuxContext: context, owner: 1000, multiQueue: true, mtu: 1400 }],
  ['ADD', { ...config, selinuxContext: context }],
  ['DEL', { ...config, selinuxContext: context }],
] as const;

const commandLine = [
  ...['mem=512M', 'rootfstype=hostfs', 'rootflags=/', 'rw', 'con=null', 'con0=null,fd:1', 'quiet'],
  ...['security=selinux', `uml_dir=${directory}/`, `init=${here}selinux-init.sh`],
  // What the kernel does not know becomes the environment of the init program.
  ...[`DIRECTORY=${directory}`, `PLUGINS=${binDirectory}`],
];

const read = (name: string) => readFileSync(`${directory}/${name}`, 'utf8');

/** What a call answered, and the links of the namespace after it. */
function after(number: number) {
  const text = read(`call.${number}`);
  const links = JSON.parse(read(`link.${number}`)) as readonly {
    ifname: string;
    mtu: number;
    linkinfo?: object;
  }[];
  return { answer: text === '' ? undefined : (JSON.parse(text) as PluginError), links };
}

beforeAll(async () => {
  await output(['checkpolicy', '-U', 'allow', '-o', `${directory}/policy`, `${here}selinux.conf`]);
  const lines = calls.map(([command, configuration]) => `${command} ${JSON.stringify(configuration)}\n`);
  writeFileSync(`${directory}/calls`, lines.join(''));
  await output(['linux.uml', ...commandLine], { timeoutSeconds: 60 });
}, limit(60));

test('the kernel enforces the policy: who must not make taps makes none', () => {
  expect(read('context').replace(/\0$/, '')).toBe('system_u:system_r:base_t');
  const { answer, links } = after(0);
  expect(answer).toMatchObject({ code: 999, msg: 'create tap eth0: permission denied (EACCES)' });
  expect(links.map(({ ifname }) => ifname)).toEqual(['lo']);
});

test('a context that the policy does not know, and one that must not make taps', () => {
  expect(after(1).answer).toMatchObject({
    code: 7,
    msg: "`selinuxContext` of plugin `tap` must be a context of the node's SELinux policy",
  });
  expect(after(2).answer).toMatchObject({ code: 999, msg: 'create tap eth0: permission denied (EACCES)' });
  expect(after(2).links.map(({ ifname }) => ifname)).toEqual(['lo']);
});

test('a context that may: the tap is made, as the other keys say; twice is an error; DEL removes it', () => {
  const made = after(3);
  expect(made.answer).toMatchObject({ interfaces: [{ name: 'eth0', sandbox: '/run/netns/blue' }] });
  expect(made.links.find(({ ifname }) => ifname === 'eth0')).toMatchObject({
    mtu: 1400,
    linkinfo: { info_kind: 'tun', info_data: { type: 'tap', persist: true, multi_queue: true } },
  });
  expect(JSON.stringify(made.links)).toMatch(/"user":("[^"]+"|1000)/);
  expect(after(4).answer).toMatchObject({ code: 4, msg: 'interface eth0 exists already in /run/netns/blue' });
  expect(after(5)).toMatchObject({ answer: undefined, links: [{ ifname: 'lo' }] });
});

test('on a kernel without SELinux: an error that says so', async () => {
  const call = { plugin: 'tap', command: 'ADD', container: createContainer(), ifname: 'eth0' };
  expect(await failure({ ...call, config: { ...config, selinuxContext: context } })).toMatchObject({
    code: 2,
    msg: "`selinuxContext` of plugin `tap`: this node's kernel has no SELinux, or it is turned off",
  });
});
