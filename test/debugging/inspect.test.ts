/** `fairlead inspect` and `fairlead debug`: attachments that are as they were made, and broken ones. */
// packages: iproute2 nftables containernetworking-plugins
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createNetns, removeNetns } from '../../src/kernel/netns/netns.ts';
import { executable, fairlead, fairleadJson, pods, writeNetworks } from '../cli/fairlead.ts';
import { ip } from '../support/container.ts';
import { binDirectory, dist } from '../support/plugin.ts';
import { output, runProgram } from '../support/program.ts';

interface Fact {
  readonly what: string;
  readonly configured: string;
  readonly found: string;
  readonly state: string;
}
interface Inspection {
  readonly differences: number;
  readonly attachments: readonly {
    readonly facts: readonly Fact[];
    readonly pod?: string;
    readonly configuration: object;
  }[];
  readonly besides: readonly Fact[];
}

const id = 'cnitool-df26705e2e4ffd095eb1';
const port = 'veth615f2cbd';
const [bridge, portmap] = pods.plugins;
const network = { ...pods, plugins: [{ ...bridge, macspoofchk: true, isDefaultGateway: true }, portmap] };

beforeEach(async () => {
  writeNetworks(network);
  const ports = { CAP_ARGS: '{"portMappings":[{"hostPort":8080,"containerPort":80}]}' };
  const args = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web';
  await fairleadJson(['add', 'pods', 'blue', '--create-netns', '--args', args], ports);
});

afterEach(async () => {
  writeNetworks(network);
  await fairlead(['del', 'pods', 'blue', '--remove-netns']);
  for (const { ifname } of await ip(undefined, 'link', 'show', 'type', 'bridge'))
    await ip(undefined, 'link', 'del', String(ifname));
  rmSync('/var/lib/cni/networks', { recursive: true, force: true });
  rmSync('/run/fairlead', { recursive: true, force: true });
});

async function inspect(what = 'blue', env = {}): Promise<Inspection & { readonly wrong: readonly string[] }> {
  const { exitCode, stdout } = await fairlead(['inspect', what, '--json'], env);
  const inspection = JSON.parse(stdout) as Inspection;
  const facts = inspection.attachments.flatMap((one) => one.facts);
  const wrong = facts.filter(({ state }) => state === 'missing' || state === 'differs');
  expect(exitCode).toBe(wrong.length === 0 ? 0 : 1);
  return { ...inspection, wrong: wrong.map(({ what, found, state }) => `${what}: ${found || state}`) };
}

const inBlue = (...argv: string[]) => output(['ip', '-n', 'blue', ...argv]);

test('a route of the link itself has no gateway, though the address has one', async () => {
  const routes = [{ dst: '0.0.0.0/0' }, { dst: '198.51.100.0/24', scope: 253 }];
  const ipam = { type: 'static', addresses: [{ address: '10.77.0.5/24', gateway: '10.77.0.1' }], routes };
  const linked = { ...pods, name: 'linked', plugins: [{ type: 'bridge', bridge: 'linked0', ipam }] };
  writeNetworks(network, linked);
  await fairleadJson(['add', 'linked', 'blue', '--ifname', 'net1']);
  expect((await inspect()).wrong).toEqual([]);
  await inBlue('route', 'del', '198.51.100.0/24', 'dev', 'net1');
  expect((await inspect()).wrong).toContain('route: missing');
  await fairlead(['del', 'linked', 'blue', '--ifname', 'net1']);
});

test('nor has the route to the gateway, in a result of a version without scopes', async () => {
  const routes = [{ dst: '10.77.0.1/32' }, { dst: '198.51.100.0/24' }];
  const ipam = { type: 'static', addresses: [{ address: '10.77.0.5/24', gateway: '10.77.0.1' }], routes };
  const plugins = [{ type: 'bridge', bridge: 'linked0', ipam }];
  writeNetworks(network, { ...pods, name: 'linked', cniVersion: '1.0.0', plugins } as typeof pods);
  await fairleadJson(['add', 'linked', 'blue', '--ifname', 'net1']);
  const { wrong, attachments } = await inspect();
  expect(wrong).toEqual([]);
  const facts = attachments.flatMap((one) => one.facts);
  expect(facts.find(({ configured }) => configured.startsWith('10.77.0.1/32'))?.configured).toBe(
    '10.77.0.1/32',
  );
  await fairlead(['del', 'linked', 'blue', '--ifname', 'net1']);
});

