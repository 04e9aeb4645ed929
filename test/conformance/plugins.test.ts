/** This project's plugins, as executables of their CNI bin directory: they break no rule. And the command line itself. */
// packages: iproute2 nftables
// seconds: 600
import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fairlead } from '../cli/fairlead.ts';
import { diff, snapshot } from '../support/node.ts';
import { binDirectory } from '../support/plugin.ts';
import { testUnless } from '../support/unless.ts';
import { broken, conform } from './conform.ts';

const files = mkdtempSync(`${tmpdir()}/conformance-`);
afterAll(() => rmSync(files, { recursive: true }));

/** The kind that each is found to be, where it is not that of an interface plugin. */
const kindOf: Readonly<Record<string, string>> = {
  bandwidth: 'chained',
  dhcp: 'ipam',
  firewall: 'chained',
  'host-local': 'ipam',
  portmap: 'chained',
  sbr: 'chained',
  static: 'ipam',
  tuning: 'chained',
  vrf: 'chained',
};

const noSuchLinks = 'this kernel has no such links';
const cannotRun: Readonly<Record<string, string>> = {
  dhcp: 'it needs a server',
  dummy: noSuchLinks,
  ipvlan: noSuchLinks,
  vlan: noSuchLinks,
  vrf: noSuchLinks,
};

for (const name of readdirSync(binDirectory)) {
  const body = async () => {
    const { exitCode, report } = await conform(`${binDirectory}/${name}`);
    expect(broken(report)).toEqual([]);
    expect(exitCode).toBe(0);
    expect(report.kind).toBe(kindOf[name] ?? 'interface');
    expect(report.holds).toBeGreaterThan(45);
  };
  testUnless(cannotRun[name])(`${name} breaks no rule`, body, 120_000);
}

test('nothing of the machine changes', async () => {
  const before = await snapshot();
  await conform(`${binDirectory}/bridge`, '--rule', 'add-succeeds', '--rule', 'gc-removes-stale');
  expect(diff(before, await snapshot())).toEqual([]);
}, 60_000);

test('a range that is not used up shows no leak: the rule is not tried', async () => {
  const file = `${files}/large.conf`;
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.60.0.0/16' }]] };
  writeFileSync(
    file,
    JSON.stringify({ cniVersion: '1.0.0', name: 'large', type: 'bridge', bridge: 'large0', ipam }),
  );
  const { report } = await conform(
    `${binDirectory}/bridge`,
    '--config',
    file,
    '--rule',
    'del-frees-addresses',
  );
  expect(report.rules.map(({ verdict, reason }) => [verdict, reason])).toEqual([
    ['notTried', expect.stringContaining('8 different addresses')],
  ]);
});

test('a configuration of the user: the plugin is found in a list, and what is before it makes it a chained one', async () => {
  const file = `${files}/mine.conflist`;
  const plugins = [
    { type: 'bridge', bridge: 'mine0', ipam: { type: 'host-local', subnet: '10.55.0.0/24' } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  writeFileSync(file, JSON.stringify({ cniVersion: '1.0.0', name: 'mine', plugins }));
  const config = ['--config', file, '--rule', 'add-succeeds'];
  const first = await conform(`${binDirectory}/bridge`, ...config);
  const second = await conform(`${binDirectory}/portmap`, ...config);
  const ipam = await conform(`${binDirectory}/host-local`, ...config);
  expect([first, second, ipam].map(({ report }) => report.kind)).toEqual(['interface', 'chained', 'ipam']);
  expect([first, second, ipam].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  const { exitCode, stderr } = await fairlead(['conformance', `${binDirectory}/loopback`, '--config', file]);
  expect(stderr).toContain('has no plugin of type `loopback`');
  expect(exitCode).toBe(2);
}, 60_000);

test('the previous result of the user', async () => {
  const file = `${files}/previous.json`;
  const previous = {
    interfaces: [{ name: 'eth7', sandbox: 'x' }],
    ips: [{ address: '192.0.2.9/24', interface: 0 }],
  };
  writeFileSync(file, JSON.stringify(previous));
  const options = [
    '--prev-result',
    file,
    '--rule',
    'prevresult-addresses',
    '--rule',
    'prevresult-interfaces',
  ];
  const { report } = await conform(`${binDirectory}/portmap`, ...options);
  expect(report.rules.map(({ verdict }) => verdict)).toEqual(['holds', 'holds']);
}, 60_000);

test('rules are chosen by --rule and --except, listed by --list', async () => {
  const one = await conform(
    `${binDirectory}/static`,
    '--rule',
    'del-twice',
    '--rule',
    'ends',
    '--except',
    'ends',
  );
  expect(one.report.rules.map(({ id }) => id)).toEqual(['del-twice']);
  const { stdout } = await fairlead(['conformance', '--list']);
  expect(stdout).toContain('del-twice');
  expect(stdout).toContain('SPEC.md 1.1.0, section 2, "DEL: Remove container from network');
}, 60_000);

const mistakes: readonly (readonly [argv: readonly string[], message: string])[] = [
  [[], "PATH is missing (the plugin's executable)"],
  [['/run/none'], 'there is no executable /run/none'],
  [['/etc/passwd'], '/etc/passwd is not executable; `chmod +x /etc/passwd` makes it so'],
  [['/bin/true', '--rule', 'del-twce'], 'there is no rule del-twce; did you mean del-twice?'],
  [['/bin/true', '--kind', 'main'], '--kind must be one of interface, ipam, chained, got main'],
  [
    ['/bin/true', '--timeout', '0'],
    '--timeout must be a number of seconds, more than 0 and at most 3600, got 0',
  ],
];

for (const [argv, message] of mistakes) {
  test(`wrong usage: ${argv.join(' ') || 'nothing'}`, async () => {
    const { exitCode, stderr } = await fairlead(['conformance', ...argv]);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });
}

test('a program that is no plugin breaks rules, and the report says what could not be tried', async () => {
  const { exitCode, report } = await conform('/bin/true');
  expect(exitCode).toBe(1);
  expect(broken(report).map(({ id }) => id)).toContain('version-answer');
  expect(report.notTried).toBeGreaterThan(10);
}, 60_000);
