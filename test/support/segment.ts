/**
 * A segment outside the node: the node's link `eth0`, up, and another host at its far end. And what holds for every
 * plugin that gives a container a link of its own on it (macvlan, ipvlan, vlan): one suite for all.
 */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { type Container, createContainer, ip, removeContainers } from './container.ts';
import { type AddResult, add, check, del, failure, gc, type NamedCall, status } from './plugin.ts';
import { output } from './program.ts';
import { limit } from './sandbox.ts';
import { ping } from './traffic.ts';

/** The other host: its namespace, and its addresses. */
export const neighbour = { netns: '/run/netns/neighbour', ip4: '10.50.0.1', ip6: 'fd00:50::1' };

const sh = (netns: string | undefined, command: string) => {
  const argv = ['sh', '-ec', command];
  return netns === undefined ? output(argv) : output(['nsenter', `--net=${netns}`, '--', ...argv]);
};

/** Makes the segment; the other host has its addresses on the link, or on the given vlan of it. */
export async function makeSegment(vlan?: number): Promise<void> {
  createContainer('neighbour');
  await sh(undefined, `ip link add eth0 type veth peer name eth0 netns neighbour; ip link set eth0 up`);
  const link = vlan === undefined ? 'eth0' : 'tagged';
  const tag = vlan === undefined ? '' : `ip link add link eth0 name tagged type vlan id ${vlan};`;
  await sh(
    neighbour.netns,
    `ip link set eth0 up; ${tag} ip link set ${link} up
    ip address add ${neighbour.ip4}/24 dev ${link}; ip address add ${neighbour.ip6}/64 dev ${link} nodad`,
  );
}

/** Takes away containers and links. */
export async function removeSegment(): Promise<void> {
  removeContainers();
  for (const { ifname, link_type } of await ip(undefined, 'link'))
    if (link_type === 'ether') await Bun.$`ip link delete ${String(ifname)}`.nothrow().quiet();
}

let last = 1;

/** The next free address of the segment, for IPAM: IPv4, and IPv6 where it is asked for. */
export function nextIpam(families: readonly (4 | 6)[] = [4]): object {
  last++;
  const addresses = families.map((family) => ({
    address: family === 4 ? `10.50.0.${last}/24` : `fd00:50::${last}/64`,
  }));
  return { type: 'static', addresses };
}

/** A plugin under test. */
export interface Subject {
  readonly plugin: 'ipvlan' | 'macvlan' | 'vlan';
  /** Its own keys, besides the master. */
  readonly keys: Readonly<Record<string, unknown>>;
  /** Whether two containers can be on one master with the same keys. */
  readonly many: boolean;
  /** A vlan that the other host is in. */
  readonly vlan?: number;
  /** What someone may do to the interface `eth0` in the container, and what CHECK says. */
  readonly damages: readonly (readonly [command: string, message: RegExp])[];
  /** Values that a key must not have, and what the error says. */
  readonly wrong: readonly (readonly [keys: object, message: string | RegExp])[];
}

/** A container that is attached. */
export interface Attached {
  readonly container: Container;
  readonly result: AddResult;
  readonly call: NamedCall;
  readonly addresses: readonly string[];
}

/** A configuration of the subject's plugin, on `eth0`. */
export function configOf({ plugin, keys }: Subject, more: object = {}) {
  return {
    cniVersion: '1.1.0',
    name: 'segment',
    type: plugin,
    master: 'eth0',
    ipam: nextIpam(),
    ...keys,
    ...more,
  };
}

/** Attaches a new container. */
export async function attach(
  subject: Subject,
  more: object = {},
  container = createContainer(),
): Promise<Attached> {
  const { plugin } = subject;
  const config = configOf(subject, more);
  const result = await add({ plugin, config, container });
  const call = { plugin, container, config: { ...config, prevResult: result } };
  const addresses = (result.ips ?? []).map(({ address }) => address.slice(0, address.indexOf('/')));
  return { container, result, call, addresses };
}

/** ADD that is to fail: its error in one text, and that nothing was left in the container. */
async function refusal(subject: Subject, more: object, container = createContainer()) {
  const before = await links(container);
  const { plugin } = subject;
  const config = configOf(subject, more);
  const error = await failure({ plugin, command: 'ADD', config, container, ifname: 'eth0' });
  expect(await links(container)).toEqual(before);
  return { code: error.code, text: `${error.msg}; ${error.details ?? ''}` };
}

