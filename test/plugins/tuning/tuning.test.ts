/** tuning: settings made, found missing, given back; files as the reference's plugin has them. */
// packages: iproute2
// seconds: 120
import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Container } from '../../support/container.ts';
import { inNetns, ip } from '../../support/container.ts';
import { add, check, del, failure, gc, status } from '../../support/plugin.ts';
import { chainAfterBridge, refusedAdd, removeChains } from '../chain.ts';

const dataDir = '/run/cni/tuning';
const allowList = '/etc/cni/tuning/allowlist.conf';

afterEach(async () => {
  await removeChains();
  rmSync('/run/cni', { recursive: true, force: true });
  rmSync('/etc/cni/tuning', { recursive: true, force: true });
});

const everything = {
  type: 'tuning',
  sysctl: {
    'net.ipv4.conf.IFNAME.arp_filter': '1',
    'net/core/somaxconn': '500',
    'net.ipv4.ip_local_port_range': '2000 60000',
  },
  mac: 'C2:11:22:33:44:55',
  promisc: true,
  mtu: 1454,
  allmulti: true,
  txQLen: 200,
};

/** The interface's facts that tuning changes, by iproute2's words. */
async function factsOf({ netns }: Container): Promise<object> {
  const [link = {}] = await ip(netns, '-d', 'link', 'show', 'dev', 'eth0');
  const flags = link.flags as string[];
  return {
    mac: link.address,
    mtu: link.mtu,
    txQLen: link.txqlen ?? 0, // iproute2 leaves 0 out
    promisc: flags.includes('PROMISC'),
    allmulti: flags.includes('ALLMULTI'),
  };
}

async function sysctl({ netns }: Container, name: string): Promise<string> {
  return (await inNetns(netns, ['sysctl', '-n', name])).stdout.trim();
}

test('ADD sets everything, CHECK passes, DEL gives the interface back; the file is the reference’s', async () => {
  const chain = await chainAfterBridge(everything);
  const before = (await factsOf(chain.container)) as { mac: string };
  const result = await chain.add();
  expect(await factsOf(chain.container)).toEqual({
    mac: 'c2:11:22:33:44:55',
    mtu: 1454,
    txQLen: 200,
    promisc: true,
    allmulti: true,
  });
  expect(await sysctl(chain.container, 'net.ipv4.conf.eth0.arp_filter')).toBe('1');
  expect(await sysctl(chain.container, 'net.core.somaxconn')).toBe('500');
  expect(await sysctl(chain.container, 'net.ipv4.ip_local_port_range')).toBe('2000\t60000');
  const changed = chain.before.interfaces?.map((one) =>
    one.sandbox === undefined ? one : { ...one, mac: 'c2:11:22:33:44:55' },
  );
  expect(result).toEqual({ ...chain.before, interfaces: changed ?? [] });
  await check(chain.withResult(result));
  const file = `${dataDir}/${chain.container.id}_eth0.json`;
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dataDir)).toHaveLength(1);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    ...before,
    network: (chain.call.config as { name: string }).name,
  });
  await del(chain.withResult(result));
  expect(await factsOf(chain.container)).toEqual(before);
  expect(readdirSync(dataDir)).toEqual([]);
  await del(chain.withResult(undefined));
});

test('what is not configured stays, and no file is made', async () => {
  const chain = await chainAfterBridge({ type: 'tuning', mac: '', mtu: 0 });
  const before = await factsOf(chain.container);
  expect(await chain.add()).toEqual(chain.before);
  expect(await factsOf(chain.container)).toEqual(before);
  expect(existsSync(dataDir)).toBe(false);
});

test('off is a setting too', async () => {
  const chain = await chainAfterBridge({ type: 'tuning', allmulti: false, txQLen: 0 });
  await inNetns(chain.container.netns, ['ip', 'link', 'set', 'eth0', 'allmulticast', 'on']);
  await chain.add();
  expect(await factsOf(chain.container)).toMatchObject({ allmulti: false, txQLen: 0 });
  await del(chain.call);
  expect(await factsOf(chain.container)).toMatchObject({ allmulti: true });
});

