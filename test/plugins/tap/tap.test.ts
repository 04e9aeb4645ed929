/** tap, opened by a program that exchanges frames over it, as a virtual machine would. */
// packages: iproute2 iputils-ping
// seconds: 60
import { afterEach, describe, expect, test } from 'bun:test';
import { readFileSync, rmSync } from 'node:fs';
import {
  type Container,
  createContainer,
  inNetns,
  ip,
  removeContainers,
  within,
} from '../../support/container.ts';
import type { IpObject } from '../../support/ip-json.ts';
import { add, check, del, failure, gc, status } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import { limit } from '../../support/sandbox.ts';
import { ping } from '../../support/traffic.ts';

const machineFile = new URL('machine.ts', import.meta.url).pathname;
const machineIps = { ip4: '10.70.0.1', ip6: 'fd00:70::1' };
const { ip4, ip6 } = machineIps;

const ipam = {
  type: 'host-local',
  ranges: [[{ subnet: '10.70.0.0/24', gateway: ip4 }], [{ subnet: 'fd00:70::/64', gateway: ip6 }]],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
};
const config = { cniVersion: '1.1.0', name: 'taps', type: 'tap' };

/** Programs that a test started. */
const machines: Bun.Subprocess[] = [];

afterEach(async () => {
  for (const machine of machines.splice(0)) {
    machine.kill('SIGKILL');
    await machine.exited;
  }
  removeContainers();
});

async function attach(keys: object = {}, container = createContainer(), args?: string) {
  const own = { ...config, ...keys };
  const result = await add({ plugin: 'tap', config: own, container, ...(args && { args }) });
  const call = { plugin: 'tap', container, config: { ...own, prevResult: result } };
  return { container, result, call, mac: result.interfaces?.[0]?.mac };
}

