/** Many at once on a bridge that does not exist: one bridge, an address for each, everyone reachable, all clean afterwards. */
import { afterEach, expect, test } from 'bun:test';
import { createContainer, ip, removeContainers } from '../../support/container.ts';
import { diff, snapshot } from '../../support/node.ts';
import { add, check, del } from '../../support/plugin.ts';
import { limit, slowness } from '../../support/sandbox.ts';
import { ping } from '../../support/traffic.ts';
import { addressesOf, network } from './network.ts';

afterEach(removeContainers);

/** The second kernel has one slow core. */
const count = slowness > 1 ? 8 : 64;

test(
  `${count} ADDs and ${count} DELs at once`,
  async () => {
    const config = network({ isDefaultGateway: true, ipMasq: true, macspoofchk: true });
    const before = await snapshot();
    const containers = Array.from({ length: count }, () => createContainer());
    const results = await Promise.all(
      containers.map((container) => add({ plugin: 'bridge', config, container })),
    );
    const addresses = results.map(({ ips = [] }) => ips.map(({ address }) => address));
    expect(new Set(addresses.flat()).size).toBe(2 * count);
    expect(new Set(results.map(({ interfaces }) => interfaces?.[0]?.mac)).size).toBe(1);
    expect(await ip(undefined, 'link', 'show', 'type', 'bridge')).toHaveLength(1);
    expect(await ip(undefined, 'link', 'show', 'master', config.bridge)).toHaveLength(count);
    expect(await addressesOf(undefined, config.bridge)).toEqual([
      `${config.gateway4}/24`,
      `${config.gateway6}/64`,
    ]);
    for (const address of addresses.flat()) {
      const [host = ''] = address.split('/');
      expect(`${host} ${await ping(undefined, host)}`).toBe(`${host} true`);
    }
    const calls = results.map((prevResult, index) => {
      const container = containers[index] ?? createContainer();
      return { plugin: 'bridge', config: { ...config, prevResult }, container };
    });
    await Promise.all(calls.map(check));
    await Promise.all(calls.map(del));
    removeContainers();
    await Bun.$`ip link delete ${config.bridge}`;
    // The rules that all share stay, without an element; host-local's lock, index and last addresses.
    const left = diff(before, await snapshot(), /^(nft |file \/var\/lib\/cni|sysctl )|"fe80:/);
    expect(left).toEqual([]);
    const names = new Bun.Glob('{10.,fd}*').scanSync(`/var/lib/cni/networks/${config.name}`);
    expect([...names]).toEqual([]);
    const ruleset = Bun.spawnSync(['nft', 'list', 'ruleset']).stdout.toString();
    for (const { id } of containers) expect(ruleset).not.toContain(id);
  },
  limit(60),
);