test('as it was made: nothing differs, and everything that ADD made has a line', async () => {
  const { wrong, attachments } = await inspect();
  expect(wrong).toEqual([]);
  const facts = attachments.flatMap((one) => one.facts);
  const whats = facts
    .filter(({ state }) => state === 'same')
    .map(({ what, configured }) => `${what} = ${configured}`);
  for (const part of [
    'link eth0 in the container = fa:',
    `link ${port} on the node = fa:`,
    'link pods0 on the node = fa:',
    'address on eth0 = 10.88.0.2/24',
    'address on eth0 = fd00:88::2/64',
    'gateway on the node = fd00:88::1',
    'route = 0.0.0.0/0 via 10.88.0.1',
    'net/ipv4/ip_forward = 1',
    'reservation in host-local = 10.88.0.2',
    'masquerading of fd00:88::2 (masquerade6) = jump ',
    `the hardware address check of port ${port} (macspoof-allowed) = there`,
    'host port 8080/tcp (IPv4) (portmap-target4) = 10.88.0.2 . 80',
    'CHECK of plugin bridge = as ADD left it',
    'CHECK of plugin portmap = as ADD left it',
  ])
    expect(
      whats.filter((text) => text.startsWith(part)),
      part,
    ).toHaveLength(1);
});

test('where the plugins’ names lead to fairlead-call they are known as well', async () => {
  const direct = await inspect();
  const served = await inspect('blue', { CNI_PATH: `${dist}/served` });
  expect(served.attachments).toEqual(direct.attachments);
});

test('firewall: the addresses, the policy, the port, and whatever of it is taken away', async () => {
  const ipam = { type: 'static', addresses: [{ address: '10.77.0.5/24' }] };
  const plugins = [
    { type: 'bridge', bridge: 'guarded0', ipam },
    { type: 'firewall', ingressPolicy: 'isolated' },
  ];
  const guarded = { ...pods, name: 'guarded', plugins };
  writeNetworks(network, guarded);
  await fairleadJson(['add', 'guarded', 'blue', '--ifname', 'net1']);
  const { attachments, wrong } = await inspect();
  expect(wrong).toEqual([]);
  const whats = attachments.flatMap(({ facts }) => facts.map(({ what, found }) => `${what} = ${found}`));
  expect(whats).toContain('the address 10.77.0.5 (firewall-allowed4) = there');
  expect(whats).toContain(
    'the ingress policy of 10.77.0.5 (firewall-guarded4) = jump firewall-isolated-guarded0',
  );
  expect(
    whats.filter((text) => /^the isolation of port veth\w+ \(firewall-ports\) = there$/.test(text)),
  ).toHaveLength(1);
  await output(['nft', 'delete element inet fairlead firewall-allowed4 { 10.77.0.5 }']);
  expect((await inspect()).wrong).toContain('the address 10.77.0.5 (firewall-allowed4): missing');
  await fairlead(['del', 'guarded', 'blue', '--ifname', 'net1']);
});

const faults: readonly [name: string, breakIt: () => Promise<unknown>, wrong: readonly RegExp[]][] = [
  [
    'an address removed',
    () => inBlue('address', 'del', 'fd00:88::2/64', 'dev', 'eth0'),
    [/^address on eth0: missing$/, /^CHECK of plugin bridge: .*fd00:88::2/],
  ],
  [
    'a route removed',
    () => inBlue('route', 'del', 'default'),
    [/^route: missing$/, /^CHECK of plugin bridge: .*no route to 0\.0\.0\.0\/0/],
  ],
  [
    'the interface down',
    () => inBlue('link', 'set', 'eth0', 'down'),
    [/^link eth0 in the container: veth, .*, down/, /^CHECK of plugin bridge/],
  ],
  [
    'the interface gone',
    () => inBlue('link', 'del', 'eth0'),
    [
      /^link eth0 in the container: missing$/,
      new RegExp(`^link ${port} on the node: missing$`),
      /^address on eth0: missing$/,
    ],
  ],
  [
    'another hardware address',
    () => inBlue('link', 'set', 'eth0', 'address', '02:00:00:00:00:99'),
    [/^link eth0 in the container: veth, 02:00:00:00:00:99/],
  ],
  [
    'the port out of the bridge',
    () => output(['ip', 'link', 'set', port, 'nomaster']),
    [
      new RegExp(`^link ${port} on the node: veth, .* 1500$`),
      /CHECK of plugin bridge: .*no port of bridge pods0/,
    ],
  ],
  [
    'the gateway gone',
    () => output(['ip', 'address', 'del', '10.88.0.1/24', 'dev', 'pods0']),
    [/^gateway on the node: missing$/],
  ],
  [
    'a port taken away',
    () => output(['nft', 'delete element inet fairlead portmap-target4 { tcp . 8080 }']),
    [/^host port 8080\/tcp \(IPv4\) \(portmap-target4\): missing$/, /^CHECK of plugin portmap/],
  ],
  [
    'no masquerading',
    () => output(['nft', 'delete element inet fairlead masquerade4 { 10.88.0.2 }']),
    [/^masquerading of 10\.88\.0\.2 \(masquerade4\): missing$/],
  ],
  [
    'all rules flushed',
    () => output(['nft', 'flush ruleset']),
    [/^masquerading/, /^the hardware address check/, /^host port/],
  ],
  [
    'forwarding off',
    async () => writeFileSync('/proc/sys/net/ipv4/ip_forward', '0'),
    [/^net\/ipv4\/ip_forward: 0$/],
  ],
  [
    'the reservation of somebody else',
    async () => writeFileSync('/var/lib/cni/networks/pods/10.88.0.2', 'other\r\neth0'),
    [/^reservation in host-local: held by container other$/],
  ],
];

