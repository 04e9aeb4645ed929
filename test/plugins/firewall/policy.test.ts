/** `ingressPolicy`: who reaches whom, on two bridges, from the node and from outside, by IPv4 and IPv6. */
import { afterEach, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { type Container, createContainer } from '../../support/container.ts';
import { add } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import {
  type Attached,
  attach,
  checked,
  cleanUp,
  configOf,
  connect,
  createWorld,
  dropForwarded,
  elements,
  nft,
  patience,
  reach,
  release,
  variants,
  world4,
  world6,
} from './network.ts';

afterEach(async () => {
  await cleanUp();
  await filterBridged(1);
}, patience);

const outside = { address4: world4, address6: world6 };

/**
 * That of these, the node and the world everybody reaches everybody by both families, but for those who are blocked by
 * both, written as `FROM>TO`.
 */
async function expectBlocked(
  world: Container,
  all: Readonly<Record<string, Attached>>,
  blocked: readonly string[],
): Promise<void> {
  const places = { ...all, world: { ...world, ...outside }, node: undefined };
  const pairs = Object.entries(places).flatMap(([from, container]) =>
    Object.entries(all)
      .filter(([to]) => to !== from)
      .map(([to, target]) => ({ pair: `${from}>${to}`, container, target })),
  );
  const outward = Object.entries(all).map(([from, container]) => ({
    pair: `${from}>world`,
    container,
    target: outside,
  }));
  const answers = await Promise.all(
    [...pairs, ...outward].map(async ({ pair, container, target }) => {
      const answer = await reach(container, target, blocked.includes(pair) ? 1 : 6);
      return answer === '46' ? [] : [answer === '-' ? pair : `${pair} only ${answer}`];
    }),
  );
  expect(answers.flat().sort()).toEqual([...blocked].sort());
}

/** Whether what stays on a bridge passes FORWARD as well (br_netfilter), where the kernel can do that. */
async function filterBridged(value: number): Promise<void> {
  for (const name of ['iptables', 'ip6tables']) {
    const file = `/proc/sys/net/bridge/bridge-nf-call-${name}`;
    if (existsSync(file)) await Bun.write(file, String(value));
  }
}

/** Two containers on a bridge, one on another. */
async function three(keys: object, others: object = keys) {
  return {
    a: await attach('a', { ...keys }, { network: 'cni0' }),
    b: await attach('b', { ...keys }, { network: 'cni0' }),
    c: await attach('c', { ...others }, { network: 'cni1' }),
  };
}

test(
  'open: everybody reaches everybody',
  async () => {
    const world = await createWorld();
    await expectBlocked(world, await three({ ingressPolicy: 'open' }), []);
    expect(await nft('list', 'ruleset')).not.toContain('drop');
  },
  patience,
);

test(
  'same-bridge: what comes from another bridge is blocked, the node, the world and neighbours are not',
  async () => {
    const world = await createWorld();
    const all = await three({ ingressPolicy: 'same-bridge' });
    await expectBlocked(world, all, ['c>a', 'c>b', 'a>c', 'b>c']);
  },
  patience,
);

test.each([0, 1])(
  'isolated: neighbours are blocked too, with bridge-nf-call-iptables %d',
  async (value) => {
    const world = await createWorld();
    await filterBridged(value);
    const all = await three({ ingressPolicy: 'isolated' });
    await expectBlocked(world, all, ['b>a', 'c>a', 'a>b', 'c>b', 'a>c', 'b>c']);
  },
  patience,
);

test(
  'isolated: not by the gateway either',
  async () => {
    await createWorld();
    const { a, b } = await three({ ingressPolicy: 'isolated' });
    const gateway = a.result.ips?.[0]?.gateway ?? '';
    const detour = (on: Attached, to: Attached) =>
      output(['nsenter', `--net=${on.netns}`, 'ip', 'route', 'add', `${to.address4}/32`, 'via', gateway]);
    await detour(a, b);
    await detour(b, a);
    await Bun.write('/proc/sys/net/ipv4/conf/all/send_redirects', '0');
    await Bun.write('/proc/sys/net/ipv4/conf/cni0/send_redirects', '0');
    expect(await reach(a, b)).toBe('-');
    await nft('flush chain inet fairlead firewall-guard');
    expect(await reach(a, b, 5)).toBe('4');
  },
  patience,
);

test(
  'a bridge without a policy is no other bridge: it reaches the guarded, and they it',
  async () => {
    const world = await createWorld();
    await expectBlocked(world, await three({ ingressPolicy: 'same-bridge' }, {}), []);
  },
  patience,
);

test(
  'two networks on one bridge: the isolated one’s containers have no neighbours, the other’s do',
  async () => {
    const world = await createWorld();
    const all = {
      a: await attach('a', { ingressPolicy: 'isolated' }, { network: 'cni2', bridge: 'cni0' }),
      b: await attach('b', {}, { network: 'cni0' }),
      c: await attach('c', {}, { network: 'cni0' }),
    };
    await expectBlocked(world, all, ['b>a', 'c>a', 'a>b', 'a>c']);
  },
  patience,
);

test(
  'isolated on a vlan of a bridge, whose gateway is a port of its own: the world and the node, but no neighbour',
  async () => {
    const world = await createWorld();
    const connected = { a: await connect('a'), b: await connect('b') };
    const gateways = [connected.a, connected.b].map(
      ({ result }) => result.ips?.map(({ gateway = '' }) => gateway) ?? [],
    );
    const [[four, six] = []] = gateways;
    // As bridge makes it: a pair, one end on the bridge, the other with the gateway's addresses.
    for (const command of [
      'link add cni0.5 type veth peer name vethgw',
      'link set vethgw master cni0 up',
      'address flush dev cni0',
      'link set cni0.5 up',
      `address add ${four}/24 dev cni0.5`,
      `address add ${six}/64 dev cni0.5 nodad`,
    ])
      await output(['ip', ...command.split(' ')]);
    // With br_netfilter, masquerading also sees what goes to the gateway's port.
    await filterBridged(0);
    // They know the gateway by the bridge's hardware address.
    for (const { netns } of [connected.a, connected.b])
      await output(['nsenter', `--net=${netns}`, 'ip', 'neighbour', 'flush', 'dev', 'eth0']);
    const attached = Object.entries(connected).map(([name, one]) => {
      const result = { ...one.result, interfaces: [...(one.result.interfaces ?? []), { name: 'cni0.5' }] };
      return [name, { ...one, config: configOf('cni0', result, { ingressPolicy: 'isolated' }) }] as const;
    });
    for (const [, one] of attached) await add({ plugin: 'firewall', container: one, config: one.config });
    await expectBlocked(world, Object.fromEntries(attached), ['a>b', 'b>a']);
    expect(await elements()).toContain('firewall-isolated "cni0.5"');
    for (const [, one] of attached) {
      expect(await checked(one)).toBe('');
      await release(one);
    }
    expect(await elements()).toEqual([]);
  },
  patience,
);

test.each(variants)(
  'together with an iptables-%s that drops',
  async (variant) => {
    const world = await createWorld();
    await dropForwarded(variant);
    const all = await three({ ingressPolicy: 'same-bridge' });
    await expectBlocked(world, all, ['c>a', 'world>a', 'c>b', 'world>b', 'a>c', 'b>c', 'world>c']);
  },
  patience,
);

test(
  'after ptp, where each container has an interface of the node to itself',
  async () => {
    const world = await createWorld();
    const attached: Record<string, Attached> = {};
    for (const [index, name] of ['a', 'b'].entries()) {
      const container = createContainer(name);
      const ipam = {
        type: 'static',
        addresses: [
          { address: `10.70.0.${index + 2}/24`, gateway: '10.70.0.1' },
          { address: `fd70::${index + 2}/64`, gateway: 'fd70::1' },
        ],
        routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
      };
      const ptp = { cniVersion: '1.1.0', name: 'cables', type: 'ptp', ipam };
      const result = await add({ plugin: 'ptp', container, config: ptp });
      const config = configOf('cables', result, { ingressPolicy: 'same-bridge' });
      attached[name] = {
        ...container,
        result,
        config,
        address4: `10.70.0.${index + 2}`,
        address6: `fd70::${index + 2}`,
      };
    }
    await expectBlocked(world, attached, []);
    for (const one of Object.values(attached))
      await add({ plugin: 'firewall', container: one, config: one.config });
    await expectBlocked(world, attached, ['a>b', 'b>a']);
    for (const one of Object.values(attached)) {
      expect(await checked(one)).toBe('');
      await release(one);
    }
    expect(await elements()).toEqual([]);
  },
  patience,
);

test(
  'a policy ends with the last container that has it: nothing is left of it but empty sets',
  async () => {
    await createWorld();
    const keys = { ingressPolicy: 'same-bridge' };
    const all = await three(keys);
    const bridges = async () => (await elements()).filter((line) => line.startsWith('firewall-same-bridge '));
    expect(await bridges()).toEqual(['firewall-same-bridge "cni0"', 'firewall-same-bridge "cni1"']);
    await release(all.a);
    expect(await bridges()).toHaveLength(2);
    await release(all.b);
    expect(await bridges()).toEqual(['firewall-same-bridge "cni1"']);
    expect(await nft('list', 'chains')).not.toContain('firewall-same-bridge-cni0');
    expect(await reach(all.a, all.c, 5)).toBe('46');
    await release(all.c);
    expect(await elements()).toEqual([]);
  },
  patience,
);

test(
  'ADD again with another policy, and with none',
  async () => {
    await createWorld();
    const { addImagined } = await import('./network.ts');
    const open = await addImagined('one', 1);
    const openElements = await elements();
    await addImagined('one', 1, { ingressPolicy: 'isolated' });
    expect(await elements()).toContain('firewall-isolated "cni0"');
    await addImagined('one', 1, { ingressPolicy: 'same-bridge' });
    expect(await elements()).not.toContain('firewall-isolated "cni0"');
    await addImagined('one', 1);
    expect(await elements()).toEqual(expect.arrayContaining(openElements));
    await release(open);
    expect(await elements()).toEqual([]);
  },
  patience,
);