async function links({ netns }: Container): Promise<unknown[]> {
  return (await ip(netns, 'link')).map(({ ifname }) => ifname);
}

/** What happens to the node or (`@`) the container, and CHECK's words; for all plugins. */
const damages: Subject['damages'] = [
  ['@ip link set eth0 down', /interface eth0 is down/],
  ['@ip link delete eth0', /interface eth0 does not exist in \/run\/netns/],
  ['@ip link delete eth0; ip link add eth0 type veth', /interface eth0 is a link of kind veth, not of kind/],
  ['@ip address flush dev eth0', /interface eth0 has no address 10\.50\.0\.\d+\/24/],
  ['@ip route delete default', /no route to 0\.0\.0\.0\/0 by 10\.50\.0\.1 on eth0/],
  ['@ip link set eth0 mtu 1300', /interface eth0 has MTU 1300, `mtu` says 1400/],
  ['ip link set eth0 down', /master eth0 is down/],
  ['ip link delete eth0', /interface eth0 does not exist|master eth0 does not exist/],
  ['ip link set eth0 down; ip link set eth0 name other', /master eth0 does not exist/],
  [
    'ip link set eth0 down; ip link set eth0 name other; ip link add eth0 type veth; ip link set eth0 up',
    /interface eth0 does not sit on master eth0/,
  ],
];