test.each(faults)('%s is shown', async (_, breakIt, expected) => {
  await breakIt();
  const { wrong } = await inspect();
  for (const pattern of expected)
    expect(
      wrong.filter((text) => pattern.test(text)),
      `${pattern} in ${wrong.join('\n')}`,
    ).not.toEqual([]);
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
});

test('the port of another container is told by its owner', async () => {
  await fairleadJson(['add', 'pods', 'red', '--create-netns', '--container-id', 'red'], {
    CAP_ARGS: '{"portMappings":[{"hostPort":8080,"containerPort":81}]}',
  });
  const { wrong } = await inspect();
  await fairlead(['del', 'pods', 'red', '--container-id', 'red', '--remove-netns']);
  expect(wrong).toContain(
    'host port 8080/tcp (IPv4) (portmap-target4): 10.88.0.3 . 81, of container red (network pods, interface eth0)',
  );
});

test('what nobody asked for, and a configuration that was changed', async () => {
  await inBlue('link', 'add', 'extra0', 'type', 'veth', 'peer', 'extra1');
  await inBlue('rule', 'add', 'from', '10.88.0.2', 'table', '77');
  writeNetworks({ ...network, plugins: [network.plugins[0]] } as typeof network);
  const { wrong, besides, attachments } = await inspect();
  expect(wrong).toEqual([]);
  expect(besides.map(({ what }) => what)).toContain('link extra0 in the container');
  expect(besides.map(({ found }) => found)).toContain('32765: from 10.88.0.2/32 lookup 77');
  expect(attachments[0]?.configuration).toEqual({
    file: '/etc/cni/net.d/10-pods.conflist',
    state: 'changed since ADD',
  });
});

test('it is found by its id, the beginning of it, its Pod and its namespace; looking changes and keeps nothing', async () => {
  const ruleset = () => output(['nft', '-s', 'list', 'ruleset']);
  const before = await ruleset();
  for (const what of [
    id,
    id.slice(0, 10),
    // As ctr's `default-web` by `web`.
    id.slice('cnitool-'.length),
    'shop/web',
    'web',
    'blue',
    '/run/netns/blue',
    '/var/run/netns/blue',
  ]) {
    const { wrong, attachments } = await inspect(what);
    expect([what, wrong, attachments.length, attachments[0]?.pod]).toEqual([what, [], 1, 'shop/web']);
  }
  await inBlue('link', 'set', 'eth0', 'down');
  expect((await inspect()).wrong).not.toEqual([]);
  expect(await ruleset()).toBe(before);
  expect((await fairlead(['failures'])).stdout).toBe('no failures\n');
  const nobody = await fairlead(['inspect', 'nobody']);
  expect([
    nobody.exitCode,
    nobody.stderr.startsWith('error 3: there is no container, Pod or network namespace "nobody"'),
  ]).toEqual([1, true]);
});

test('made by the reference plugins: what it is and what their CHECK says; nothing of ours is missed', async () => {
  await fairlead(['del', 'pods', 'blue']);
  const env = { CNI_PATH: '/usr/lib/cni' };
  writeNetworks({ ...pods, cniVersion: '1.0.0', plugins: [bridge] } as unknown as typeof pods);
  await fairleadJson(['add', 'pods', 'blue'], env);
  expect((await inspect('blue', env)).wrong).toEqual([]);
  await inBlue('address', 'flush', 'dev', 'eth0');
  expect((await inspect('blue', env)).wrong).toEqual(
    expect.arrayContaining(['address on eth0: missing', expect.stringMatching(/^CHECK of plugin bridge: /)]),
  );
  await fairlead(['del', 'pods', 'blue'], env);
});