/** Starts the program of machine.ts: its first line, and those that it says later. */
async function openTap({ netns }: Container, { uid = 0, gid = 0, queues = 1 } = {}) {
  const argv = [process.execPath, machineFile, 'eth0', String(queues), String(uid), String(gid), ip4, ip6];
  const machine = Bun.spawn([...within(netns, argv)], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  machines.push(machine);
  const reader = machine.stdout.getReader();
  let text = '';
  const lineThat = async (fits: (line: string) => boolean): Promise<string | undefined> => {
    for (;;) {
      const line = text.split('\n').slice(0, -1).find(fits);
      const { value, done } = line === undefined ? await reader.read() : {};
      if (line !== undefined || done) return line;
      text += new TextDecoder().decode(value);
    }
  };
  const first = await lineThat(() => true);
  return { first, said: (line: string) => lineThat((one) => one === line) };
}

async function linkOf(netns: string): Promise<IpObject> {
  const [link = {}] = await ip(netns, '-d', 'link', 'show', 'eth0');
  return link;
}

async function tapOf(netns: string): Promise<IpObject> {
  return ((await linkOf(netns)).linkinfo as { info_data: IpObject }).info_data;
}

async function linksIn(netns: string): Promise<unknown[]> {
  return (await ip(netns, 'link')).map(({ ifname }) => ifname);
}

test(
  'the result, and packets of both families to the program that has it open, and back',
  async () => {
    const { container, result, call, mac } = await attach({ ipam, dns: { domain: 'example.org' } });
    expect(mac).toMatch(/^fa:/);
    expect(result).toMatchObject({
      interfaces: [{ name: 'eth0', sandbox: container.netns }],
      ips: [
        { address: '10.70.0.2/24', gateway: ip4, interface: 0 },
        { address: 'fd00:70::2/64', gateway: ip6, interface: 0 },
      ],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
      dns: { domain: 'example.org' },
    });
    expect(await linkOf(container.netns)).toMatchObject({ address: mac, mtu: 1500, txqlen: 1000 });
    expect(await tapOf(container.netns)).toEqual({
      type: 'tap',
      pi: false,
      vnet_hdr: true,
      multi_queue: false,
      persist: true,
    });
    await check(call);
    expect(await ping(container.netns, ip4, 1)).toBe(false);
    const machine = await openTap(container);
    expect(machine.first).toBe('open');
    expect(await ping(container.netns, ip4)).toBe(true);
    expect(await ping(container.netns, ip6)).toBe(true);
    for (const frame of ['arp', 'echo', 'neighbour', 'echo6'])
      expect(await machine.said(`0 ${frame}`)).toBeDefined();
    await check(call);
    // The program still has it open.
    await del(call);
    expect(await linksIn(container.netns)).toEqual(['lo']);
    await del(call);
    expect([...new Bun.Glob('{10.,fd}*').scanSync('/var/lib/cni/networks/taps')]).toEqual([]);
  },
  limit(20),
);

test(
  'without IPAM: up, without addresses; it outlives the program that had it open',
  async () => {
    const { container, result, call } = await attach();
    expect(Object.keys(result)).toEqual(['cniVersion', 'interfaces']);
    const [link = {}] = await ip(container.netns, 'address', 'show', 'eth0');
    expect(link).toMatchObject({ flags: expect.arrayContaining(['UP', 'NO-CARRIER']), addr_info: [] });
    await openTap(container);
    machines.splice(0).forEach((machine) => void machine.kill('SIGKILL'));
    expect((await openTap(container)).first).toBe('open');
    await del(call);
    expect(await linksIn(container.netns)).toEqual(['lo']);
  },
  limit(10),
);

describe('who may open it', () => {
  test.each<[string, object, { uid?: number; gid?: number }, string]>([
    ['the owner', { owner: 1000 }, { uid: 1000, gid: 1000 }, 'open'],
    ['another user than the owner', { owner: 1000 }, { uid: 1001, gid: 1000 }, 'EPERM'],
    ['one of the group', { group: 2000 }, { uid: 1001, gid: 2000 }, 'open'],
    ['one that is not of the group', { group: 2000 }, { uid: 1001, gid: 1001 }, 'EPERM'],
    ['root, whoever owns it', { owner: 1000, group: 2000 }, {}, 'open'],
    ['the owner, who is of the group', { owner: 1000, group: 2000 }, { uid: 1000, gid: 2000 }, 'open'],
    [
      'neither the owner nor one of the group',
      { owner: 1000, group: 2000 },
      { uid: 1001, gid: 1001 },
      'EPERM',
    ],
    ['another user, where root owns it', { owner: 0 }, { uid: 1000, gid: 1000 }, 'EPERM'],
    ['anybody, where nobody owns it', {}, { uid: 1001, gid: 1001 }, 'open'],
  ])(
    '%s',
    async (_who, keys, as, expected) => {
      const { container } = await attach({ ...keys, ipam });
      expect((await openTap(container, as)).first).toBe(expected);
      if (expected === 'open') expect(await ping(container.netns, ip4)).toBe(true);
    },
    limit(10),
  );
});

describe('multiQueue', () => {
  test(
    'on: opened twice at once, by its owner, and packets pass',
    async () => {
      const { container, call } = await attach({ multiQueue: true, owner: 1000, ipam });
      const machine = await openTap(container, { uid: 1000, gid: 1000, queues: 2 });
      expect(machine.first).toBe('open');
      expect(await tapOf(container.netns)).toMatchObject({ multi_queue: true, numqueues: 2 });
      expect(await ping(container.netns, ip4)).toBe(true);
      expect(await ping(container.netns, ip6)).toBe(true);
      await check(call);
    },
    limit(10),
  );

  test(
    'off: a second queue is refused',
    async () => {
      const { container } = await attach();
      expect((await openTap(container, { queues: 2 })).first).toBe('EINVAL');
      expect((await openTap(container)).first).toBe('open');
      expect((await openTap(container)).first).toBe('EBUSY');
    },
    limit(10),
  );
});

test(
  'bridge: a port of the bridge in the container, over which others reach the program',
  async () => {
    const container = createContainer();
    const neighbour = createContainer();
    await output(['ip', '-n', container.id, 'link', 'add', 'br0', 'up', 'type', 'bridge']);
    const pair = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', neighbour.id];
    await output(['ip', '-n', container.id, 'link', 'add', 'port0', 'up', 'master', 'br0', ...pair]);
    await output(['ip', '-n', neighbour.id, 'address', 'add', '10.70.0.7/24', 'dev', 'eth0']);
    await output(['ip', '-n', neighbour.id, 'link', 'set', 'eth0', 'up']);
    const { call, result } = await attach({ bridge: 'br0' }, container);
    expect(result.interfaces?.map(({ name }) => name)).toEqual(['eth0']);
    expect((await linkOf(container.netns)).master).toBe('br0');
    expect((await openTap(container)).first).toBe('open');
    expect(await ping(neighbour.netns, ip4)).toBe(true);
    await check(call);
    await del(call);
    expect(await linksIn(container.netns)).toEqual(['lo', 'br0', 'port0']);
  },
  limit(15),
);

test.each<[string, object, string | undefined, string]>([
  ['the key `mac`', { mac: '02:00:00:00:00:0a' }, undefined, '02:00:00:00:00:0a'],
  ['CNI_ARGS before the key', { mac: '02:00:00:00:00:0a' }, 'MAC=02:00:00:00:00:0b', '02:00:00:00:00:0b'],
  ['args.cni.mac', { args: { cni: { mac: '02:00:00:00:00:0d' } } }, undefined, '02:00:00:00:00:0d'],
  [
    'the capability before all',
    { mac: '02:00:00:00:00:0a', owner: 1, group: 1, runtimeConfig: { mac: '02:00:00:00:00:0c' } },
    'MAC=02:00:00:00:00:0b',
    '02:00:00:00:00:0c',
  ],
])(
  'hardware address by %s',
  async (_what, keys, args, expected) => {
    const { container, mac } = await attach(keys, createContainer(), args);
    expect(mac).toBe(expected);
    expect((await linkOf(container.netns)).address).toBe(expected);
  },
  limit(10),
);

test.each([68, 1400, 65_521])(
  'mtu %d, also with owner and group',
  async (mtu) => {
    const { container } = await attach({ mtu, owner: 1000, group: 1000 });
    expect((await linkOf(container.netns)).mtu).toBe(mtu);
  },
  limit(10),
);

describe('CHECK names what is missing or changed', () => {
  test.each<[string, object, RegExp]>([
    ['ip link set eth0 down', {}, /interface eth0 is down/],
    ['ip link delete eth0', {}, /interface eth0 does not exist in/],
    ['ip link delete eth0; ip link add eth0 type veth', {}, /a link of kind veth, not of kind tun/],
    ['ip link delete eth0; ip tuntap add eth0 mode tun', {}, /interface eth0 takes IP packets, it is no tap/],
    ['ip -4 address flush dev eth0', {}, /interface eth0 has no address 10\.70\.0\.\d+\/24/],
    ['ip -6 address flush dev eth0', {}, /interface eth0 has no address fd00:70::\w+\/64/],
    ['ip route delete default', {}, /there is no route to 0\.0\.0\.0\/0/],
    ['ip link set eth0 address 02:00:00:00:00:01', {}, /02:00:00:00:00:01, the result of ADD says/],
    ['ip link set eth0 mtu 1300', { mtu: 1400 }, /interface eth0 has MTU 1300, `mtu` says 1400/],
    ['ip link set eth0 nomaster', { bridge: 'br0' }, /interface eth0 is no port of bridge br0/],
    ['ip link delete br0', { bridge: 'br0' }, /bridge br0 does not exist/],
  ])(
    '%s',
    async (command, keys, message) => {
      const container = createContainer();
      await output(['ip', '-n', container.id, 'link', 'add', 'br0', 'up', 'type', 'bridge']);
      const { call } = await attach({ ipam, ...keys }, container);
      await check(call);
      expect(await inNetns(container.netns, ['sh', '-ec', command])).toMatchObject({ exitCode: 0 });
      expect(await differences(call)).toMatch(message);
    },
    limit(10),
  );

  test.each<[object, RegExp]>([
    [{ owner: 1001 }, /the owner of interface eth0 is 1000, the configuration says 1001/],
    [{ group: 1001 }, /the group of interface eth0 is undefined, the configuration says 1001/],
    [{ multiQueue: true }, /multi-queue of interface eth0 is false, the configuration says true/],
  ])(
    'the configuration became %j',
    async (keys, message) => {
      const { call } = await attach({ owner: 1000 });
      expect(await differences({ ...call, config: { ...call.config, ...keys } })).toMatch(message);
    },
    limit(10),
  );
});

async function differences(call: { plugin: string; container: Container; config: object }): Promise<string> {
  const { code, msg, details = '' } = await failure({ ...call, command: 'CHECK', ifname: 'eth0' });
  expect(code).toBe(102);
  return `${msg}; ${details}`;
}

test('CHECK takes a tap that everybody may open, where neither key says who', async () => {
  const { call } = await attach();
  await check(call);
});

test.each<[object, number, string | RegExp]>([
  [{ mtu: 67 }, 7, '`mtu` of plugin `tap` must be 0 or 68–65521, got 67'],
  [{ mtu: 65_522 }, 7, '`mtu` of plugin `tap` must be 0–65521, got 65522'],
  [{ mac: 'ff:ff:ff:ff:ff:ff' }, 7, /^`mac` of plugin `tap` must be a unicast hardware address/],
  [{ owner: -1 }, 7, '`owner` of plugin `tap` must be 0–4294967294, got -1'],
  [{ owner: 4_294_967_295 }, 7, '`owner` of plugin `tap` must be 0–4294967294, got 4294967295'],
  [{ group: 1.5 }, 7, /^`group` of plugin `tap` must be 0–4294967294/],
  [{ multiQueue: 'yes' }, 7, /^`multiQueue` of plugin `tap` must be true or false/],
  [{ bridge: 'a/b' }, 7, /^`bridge` of plugin `tap` must not have "\/"/],
  [{ bridge: 'none0' }, 7, /^`bridge` of plugin `tap`: there is no interface none0 in/],
  [{ bridge: 'lo' }, 7, /^`bridge` of plugin `tap`: lo is no bridge/],
  [{ ipam: { type: 'static' } }, 7, /gave no address, and plugin `tap` needs one or more/],
  [
    { runtimeConfig: { mac: 'x' } },
    7,
    /^`runtimeConfig.mac` of plugin `tap` must be a unicast hardware address/,
  ],
])(
  'refused: %j',
  async (keys, code, message) => {
    const container = createContainer();
    const error = await failure({
      plugin: 'tap',
      command: 'ADD',
      config: { ...config, ...keys },
      container,
      ifname: 'eth0',
    });
    expect(error).toMatchObject({
      code,
      msg: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    expect(await linksIn(container.netns)).toEqual(['lo']);
  },
  limit(10),
);

test(
  'refused: a name that is taken, by whatever it is, or that is a pattern to the kernel',
  async () => {
    const { container } = await attach();
    const refusal = (ifname: string) => failure({ plugin: 'tap', command: 'ADD', config, container, ifname });
    expect((await refusal('eth0')).msg).toContain('interface eth0 exists already in');
    expect((await refusal('lo')).msg).toContain('interface lo exists already in');
    expect((await refusal('tap%d')).msg).toContain('CNI_IFNAME must not have "/", ":", "%"');
    expect(await linksIn(container.netns)).toEqual(['lo', 'eth0']);
  },
  limit(10),
);

test('a trace has the calls that make it', async () => {
  const env = { FAIRLEAD_TRACE: '/run/tap.trace' };
  await add({ plugin: 'tap', config: { ...config, owner: 1000 }, container: createContainer(), env });
  const trace = readFileSync('/run/tap.trace', 'utf8');
  rmSync('/run/tap.trace');
  const steps = ['open /dev/net/tun', 'create tap eth0', 'set the owner 1000 of tap eth0', 'set mac'];
  const at = steps.map((text) => trace.indexOf(text));
  expect(at.every((index) => index > 0)).toBe(true);
  expect(at).toEqual(at.toSorted((a, b) => a - b));
});

test(
  'ADDs at once of one name: one makes it, the others are refused and leave it alone',
  async () => {
    const container = createContainer();
    const calls = Array.from({ length: 6 }, () =>
      add({ plugin: 'tap', config, container }).then(
        () => 'made',
        (error: unknown) => String(error),
      ),
    );
    const ended = await Promise.all(calls);
    expect(ended.filter((one) => one === 'made')).toHaveLength(1);
    for (const other of ended.filter((one) => one !== 'made')) expect(other).toContain('exists already in');
    expect(await linksIn(container.netns)).toEqual(['lo', 'eth0']);
  },
  limit(10),
);

test(
  'DEL leaves what is no tap, and needs neither a namespace nor a result; GC passes to IPAM',
  async () => {
    const { container, call } = await attach({ ipam });
    await inNetns(container.netns, ['sh', '-ec', 'ip link delete eth0; ip link add eth0 type bridge']);
    await del({ ...call, config: { ...config, ipam } });
    expect(await linksIn(container.netns)).toEqual(['lo', 'eth0']);
    const lost = await attach({ ipam });
    lost.container.remove();
    await del({ ...lost.call, netns: '' });
    await attach({ ipam });
    await gc({ plugin: 'tap', config: { ...config, ipam, 'cni.dev/valid-attachments': [] } });
    expect([...new Bun.Glob('{10.,fd}*').scanSync('/var/lib/cni/networks/taps')]).toEqual([]);
  },
  limit(10),
);

describe('a node without taps', () => {
  /** What is mounted over /dev/net is seen by this file's tests only. */
  async function hidden(body: () => Promise<void>, ...make: readonly string[]): Promise<void> {
    await output(['mount', '-t', 'tmpfs', 'none', '/dev/net']);
    try {
      if (make.length > 0) await output(make);
      await body();
    } finally {
      await output(['umount', '/dev/net']);
    }
  }

  test.each<[string, readonly string[], RegExp]>([
    ['without the device', [], /ENOENT/],
    ['with a device that no driver is behind', ['mknod', '/dev/net/tun', 'c', '10', '254'], /ENODEV|ENXIO/],
  ])(
    '%s: ADD and STATUS say so, DEL works',
    async (_what, make, cause) => {
      const { container, call } = await attach();
      await hidden(
        async () => {
          const adding = { plugin: 'tap', command: 'ADD', config, container, ifname: 'eth1' };
          const refused = await failure(adding);
          expect(refused).toMatchObject({ code: 2, msg: expect.stringContaining('this node has no taps') });
          expect(refused.details).toMatch(cause);
          const unready = await failure({ plugin: 'tap', command: 'STATUS', config });
          expect(unready).toMatchObject({ code: 50, msg: expect.stringContaining('this node has no taps') });
          await del(call);
        },
        ...make,
      );
      expect(await linksIn(container.netns)).toEqual(['lo']);
      await status({ plugin: 'tap', config });
    },
    limit(10),
  );
});
