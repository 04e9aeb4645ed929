/** dummy: an interface with addresses that the container itself reaches, and nobody else. */
// packages: iproute2 iputils-ping
// kernels: second
import { afterEach, describe, expect, test } from 'bun:test';
import { createContainer, inNetns, ip, removeContainers } from '../../support/container.ts';
import { add, check, del, failure, gc, status } from '../../support/plugin.ts';
import { limit } from '../../support/sandbox.ts';
import { ping } from '../../support/traffic.ts';

afterEach(removeContainers);

const ranges = [[{ subnet: '10.60.0.0/24' }], [{ subnet: 'fd00:60::/64' }]];
const dns = { nameservers: ['192.0.2.53'] };
const config = { cniVersion: '1.1.0', name: 'loops', type: 'dummy', ipam: { type: 'host-local', ranges } };

async function attach(keys: object = {}) {
  const container = createContainer();
  const result = await add({ plugin: 'dummy', config: { ...config, ...keys }, container });
  return {
    container,
    result,
    call: { plugin: 'dummy', container, config: { ...config, ...keys, prevResult: result } },
  };
}

test(
  'the result, and packets to its own addresses',
  async () => {
    const { container, result, call } = await attach();
    expect(result.interfaces?.map(({ name, sandbox }) => [name, sandbox])).toEqual([
      ['eth0', container.netns],
    ]);
    expect(result.ips?.map(({ address, interface: at }) => [address.replace(/[^.:]+\//, 'N/'), at])).toEqual([
      ['10.60.0.N/24', 0],
      ['fd00:60::N/64', 0],
    ]);
    const [link = {}] = await ip(container.netns, '-d', 'link', 'show', 'eth0');
    expect(JSON.stringify(link.linkinfo)).toContain('"info_kind":"dummy"');
    expect(link.address).toBe(result.interfaces?.[0]?.mac);
    // As the plugin loopback does: a host's packets to itself go by it.
    await inNetns(container.netns, ['ip', 'link', 'set', 'lo', 'up']);
    for (const { address } of result.ips ?? [])
      expect(await ping(container.netns, address.replace(/\/.*/, ''))).toBe(true);
    expect(await ping(container.netns, '10.60.0.200', 1)).toBe(false);
    await check(call);
    await del(call);
    await del(call);
    expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
    expect([...new Bun.Glob('{10.,fd}*').scanSync('/var/lib/cni/networks/loops')]).toEqual([]);
  },
  limit(15),
);

test("`dns` is IPAM's", async () => {
  const ipam = { type: 'static', addresses: [{ address: '10.60.0.5/24' }], dns };
  expect((await attach({ ipam, dns: { domain: 'example.org' } })).result.dns).toEqual(dns);
});

describe('CHECK names what is missing or changed', () => {
  test.each<[string, RegExp]>([
    ['ip link set eth0 down', /interface eth0 is down/],
    ['ip link delete eth0', /interface eth0 does not exist in/],
    ['ip link delete eth0; ip link add eth0 type veth', /a link of kind veth, not of kind dummy/],
    ['ip -4 address flush dev eth0', /interface eth0 has no address 10\.60\.0\.\d+\/24/],
    ['ip -6 address flush dev eth0', /interface eth0 has no address fd00:60::\w+\/64/],
    [
      'ip link set eth0 address 02:00:00:00:00:01',
      /has hardware address 02:00:00:00:00:01, the result of ADD says/,
    ],
  ])(
    '%s',
    async (command, message) => {
      const { container, call } = await attach();
      expect(await inNetns(container.netns, ['sh', '-ec', command])).toMatchObject({ exitCode: 0 });
      const error = await failure({ ...call, command: 'CHECK', ifname: 'eth0' });
      expect(error.code).toBe(102);
      expect(`${error.msg}; ${error.details ?? ''}`).toMatch(message);
    },
    limit(10),
  );
});

test(
  'refused: no IPAM, no address, a name that is taken; STATUS and GC pass to IPAM',
  async () => {
    const refusal = async (keys: object, command = 'ADD', container = createContainer()) =>
      (await failure({ plugin: 'dummy', command, config: { ...config, ...keys }, container, ifname: 'eth0' }))
        .msg;
    expect(await refusal({ ipam: undefined })).toContain('`ipam.type` of plugin `dummy` is missing');
    expect(await refusal({ ipam: undefined }, 'STATUS')).toContain(
      '`ipam.type` of plugin `dummy` is missing',
    );
    expect(await refusal({ ipam: { type: 'static' } })).toContain('gave no address');
    const { container } = await attach();
    expect(await refusal({}, 'ADD', container)).toContain('interface eth0 exists already');
    await status({ plugin: 'dummy', config });
    await gc({ plugin: 'dummy', config: { ...config, 'cni.dev/valid-attachments': [] } });
    expect([...new Bun.Glob('{10.,fd}*').scanSync('/var/lib/cni/networks/loops')]).toEqual([]);
  },
  limit(15),
);
