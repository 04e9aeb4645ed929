/** GC removes what belongs to no valid attachment of its network, and nothing of anybody else. */
import { afterEach, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { sha256 } from '../../../src/plugin/hash.ts';
import { check, failure, gc } from '../../support/plugin.ts';
import { type Attached, attach, detachAll, link, type NetworkConfig, network } from './network.ts';

afterEach(detachAll);

const options = { isGateway: true, ipMasq: true, macspoofchk: true };

const collect = (config: NetworkConfig, valid: readonly Attached[]) =>
  gc({
    plugin: 'bridge',
    config: {
      ...config,
      'cni.dev/valid-attachments': valid.map(({ container, call }) => ({
        containerID: container.id,
        ifname: call.ifname ?? 'eth0',
      })),
    },
  });

const reservations = (config: NetworkConfig) =>
  readdirSync(`/var/lib/cni/networks/${config.name}`)
    .filter((name) => /^(10\.|fd)/.test(name))
    .sort();

test('removes links, elements and reservations of those that are gone, and keeps those of others', async () => {
  const config = network(options);
  // Another network on the same bridge, in other subnets.
  const neighbour = { ...network(options), bridge: config.bridge, isGateway: false };
  const [kept, gone, interfaceGone] = [
    await attach(config),
    await attach(config),
    await attach(config, { ifname: 'net1' }),
  ];
  const second = await attach(config, { container: interfaceGone.container });
  const others = [await attach(neighbour), await attach(network(options))];
  await collect(config, [kept, second]);
  for (const { hostName } of [gone, interfaceGone]) expect(await link(undefined, hostName)).toBeUndefined();
  for (const each of [kept, second, ...others]) await check(each.call);
  expect(reservations(config)).toEqual([...kept.addresses, ...second.addresses].sort());
  const ruleset = Bun.spawnSync(['nft', 'list', 'ruleset']).stdout.toString();
  expect(ruleset).not.toContain(gone.container.id);
  expect(ruleset).not.toContain(`${interfaceGone.container.id} net1`);
});

test('a network whose hardware addresses begin alike keeps its links', async () => {
  const config = network(options);
  const neighbour = {
    ...network(options),
    bridge: config.bridge,
    isGateway: false,
    name: twinOf(config.name),
  };
  const [one, other] = [await attach(config), await attach(neighbour)];
  const start = async ({ hostName }: Attached) =>
    String((await link(undefined, hostName))?.['address']).slice(0, 8);
  expect(await start(one)).toBe(await start(other));
  await collect(config, []);
  expect(await link(undefined, one.hostName)).toBeUndefined();
  await check(other.call);
});

/** Another name with the same first 16 bits of its digest, of which hardware addresses are made. */
function twinOf(name: string): string {
  const start = (text: string) => sha256(text).subarray(0, 2).toHex();
  for (let index = 0; ; index++) if (start(`twin${index}`) === start(name)) return `twin${index}`;
}

test('with nothing valid it leaves the bridge and no port', async () => {
  const config = network(options);
  const one = await attach(config);
  await collect(config, []);
  expect(await link(undefined, one.hostName)).toBeUndefined();
  expect(await link(undefined, config.bridge)).toBeDefined();
  expect(reservations(config)).toEqual([]);
});

test('again, or where nothing is, it has nothing to do', async () => {
  const config = network(options);
  await collect(config, []);
  expect(await link(undefined, config.bridge)).toBeUndefined();
  const one = await attach(config);
  await collect(config, [one]);
  await collect(config, [one]);
  await check(one.call);
});

test('without the list it is an error, and nothing goes', async () => {
  const config = network(options);
  const one = await attach(config);
  const error = await failure({ plugin: 'bridge', command: 'GC', config });
  expect(error.code).toBe(7);
  expect(error.msg).toContain('cni.dev/valid-attachments');
  await check(one.call);
});

test("links that others made on the bridge stay: the reference's, an operator's", async () => {
  const config = network();
  await attach(config);
  await Bun.$`ip link add veth01234567 master ${config.bridge} type veth peer name mine`;
  await collect(config, []);
  expect(await link(undefined, 'veth01234567')).toBeDefined();
  await Bun.$`ip link delete veth01234567`;
});