/** The suite. */
export function testInterfaceOnMaster(subject: Subject): void {
  const { plugin } = subject;
  beforeEach(() => makeSegment(subject.vlan), limit(10));
  afterEach(removeSegment, limit(10));

  test(
    'IPv4 and IPv6: both ways to the other host, and CHECK passes',
    async () => {
      const { result, call, container, addresses } = await attach(subject, { ipam: nextIpam([4, 6]) });
      expect(result).toEqual({
        cniVersion: '1.1.0',
        interfaces: [
          { name: 'eth0', mac: expect.stringMatching(/^(\w\w:){5}\w\w$/), sandbox: container.netns },
        ],
        ips: addresses.map((address) => ({
          address: `${address}${address.includes(':') ? '/64' : '/24'}`,
          interface: 0,
        })),
      });
      const [{ address: mac } = {}] = await ip(container.netns, 'link', 'show', 'eth0');
      expect(result.interfaces?.[0]?.mac).toBe(String(mac));
      for (const address of [neighbour.ip4, neighbour.ip6])
        expect(await ping(container.netns, address)).toBe(true);
      for (const address of addresses) expect(await ping(neighbour.netns, address)).toBe(true);
      await check(call);
    },
    limit(20),
  );

  test(
    'the name may be one of the node too, and nothing of the container is ever on the node',
    async () => {
      const before = await ip(undefined, 'link');
      const { call } = await attach(subject);
      expect((await ip(undefined, 'link')).map(({ ifname }) => ifname)).toEqual(
        before.map(({ ifname }) => ifname),
      );
      await del(call);
    },
    limit(10),
  );

  if (subject.many) {
    test(
      'two containers reach each other',
      async () => {
        const [one, other] = [await attach(subject), await attach(subject)];
        expect(await ping(one.container.netns, other.addresses[0] ?? '')).toBe(true);
        expect(await ping(other.container.netns, one.addresses[0] ?? '')).toBe(true);
      },
      limit(15),
    );
  }

  test(
    'the other host loses what DEL removes; DEL again, or without a namespace, has nothing to do',
    async () => {
      const { call, container, addresses } = await attach(subject);
      expect(await ping(neighbour.netns, addresses[0] ?? '')).toBe(true);
      await del(call);
      expect(await links(container)).toEqual(['lo']);
      expect(await ping(neighbour.netns, addresses[0] ?? '', 1)).toBe(false);
      await del(call);
      const { container: _, ...rest } = call;
      await del({ ...rest, containerId: container.id });
    },
    limit(15),
  );

  test(
    'DEL removes what an ADD left that was killed before it had given the name',
    async () => {
      const { call, container } = await attach(subject);
      const rename = 'ip link set eth0 down; ip link set eth0 name';
      await sh(container.netns, `${rename} ${hostNameOf(container)}`);
      await del(call);
      expect(await links(container)).toEqual(['lo']);
    },
    limit(15),
  );

  test(
    'linkInContainer: the master is an interface of the container',
    async () => {
      const container = createContainer();
      await sh(
        undefined,
        `ip link set eth0 netns ${container.netns.split('/').at(-1)} name inner; nsenter --net=${container.netns} ip link set inner up`,
      );
      const attached = await attach(subject, { master: 'inner', linkInContainer: true }, container);
      expect(await ping(container.netns, neighbour.ip4)).toBe(true);
      await check(attached.call);
      await del(attached.call);
      expect(await links(container)).toEqual(['lo', 'inner']);
      const outside = await refusal(subject, { master: 'inner' }, container);
      expect(outside.code).toBe(7);
      expect(outside.text).toContain('there is no interface inner on the node');
      expect(outside.text).toContain('`linkInContainer`');
    },
    limit(15),
  );

  describe('CHECK names what is missing or changed', () => {
    test.each([...damages, ...subject.damages])(
      '%s',
      async (command, message) => {
        const routes = [{ dst: '0.0.0.0/0', gw: neighbour.ip4 }];
        const { call, container } = await attach(subject, { mtu: 1400, ipam: { ...nextIpam(), routes } });
        await check(call);
        if (command.startsWith('@')) await sh(container.netns, command.slice(1));
        else await sh(undefined, command);
        const error = await failure({ ...call, command: 'CHECK', ifname: 'eth0' });
        expect(error.code).toBe(102);
        expect(`${error.msg}; ${error.details ?? ''}`).toMatch(message);
      },
      limit(10),
    );
  });

  describe('refused', () => {
    test.each(subject.wrong)(
      '%j',
      async (keys, message) => {
        const { code, text } = await refusal(subject, keys);
        expect(code).toBe(7);
        expect(text).toMatch(message);
      },
      limit(10),
    );

    test('a master that is not there', async () => {
      const { code, text } = await refusal(subject, { master: 'nowhere0' });
      expect(code).toBe(7);
      expect(text).toContain(
        `\`master\` of plugin \`${plugin}\`: there is no interface nowhere0 on the node`,
      );
    });

    test('a master that is in another namespace', async () => {
      const { text } = await refusal(subject, { linkInContainer: true });
      expect(text).toContain('there is no interface eth0 in the container; there is one on the node');
    });

    test(
      'a master that is down; STATUS says so too',
      async () => {
        await status({ plugin, config: configOf(subject) });
        await sh(undefined, 'ip link set eth0 down');
        const { code, text } = await refusal(subject, {});
        expect(code).toBe(11);
        expect(text).toContain('eth0 is down, no packet would pass it');
        const error = await failure({ plugin, command: 'STATUS', config: configOf(subject) });
        expect(error).toMatchObject({ code: 50, msg: expect.stringContaining('eth0 is down') });
      },
      limit(10),
    );

    test("an MTU above the master's", async () => {
      const { code, text } = await refusal(subject, { mtu: 1501 });
      expect(code).toBe(7);
      expect(text).toContain('must be at most 1500, the MTU of its master eth0, got 1501');
    });

    test(
      'a name that is taken',
      async () => {
        const { container, call } = await attach(subject);
        const { code, text } = await refusal(subject, {}, container);
        expect(code).toBe(4);
        expect(text).toContain('interface eth0 exists already');
        await check(call);
      },
      limit(10),
    );

    test('an IPAM plugin that gives nothing: the interface is taken back', async () => {
      const { text } = await refusal(subject, { ipam: { type: 'static' } });
      expect(text).toContain('"static" gave no address');
    });
  });

  test(
    'GC gives back the addresses of those that are gone, and leaves the others alone',
    async () => {
      const ipam = { type: 'host-local', ranges: [[{ subnet: '10.50.0.0/24', rangeStart: '10.50.0.100' }]] };
      const kept = await attach(subject, { ipam });
      const config = {
        ...kept.call.config,
        'cni.dev/valid-attachments': [{ containerID: kept.container.id, ifname: 'eth0' }],
      };
      const gone = await failure({
        plugin,
        command: 'CHECK',
        config: kept.call.config ?? {},
        container: createContainer(),
        ifname: 'eth0',
      });
      expect(gone.code).toBeGreaterThan(0);
      await gc({ plugin, config });
      await check(kept.call);
      await gc({ plugin, config: { ...config, 'cni.dev/valid-attachments': [] } });
      expect([...new Bun.Glob('10.*').scanSync('/var/lib/cni/networks/segment')]).toEqual([]);
    },
    limit(15),
  );
}

/** The name that a link has which was made for the attachment `segment`, this container, `eth0`. */
function hostNameOf({ id }: Container): string {
  const digest = new Bun.CryptoHasher('sha256').update(`segment\n${id}\neth0`).digest('hex');
  return `veth${digest.slice(0, 8)}`;
}
