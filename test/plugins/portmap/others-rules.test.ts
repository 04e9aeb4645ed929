/** Other people's rules: left as they are, byte for byte, and no obstacle, also while they change. */
// packages: iptables strace
import { afterEach, expect, test } from 'bun:test';
import { runPlugin } from '../../support/plugin.ts';
import { output, runProgram } from '../../support/program.ts';
import { call, cleanUp, elements, imagine, nft, publishImagined, unpublish } from './network.ts';

afterEach(async () => {
  await cleanUp();
  await nft('flush', 'ruleset');
});

const mappings = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }];

/** Everything but Fairlead's own table. */
async function foreign(): Promise<string> {
  const tables = (await nft('-a', 'list', 'ruleset')).split(/\n(?=table )/);
  return tables
    .filter((table) => !table.startsWith('table inet fairlead '))
    .join('\n')
    .trim();
}

test('rules of iptables-nft and tables of similar names stay byte-identical', async () => {
  const on = ['iptables-nft', 'ip6tables-nft'];
  for (const program of on) {
    await output([program, '-t', 'nat', '-N', 'CNI-HOSTPORT-DNAT']);
    await output([
      program,
      '-t',
      'nat',
      '-A',
      'PREROUTING',
      '-m',
      'addrtype',
      '--dst-type',
      'LOCAL',
      '-j',
      'CNI-HOSTPORT-DNAT',
    ]);
    await output([
      program,
      '-t',
      'nat',
      '-A',
      'CNI-HOSTPORT-DNAT',
      '-p',
      'tcp',
      '--dport',
      '99',
      '-j',
      'ACCEPT',
    ]);
    await output([program, '-A', 'FORWARD', '-j', 'ACCEPT']);
  }
  await nft(`
    table ip fairlead { map portmap-target4 { type inet_proto . inet_service : ipv4_addr . inet_service; elements = { tcp . 8080 comment "cni0 one eth0" : 192.0.2.9 . 9 }; }
      chain portmap { type nat hook prerouting priority -100; }; }
    table bridge fairlead { chain portmap { }; }
    table inet fairlead2 { chain portmap-v1 { }; chain portmap-mark-13-10.99.0.0_16 { }; }
    table inet cni_hostport { chain hostports { tcp dport 99 accept comment "one"; }; }`);
  const before = await foreign();
  const one = await publishImagined('one', 1, { mappings });
  await publishImagined('two', 2, { mappings });
  expect((await call('CHECK', one, one.config)).exitCode).not.toBe(0);
  await call('GC', one, { ...one.config, 'cni.dev/valid-attachments': [] });
  await unpublish(one);
  expect(await foreign()).toBe(before);
  expect(before).toContain('CNI-HOSTPORT-DNAT');
});

test('twenty ADDs at once on a node without a table, while another program writes rules: all are there, once', async () => {
  const script =
    'nft add table inet noise; while :; do nft add chain inet noise c; nft delete chain inet noise c; done';
  const noise = Bun.spawn(['sh', '-c', script], { stdout: 'ignore', stderr: 'ignore' });
  try {
    const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
    const options = (index: number) => ({
      mappings: [{ hostPort: 8000 + index, containerPort: 80, protocol: 'tcp' }],
    });
    const all = await Promise.all(
      names.map((name, index) => publishImagined(name, index + 1, options(index))),
    );
    expect(await elements()).toHaveLength(20 * 6);
    for (const each of all) expect((await call('CHECK', each, each.config)).exitCode).toBe(0);
    const rules = await nft('list', 'chain', 'inet', 'fairlead', 'portmap-any');
    expect(rules.match(/comment/g)).toHaveLength(4);
    await Promise.all(all.map((each) => unpublish(each)));
    expect(await elements()).toEqual([]);
  } finally {
    noise.kill('SIGKILL');
    await noise.exited;
  }
});