describe('CHECK names each thing that somebody changed', () => {
  const changes: readonly (readonly [string, readonly string[], string])[] = [
    [
      'a sysctl',
      ['sysctl', '-qw', 'net.ipv4.conf.eth0.arp_filter=0'],
      'sysctl net/ipv4/conf/eth0/arp_filter is "0", it should be "1"',
    ],
    [
      'the hardware address',
      ['ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:09'],
      'interface eth0 has hardware address 02:00:00:00:00:09, it should be c2:11:22:33:44:55',
    ],
    [
      'promiscuous mode',
      ['ip', 'link', 'set', 'eth0', 'promisc', 'off'],
      'interface eth0 has promiscuous mode off, it should be on',
    ],
    [
      'the MTU',
      ['ip', 'link', 'set', 'eth0', 'mtu', '1400'],
      'interface eth0 has MTU 1400, it should be 1454',
    ],
    [
      'all-multicast mode',
      ['ip', 'link', 'set', 'eth0', 'allmulticast', 'off'],
      'interface eth0 has all-multicast mode off, it should be on',
    ],
    [
      'the queue length',
      ['ip', 'link', 'set', 'eth0', 'txqueuelen', '7'],
      'interface eth0 has transmit queue length 7, it should be 200',
    ],
    ['the interface', ['ip', 'link', 'delete', 'eth0'], 'interface eth0 does not exist'],
  ];

  test.each(changes)('%s', async (_, command, problem) => {
    const chain = await chainAfterBridge(everything);
    const result = await chain.add();
    await inNetns(chain.container.netns, command);
    expect(await chain.problems(result)).toContain(problem);
  });

  test('the file for DEL', async () => {
    const chain = await chainAfterBridge(everything);
    const result = await chain.add();
    rmSync(dataDir, { recursive: true });
    expect(await chain.problems(result)).toContain(`${chain.container.id}_eth0.json is missing`);
  });
});

describe('values from the runtime and its user', () => {
  test.each([
    [
      'the capability',
      { runtimeConfig: { mac: '02:00:00:00:00:01' }, args: { cni: { mac: '02:00:00:00:00:02' } } },
      '01',
    ],
    ['args.cni', { args: { cni: { mac: '02:00:00:00:00:02' } } }, '02'],
    ['CNI_ARGS', {}, '03'],
  ])('mac: %s goes before', async (_, keys, last) => {
    const call = { args: 'IgnoreUnknown=1;MAC=02:00:00:00:00:03' };
    const chain = await chainAfterBridge({ type: 'tuning', mac: '02:00:00:00:00:04', ...keys }, call);
    await chain.add();
    expect(await factsOf(chain.container)).toMatchObject({ mac: `02:00:00:00:00:${last}` });
  });

  test('args.cni has the other keys too', async () => {
    const cni = {
      mtu: 1300,
      promisc: true,
      allmulti: true,
      txQLen: 9,
      sysctl: { 'net.core.somaxconn': '77' },
    };
    const chain = await chainAfterBridge({ type: 'tuning', mtu: 1400, args: { cni } });
    await chain.add();
    expect(await factsOf(chain.container)).toMatchObject({
      mtu: 1300,
      promisc: true,
      allmulti: true,
      txQLen: 9,
    });
    expect(await sysctl(chain.container, 'net.core.somaxconn')).toBe('77');
  });
});

