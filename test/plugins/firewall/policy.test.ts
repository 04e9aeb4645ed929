/** `ingressPolicy`: who reaches whom, on two bridges, from the node and from outside, by IPv4 and IPv6. */
import { afterEach, expect, test } from 'bun:test';
import type { Container } from '../../support/container.ts';
import { output } from '../../support/program.ts';
import {
  type Attached,
  attach,
  cleanUp,
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

afterEach(cleanUp, patience);

const outside = { address4: world4, address6: world6 };

/** Who reaches whom of these, as `FROM>TO families`, and with the node and the world, all at once. */
async function matrix(world: Container, all: Readonly<Record<string, Attached>>): Promise<string[]> {
  const names = Object.keys(all);
  const asked = names.flatMap((to) => [
    ...names.filter((from) => from !== to).map((from) => [from, to, all[from], all[to]] as const),
    ['node', to, undefined, all[to]] as const,
    ['world', to, world, all[to]] as const,
    [to, 'world', all[to], outside] as const,
  ]);
  const answers = await Promise.all(
    asked.map(async ([from, to, container, target]) => {
      const families = target === undefined ? '?' : await reach(container, target, 2);
      return `${from}>${to} ${families}`;
    }),
  );
  return answers.filter((answer) => !answer.endsWith(' 46'));
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
    expect(await matrix(world, await three({ ingressPolicy: 'open' }))).toEqual([]);
    expect(await nft('list', 'ruleset')).not.toContain('drop');
  },
  patience,
);

test(
  'same-bridge: what comes from another bridge is blocked, the node, the world and neighbours are not',
  async () => {
    const world = await createWorld();
    const all = await three({ ingressPolicy: 'same-bridge' });
    expect(await matrix(world, all)).toEqual(['c>a -', 'c>b -', 'a>c -', 'b>c -']);
  },
  patience,
);

test(
  'isolated: neighbours are blocked too',
  async () => {
    const world = await createWorld();
    const all = await three({ ingressPolicy: 'isolated' });
    expect(await matrix(world, all)).toEqual(['b>a -', 'c>a -', 'a>b -', 'c>b -', 'a>c -', 'b>c -']);
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
    expect(await reach(a, b)).toBe('4');
  },
  patience,
);

test(
  'a bridge without a policy is no other bridge: it reaches the guarded, and they it',
  async () => {
    const world = await createWorld();
    expect(await matrix(world, await three({ ingressPolicy: 'same-bridge' }, {}))).toEqual([]);
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
    expect(await matrix(world, all)).toEqual(['b>a -', 'c>a -', 'a>b -', 'a>c -']);
  },
  patience,
);

test.each(variants)(
  'together with an iptables-%s that drops',
  async (variant) => {
    const world = await createWorld();
    await dropForwarded(variant);
    const all = await three({ ingressPolicy: 'same-bridge' });
    expect(await matrix(world, all)).toEqual([
      'c>a -',
      'world>a -',
      'c>b -',
      'world>b -',
      'a>c -',
      'b>c -',
      'world>c -',
    ]);
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
    expect(await reach(all.a, all.c)).toBe('46');
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