test('twenty ADDs of the same port at once: one has it whole', async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, index) => publishImagined(`c${index}`, index + 1, { mappings })),
  );
  const lines = (await elements()).filter((line) => !line.startsWith('"'));
  expect(lines).toHaveLength(4);
  expect(new Set(lines.map((line) => /comment "[^"]*"/.exec(line)?.[0])).size).toBe(1);
  await Promise.all(all.map((each) => unpublish(each)));
  expect(await elements()).toEqual([]);
});

test('a table inet fairlead of somebody else: what is not in the way stays, and ports work beside it', async () => {
  await nft(
    'table inet fairlead { set mine { type ipv4_addr; elements = { 192.0.2.1 } }; chain other { type filter hook input priority 0; counter; }; }',
  );
  const one = await publishImagined('one', 1, { mappings });
  expect((await call('CHECK', one, one.config)).exitCode).toBe(0);
  await unpublish(one);
  const left = await nft('list', 'table', 'inet', 'fairlead');
  expect(left).toContain('elements = { 192.0.2.1 }');
  expect(left).toContain('type filter hook input priority filter');
});

test.each([
  ['a map of other types', 'table inet fairlead { map portmap-target4 { type ipv4_addr : verdict; }; }'],
  ['an index of other types', 'table inet fairlead { map portmap-owners { type ipv4_addr : verdict; }; }'],
  ['a set', 'table inet fairlead { set portmap-policy6 { type ipv4_addr; }; }'],
  [
    'a chain that is hooked elsewhere',
    'table inet fairlead { chain portmap-prerouting { type filter hook input priority 0; }; }',
  ],
  [
    'a base chain instead of a plain one',
    'table inet fairlead { chain portmap { type filter hook input priority 0; }; }',
  ],
])(
  'a table inet fairlead of somebody else that is in the way (%s): an error that says so, nothing changed',
  async (_, text) => {
    await nft(text);
    const before = await nft('-a', 'list', 'ruleset');
    const one = imagine('one', 1, { mappings });
    const { json } = await call('ADD', one, one.config);
    expect(json).toMatchObject({
      code: 999,
      msg: "nftables: what is in table inet fairlead is not Fairlead's and in its way; the table's name belongs to Fairlead: rename or delete it",
    });
    expect((json as { details: string }).details).toMatch(/portmap/);
    expect(await nft('-a', 'list', 'ruleset')).toBe(before);
    expect((await call('DEL', one, one.config)).exitCode).toBe(0);
  },
);

test('DEL and GC on a kernel without netfilter’s netlink have nothing to do; ADD says what is missing', async () => {
  const one = imagine('one', 1, { mappings });
  const under = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=socket:error=EPROTONOSUPPORT'];
  const run = (command: string) =>
    runPlugin({
      plugin: 'portmap',
      command,
      container: one,
      ifname: 'eth0',
      config: { ...one.config, 'cni.dev/valid-attachments': [] },
      under,
    });
  expect(await run('DEL')).toMatchObject({ exitCode: 0, stdout: '' });
  expect(await run('GC')).toMatchObject({ exitCode: 0, stdout: '' });
  expect((await run('ADD')).json).toMatchObject({ code: 999 });
  expect((await run('STATUS')).json).toMatchObject({
    code: 50,
    msg: 'portmap needs nftables in the kernel (nf_tables)',
  });
});

test('a node without nft, iptables, sysctl or any other program: nothing is executed', async () => {
  const one = imagine('one', 1, { mappings });
  const trace = await runProgram(
    [
      'sh',
      '-c',
      `CNI_COMMAND=ADD CNI_CONTAINERID=one CNI_NETNS=${one.netns} CNI_IFNAME=eth0 CNI_PATH=/nowhere strace -f -o /run/trace -e trace=execve "$0"/cni/portmap; cat /run/trace`,
      process.env.FAIRLEAD_DIST ?? new URL('../../../dist', import.meta.url).pathname,
    ],
    { stdin: JSON.stringify(one.config) },
  );
  expect(trace.stdout.match(/execve\(/g)).toHaveLength(1);
});