describe('the allow-list', () => {
  const tuned = { type: 'tuning', sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' } };
  function allow(text: string): void {
    mkdirSync('/etc/cni/tuning', { recursive: true });
    writeFileSync(allowList, text);
  }

  test.each([
    '^net\\.ipv4\\.conf\\.IFNAME\\.[a-z_]*$\n',
    '  \n^net.core\narp_filter\n',
    '(?i)^NET\\.ipv4\\.conf\\.[[:alpha:]]+\\.',
  ])('%j allows', async (text) => {
    allow(text);
    const chain = await chainAfterBridge(tuned);
    await chain.add();
    await status({ plugin: 'tuning', config: { cniVersion: '1.1.0', name: 'x', ...tuned } });
  });

  test.each(['', '^net.core', '^arp_filter$'])('%j refuses, and so does STATUS', async (text) => {
    allow(text);
    const chain = await chainAfterBridge(tuned);
    const error = await refusedAdd(chain);
    expect(error).toMatchObject({
      code: 7,
      msg: 'sysctl net.ipv4.conf.IFNAME.arp_filter is not allowed on this node',
    });
    expect(await sysctl(chain.container, 'net.ipv4.conf.eth0.arp_filter')).toBe('0');
    const config = { cniVersion: '1.1.0', name: 'x', ...tuned };
    expect(await failure({ plugin: 'tuning', command: 'STATUS', config })).toMatchObject({ code: 50 });
  });

  test('a line that is no expression is named', async () => {
    allow('net.[core\n');
    expect(await refusedAdd(await chainAfterBridge(tuned))).toMatchObject({
      code: 7,
      msg: `${allowList} has a line that is no regular expression: net.[core`,
    });
  });
});

describe('an ADD that fails leaves nothing changed', () => {
  test.each([
    [{ mtu: 67 }, /set mtu 67 on link eth0/],
    [{ sysctl: { 'net.core.somaxconn': '9', 'net.core.no_such_thing': '1' } }, /no_such_thing/],
    [{ sysctl: { 'net.core.somaxconn': 'many' } }, /somaxconn.*does not take/],
  ])('%j', async (keys, message) => {
    const chain = await chainAfterBridge({ ...everything, ...keys });
    const before = [await factsOf(chain.container), await sysctl(chain.container, 'net.core.somaxconn')];
    expect((await refusedAdd(chain)).msg).toMatch(message);
    expect([await factsOf(chain.container), await sysctl(chain.container, 'net.core.somaxconn')]).toEqual(
      before,
    );
    expect(existsSync(dataDir) ? readdirSync(dataDir) : []).toEqual([]);
  });

  test.each([
    [{ sysctl: { 'kernel.panic': '1' } }, '`sysctl.kernel.panic` of plugin `tuning`'],
    [{ sysctl: { 'net.ipv4/../../kernel.panic': '1' } }, undefined],
    [{ sysctl: { net: '1' } }, '`sysctl.net` of plugin `tuning`'],
    [{ sysctl: { 'net.core.somaxconn': '1', 'net/core/somaxconn': '2' } }, 'both are one setting'],
    [{ mac: '01:00:5e:00:00:01' }, 'hardware address'],
    [{ dataDir: 'run/here' }, '`dataDir` of plugin `tuning` must be an absolute path'],
  ])('%j is wrong', async (keys, message) => {
    const chain = await chainAfterBridge({ type: 'tuning', ...keys });
    const { msg } = await refusedAdd(chain);
    // What leads upwards is a name like any other: net/ipv4/kernel/panic is not there.
    expect(msg).toContain(message ?? 'net/ipv4/kernel/panic');
  });

  test('without the plugin before', async () => {
    const chain = await chainAfterBridge(everything);
    expect(await failure({ ...chain.withResult(undefined), command: 'ADD' })).toMatchObject({
      code: 7,
      msg: '`prevResult` of plugin `tuning` is missing',
    });
    await chain.removeInterface();
    expect(await refusedAdd(chain)).toMatchObject({
      code: 4,
      msg: `interface eth0 does not exist in ${chain.container.netns}`,
    });
  });
});

describe('DEL', () => {
  test('without the interface, and without the namespace, removes the file', async () => {
    for (const gone of ['interface', 'namespace']) {
      const chain = await chainAfterBridge({ ...everything, mac: `02:00:00:00:01:0${gone.length % 10}` });
      await chain.add();
      if (gone === 'interface') await chain.removeInterface();
      else chain.container.remove();
      await del(chain.call);
      expect(readdirSync(dataDir)).toEqual([]);
    }
  });

  test('of a file that nobody can read as JSON', async () => {
    const chain = await chainAfterBridge(everything);
    await chain.add();
    writeFileSync(`${dataDir}/${chain.container.id}_eth0.json`, '{"mac":');
    await del(chain.call);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test('two in one chain: what was there before the first comes back', async () => {
    const first = await chainAfterBridge({ type: 'tuning', mtu: 1400 });
    const before = await factsOf(first.container);
    await first.add();
    const second = { ...first.call, config: { ...first.call.config, mtu: 1300, promisc: true } };
    await add(second);
    await del(second);
    await del(first.call);
    expect(await factsOf(first.container)).toEqual(before);
  });
});

test('GC removes the files of this network’s attachments that are gone, and no other’s', async () => {
  const [here, gone] = [await chainAfterBridge(everything), await chainAfterBridge(everything)];
  await here.add();
  await gone.add();
  writeFileSync(`${dataDir}/other_eth0.json`, '{"mtu":1500}');
  const config = {
    ...gone.call.config,
    cniVersion: '1.1.0',
    'cni.dev/valid-attachments': [],
  };
  await gc({ plugin: 'tuning', config });
  expect(readdirSync(dataDir).sort()).toEqual([`${here.container.id}_eth0.json`, 'other_eth0.json'].sort());
  const valid = [{ containerID: here.container.id, ifname: 'eth0' }];
  await gc({
    plugin: 'tuning',
    config: { ...here.call.config, cniVersion: '1.1.0', 'cni.dev/valid-attachments': valid },
  });
  expect(existsSync(`${dataDir}/${here.container.id}_eth0.json`)).toBe(true);
});