test('a namespace that nothing is known of, and one that is gone', async () => {
  createNetns('/run/netns/other');
  const other = await fairlead(['inspect', 'other']);
  removeNetns('/run/netns/other');
  expect(other.stdout).toMatch(
    /^no attachment of \/run\/netns\/other is known[\s\S]*link lo in the container/,
  );
  removeNetns('/run/netns/blue');
  expect((await fairlead(['inspect', id])).stdout).toContain('namespace   /run/netns/blue (gone)');
});

describe('debug', () => {
  test("the network is the container's; options and exit code are the command's", async () => {
    const shown = await fairlead(['debug', 'shop/web', 'ip', '-br', '-4', 'address', 'show', 'eth0']);
    expect(shown).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^eth0@\S+ +UP +10\.88\.0\.2\/24/),
      stderr: '',
    });
    expect((await fairlead(['debug', 'blue', '--', 'sh', '-c', 'exit 7'])).exitCode).toBe(7);
    expect((await fairlead(['debug', 'blue', 'sh', '-c', 'kill -KILL $$'])).exitCode).toBe(137);
    expect((await fairlead(['debug', 'blue', 'nosuchcommand'])).stderr).toStartWith(
      'error 4: there is no command "nosuchcommand"',
    );
  });

  test("without a command it is a shell, with the terminal's input", async () => {
    const { environment } = await import('../cli/fairlead.ts');
    const env = { ...environment, SHELL: '/bin/bash' };
    const shell = await runProgram([executable, 'debug', 'blue'], {
      env,
      stdin: 'readlink /proc/self/ns/net\nexit 3\n',
    });
    const inside = await output(['nsenter', '--net=/run/netns/blue', 'readlink', '/proc/self/ns/net']);
    expect(shell).toEqual({ exitCode: 3, stdout: inside, stderr: '' });
  });

  test("the command gets nothing of fairlead's: descriptors, threads, ignored signals are a plain child's", async () => {
    // The last one in the shell's place: a shell that waits for a child blocks all signals for a moment.
    const look = ['sh', '-c', 'ls /proc/$$/fd; exec grep -E "^(SigIgn|SigBlk|Threads)" /proc/self/status'];
    expect(await fairlead(['debug', 'blue', ...look])).toEqual(await runProgram(look));
  });
});

test('looking leaves nothing behind: no failure of a CHECK by plugins of others, and no trace', async () => {
  // A copy is no plugin of this executable: it is called as those of other makers are.
  const foreign = '/run/foreign';
  mkdirSync(foreign);
  await output(['cp', executable, `${foreign}/portmap`]);
  const env = {
    CNI_PATH: `${foreign}:${binDirectory}`,
    CAP_ARGS: '{"portMappings":[{"hostPort":81,"containerPort":81}]}',
  };
  const traced = { ...portmap, fairlead: { trace: true } };
  writeNetworks({ ...pods, name: 'traced', plugins: [bridge, traced] } as typeof pods);
  await fairleadJson(['add', 'traced', 'blue', '--ifname', 'net1'], env);
  await output(['nft', 'flush', 'map', 'inet', 'fairlead', 'portmap-target4']);
  const trace = '/run/fairlead/trace.jsonl';
  const before = readFileSync(trace, 'utf8');

  const { wrong } = await inspect('blue', env);
  expect(wrong.filter((what) => what.startsWith('CHECK of plugin portmap'))).toEqual([
    expect.stringMatching(/^CHECK of plugin portmap: host port 8080/),
    expect.stringMatching(/^CHECK of plugin portmap: host port 81/),
  ]);
  expect(await fairleadJson<unknown>(['failures'])).toEqual([]);
  expect(readFileSync(trace, 'utf8')).toBe(before);

  await fairlead(['check', 'traced', 'blue', '--ifname', 'net1'], env);
  expect(await fairleadJson<unknown>(['failures'])).toMatchObject([{ command: 'CHECK', plugin: 'portmap' }]);
  await fairlead(['del', 'traced', 'blue', '--ifname', 'net1'], env);
  rmSync(foreign, { recursive: true });
});

test('as people see it', async () => {
  await inBlue('address', 'del', '10.88.0.2/24', 'dev', 'eth0');
  const { stdout } = await fairlead(['inspect', 'blue']);
  const masked = stdout
    .replaceAll(/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, 'MM:MM:MM:MM:MM:MM')
    .replaceAll(/fe80::[0-9a-f:]+/g, 'fe80::1');
  const golden = `${import.meta.dir}/inspect.txt`;
  if (process.env.FAIRLEAD_UPDATE_DOCS === '1') writeFileSync(golden, masked);
  expect(masked).toBe(readFileSync(golden, 'utf8'));
  expect(readdirSync(binDirectory)).toContain('bridge');
});
