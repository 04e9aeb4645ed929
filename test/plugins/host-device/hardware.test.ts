/**
 * Devices that have hardware, as the second kernel's network cards are: what becomes of them when the container's
 * namespace ends, where a virtual link would end too. The kernel gives them to its first network namespace, so that is the node here.
 */
// packages: iproute2 iputils-ping
// kernels: second
// seconds: 20
import { afterEach, expect, test } from 'bun:test';
import { createContainer, ip, removeContainers } from '../../support/container.ts';
import { add, check, del, failure, type NamedCall } from '../../support/plugin.ts';
import { limit, firstNamespace as node } from '../../support/sandbox.ts';
import { ping } from '../../support/traffic.ts';
import { configOf, ifname, names, sh } from './device.ts';

/** In the node's namespace, and with what sysfs shows of that. */
const under = [
  ...['nsenter', `--net=${node}`, '--', 'unshare', '--mount', '--propagation', 'private', 'sh', '-c'],
  'mount -t sysfs sysfs /sys && exec "$0" "$@"',
];

function callOf(keys: object, container = createContainer()): NamedCall & { readonly config: object } {
  return { plugin: 'host-device', config: configOf(keys), container, ifname, under };
}

/** Another namespace has the far end of the cable. */
async function addNeighbour(): Promise<void> {
  const { id } = createContainer();
  await sh(`ip link set eth1 netns /run/netns/${id}`, node);
  await sh('ip link set eth1 up; ip address add 10.50.0.1/24 dev eth1', `/run/netns/${id}`);
}

/** Waits until the node has both cards, under whatever names: they come some time after a namespace's end. */
async function cardsBack(): Promise<readonly string[]> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const there = await names(node);
    if (there.length === 3) return there;
    await Bun.sleep(limit(0.02));
  }
  throw new Error(`the cards did not come back: ${await names(node)}`);
}

afterEach(async () => {
  removeContainers();
  await cardsBack();
  for (const { ifname: name, address } of await ip(node, 'link')) {
    if (name === 'lo') continue;
    const own = address === '02:00:00:00:00:61' ? 'eth0' : 'eth1';
    await sh(
      `ip link set ${name} down alias ""; [ ${name} = ${own} ] || ip link set ${name} name ${own}`,
      node,
    );
  }
}, limit(10));

const platformDevice = '/sys/devices/platform/uml-netdev.0';
const ways: readonly (readonly [string, object])[] = [
  ['device', { device: 'eth0' }],
  ['kernelpath', { device: '', kernelpath: platformDevice }],
];

test.each(ways)(
  'by %s: the card sends and receives in the container; DEL, with the result or without, gives it back',
  async (_, keys) => {
    await addNeighbour();
    const ipam = { type: 'static', addresses: [{ address: '10.50.0.2/24' }] };
    const call = callOf({ ...keys, ipam });
    const prevResult = await add(call);
    expect(await names(node)).toEqual(['lo']);
    expect(await ping(String(call.container?.netns), '10.50.0.1')).toBe(true);
    const taken = await failure({ ...callOf(keys), command: 'ADD' });
    expect([taken.code, taken.msg]).toEqual([
      11,
      expect.stringMatching(/as net1; a device|another container has it/),
    ]);
    await check({ ...call, config: { ...call.config, prevResult } });
    await del(call);
    expect(await ip(node, 'link', 'show', 'eth0')).toMatchObject([{ address: '02:00:00:00:00:61' }]);
    await add(call);
    await del({ ...call, config: { ...call.config, prevResult } });
    expect(await names(node)).toEqual(['eth0', 'lo']);
  },
  limit(20),
);

test(
  'a card by its path is not another card: DEL without a result leaves that',
  async () => {
    const call = callOf({ device: 'eth1' });
    await add(call);
    await del({ ...call, config: configOf({ device: '', kernelpath: platformDevice }) });
    expect(await names(node)).toEqual(['eth0', 'lo']);
    await del(call);
    expect(await names(node)).toEqual(['eth0', 'eth1', 'lo']);
  },
  limit(20),
);

test.each(['DEL', 'ADD'])(
  'the namespace ends without DEL: the kernel gives the card back under the name that it had there, and %s its own',
  async (verb) => {
    const call = callOf({ device: 'eth0' });
    await add(call);
    call.container?.remove();
    expect(await cardsBack()).toEqual(['eth1', 'lo', ifname]);
    const [{ ifalias } = {}] = await ip(node, 'link', 'show', ifname);
    expect(ifalias).toBe('eth0');
    if (verb === 'DEL') await del(call);
    if (verb === 'ADD') {
      const next = callOf({ device: 'eth0' });
      await add(next);
      await del(next);
    }
    const [back = {}] = await ip(node, 'link', 'show', 'eth0');
    expect([back.address, back.ifalias]).toEqual(['02:00:00:00:00:61', undefined]);
  },
  limit(20),
);

test(
  'the namespace ends and the node has that name already: the kernel makes one up, and DEL finds the card by its path',
  async () => {
    const call = { ...callOf({ device: '', kernelpath: platformDevice }), ifname: 'eth1' };
    await add(call);
    call.container?.remove();
    expect((await cardsBack()).filter((name) => /^dev\d+$/.test(name))).toHaveLength(1);
    await del(call);
    const [back = {}] = await ip(node, 'link', 'show', 'eth0');
    expect([back.address, back.ifalias]).toEqual(['02:00:00:00:00:61', undefined]);
  },
  limit(20),
);
