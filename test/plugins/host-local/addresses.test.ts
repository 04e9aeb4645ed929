/** Which addresses host-local gives: from ranges of every form, those that were asked for, until there is none left. */
import { describe, expect, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { give, network, refusal, reservationsOf, resultOf, storeOf, take } from './network.ts';

const v4 = { subnet: '10.1.0.0/24' };
const v6 = { subnet: 'fd00:1::/64' };

describe('ranges', () => {
  test('one address of each set: ipRanges, then the legacy form, then ranges', async () => {
    const runtimeConfig = { ipRanges: [[{ subnet: '10.3.0.0/24' }]] };
    const config = network({ ...v4, ranges: [[v6], [{ subnet: '10.2.0.0/24' }]] }, { runtimeConfig });
    expect(await give(config, 'alice')).toEqual([
      '10.3.0.2/24',
      '10.1.0.2/24',
      'fd00:1::2/64',
      '10.2.0.2/24',
    ]);
  });

  test('round robin: a freed address is given again only after all others', async () => {
    const config = network({ ranges: [[{ ...v4, rangeStart: '10.1.0.10', rangeEnd: '10.1.0.13' }]] });
    expect(await give(config, 'a')).toEqual(['10.1.0.10/24']);
    await take(config, 'a');
    expect(await give(config, 'b')).toEqual(['10.1.0.11/24']);
    expect(await give(config, 'c')).toEqual(['10.1.0.12/24']);
    expect(await give(config, 'd')).toEqual(['10.1.0.13/24']);
    expect(await give(config, 'e')).toEqual(['10.1.0.10/24']);
    await take(config, 'c');
    expect(await give(config, 'f')).toEqual(['10.1.0.12/24']);
  });

  test('several ranges in a set: the next range after the end of one, then the first again', async () => {
    const config = network({
      ranges: [[{ subnet: '10.1.0.0/30' }, { subnet: '10.2.0.0/30', gateway: '10.9.0.1' }]],
    });
    expect(await resultOf(config, 'a')).toMatchObject({
      ips: [{ address: '10.1.0.2/30', gateway: '10.1.0.1' }],
    });
    expect(await resultOf(config, 'b')).toMatchObject({
      ips: [{ address: '10.2.0.1/30', gateway: '10.9.0.1' }],
    });
    expect(await give(config, 'c')).toEqual(['10.2.0.2/30']);
    await take(config, 'a');
    expect(await give(config, 'd')).toEqual(['10.1.0.2/30']);
  });

  test('network and broadcast address are not given, even where the range includes them', async () => {
    const config = network({
      ranges: [
        [{ subnet: '10.1.0.0/30', rangeStart: '10.1.0.0', rangeEnd: '10.1.0.3', gateway: '10.9.0.1' }],
      ],
    });
    expect(await give(config, 'a')).toEqual(['10.1.0.1/30']);
    expect(await give(config, 'b')).toEqual(['10.1.0.2/30']);
    expect(await refusal('ADD', config, 'c')).toMatchObject({ code: 100 });
    expect(await refusal('ADD', config, 'd', { args: 'IP=10.1.0.3' })).toMatchObject({
      code: 7,
      msg: 'requested 10.1.0.3 is the broadcast address of its subnet; ask for another address',
    });
  });

  test.each([
    ['0.0.0.0/0', '0.0.0.2/0'],
    ['::/0', '::2/0'],
    ['fd00::/126', 'fd00::2/126'],
    ['10.0.0.0/30', '10.0.0.2/30'],
  ])('a subnet of %s', async (subnet, address) => {
    expect(await give(network({ ranges: [[{ subnet }]] }), 'a')).toEqual([address]);
  });

  test('a /64 with thousands of addresses taken is no slower to search than to count', async () => {
    const config = network({ ranges: [[v6]] });
    await give(config, 'first');
    for (let index = 3; index < 3000; index++) {
      writeFileSync(`${storeOf(config)}/fd00:1::${index.toString(16)}`, `c${index}\r\neth0`, { mode: 0o600 });
    }
    expect(await give(config, 'next')).toEqual(['fd00:1::bb8/64']);
  });

  test.each([
    [{}, 'ipam.ranges', 'at least one range set'],
    [{ ranges: [] }, 'ipam.ranges', 'at least one range set'],
    [{ ranges: [[]] }, 'ipam.ranges[0]', 'at least one range'],
    [{ ranges: [[{ subnet: '10.1.0.0/31' }]] }, 'ipam.ranges[0][0]', 'too small to allocate from'],
    [{ ranges: [[{ subnet: '10.1.0.1/32' }]] }, 'ipam.ranges[0][0]', 'too small to allocate from'],
    [{ ranges: [[{ subnet: 'fd00::/127' }]] }, 'ipam.ranges[0][0]', 'too small to allocate from'],
    [{ ranges: [[{ subnet: 'fd00::1/128' }]] }, 'ipam.ranges[0][0]', 'too small to allocate from'],
    [{ ranges: [[{ subnet: '10.1.0.9/24' }]] }, 'ipam.ranges[0][0]', 'it is "10.1.0.0/24"'],
    [{ ranges: [[{ subnet: '' }]] }, 'ipam.ranges[0][0]', '`subnet` must be a network'],
    [{ subnet: '' }, 'ipam', '`subnet` must be a network'],
    [
      { ranges: [[{ ...v4, rangeStart: '10.2.0.1' }]] },
      'ipam.ranges[0][0]',
      '`rangeStart` 10.2.0.1 must lie in',
    ],
    [{ ranges: [[{ ...v4, rangeEnd: '10.2.0.1' }]] }, 'ipam.ranges[0][0]', '`rangeEnd` 10.2.0.1 must lie in'],
    [
      { ranges: [[{ ...v4, rangeStart: 'fd00::1' }]] },
      'ipam.ranges[0][0]',
      '`rangeStart` fd00::1 must lie in',
    ],
    [
      { ranges: [[{ ...v4, rangeStart: '10.1.0.9', rangeEnd: '10.1.0.8' }]] },
      'ipam.ranges[0][0]',
      'must not be above `rangeEnd` 10.1.0.8',
    ],
    [
      { ranges: [[{ ...v4, gateway: 'fd00::1' }]] },
      'ipam.ranges[0][0]',
      '`gateway` fd00::1 must be an IPv4 address',
    ],
    [{ ranges: [[v4, v6]] }, 'ipam.ranges[0]', 'must not mix IPv4 and IPv6'],
    [{ ranges: [[v4, { subnet: '10.1.0.128/25' }]] }, 'ipam.ranges[0][1]', 'must not overlap another range'],
    [
      { ranges: [[v4], [v6], [{ subnet: '10.0.0.0/8' }]] },
      'ipam.ranges[2]',
      'must not overlap ipam.ranges[0]',
    ],
    [{ ...v4, ranges: [[v4]] }, 'ipam.ranges[0]', 'must not overlap ipam:'],
  ])('%j is refused with code 7, and nothing is made', async (ipam, where, what) => {
    const config = network(ipam);
    const { code, msg } = await refusal('ADD', config);
    expect({ code, msg }).toEqual({
      code: 7,
      msg: expect.stringContaining(`\`${where}\` of plugin \`host-local\``),
    });
    expect(msg).toContain(what);
    expect(reservationsOf(config)).toEqual({});
  });
});

describe('results of every version', () => {
  const routes = [
    { dst: '0.0.0.0/0', gw: '10.1.0.1', mtu: 1400, advmss: 1360, priority: 5, table: 100, scope: 0 },
  ];

  test('routes keep what they say', async () => {
    expect(await resultOf(network({ ...v4, routes }, { cniVersion: '1.1.0' }), 'a')).toEqual({
      cniVersion: '1.1.0',
      ips: [{ address: '10.1.0.2/24', gateway: '10.1.0.1' }],
      routes,
    });
  });

  test.each(['0.1.0', '0.2.0'])('%s holds one address a family', async (cniVersion) => {
    const two = network({ ranges: [[v4], [{ subnet: '10.2.0.0/24' }]] }, { cniVersion });
    expect(await refusal('ADD', two)).toMatchObject({ code: 7, cniVersion });
    expect(reservationsOf(two)).toEqual({});
    const config = network({ ranges: [[v4], [v6]] }, { cniVersion });
    expect(await resultOf(config, 'a')).toEqual({
      cniVersion,
      ip4: { ip: '10.1.0.2/24', gateway: '10.1.0.1' },
      ip6: { ip: 'fd00:1::2/64', gateway: 'fd00:1::1' },
      dns: {},
    });
  });

  test('a resolvConf that cannot be read, or is not named in full', async () => {
    const none = network({ ...v4, resolvConf: '/run/none.conf' });
    expect(await refusal('ADD', none)).toMatchObject({
      code: 7,
      msg: expect.stringContaining('/run/none.conf'),
    });
    const relative = network({ ...v4, resolvConf: 'resolv.conf' });
    expect(await refusal('ADD', relative)).toMatchObject({
      code: 7,
      msg: '`ipam.resolvConf` of plugin `host-local`: must be an absolute path, got "resolv.conf"',
    });
    expect(reservationsOf(none)).toEqual({});
  });
});

describe('addresses that are asked for', () => {
  test('from all sources, each for the set it lies in', async () => {
    const config = network(
      { ranges: [[v4], [v6], [{ subnet: '10.3.0.0/24' }]] },
      { args: { cni: { ips: ['fd00:1::9'] } }, runtimeConfig: { ips: ['10.3.0.9/16'] } },
    );
    expect(await give(config, 'a', { args: 'K8S_POD_NAME=pod;IP=10.1.0.9' })).toEqual([
      '10.1.0.9/24',
      'fd00:1::9/64',
      '10.3.0.9/24',
    ]);
  });

  test('the other sets give their next ones', async () => {
    const config = network({ ranges: [[v4], [v6]] }, { runtimeConfig: { ips: ['fd00:1::9'] } });
    expect(await give(config, 'a')).toEqual(['10.1.0.2/24', 'fd00:1::9/64']);
  });

  test.each([
    [{ args: 'IP=10.1.0.1' }, 7, 'is the gateway of its subnet'],
    [
      { args: 'IP=10.2.0.5' },
      7,
      'requested 10.2.0.5, which no range of `ipam` has to give: 10.1.0.1-10.1.0.254',
    ],
    [{ args: 'IP=fd00::5' }, 7, 'requested fd00::5, which no range'],
    [
      { args: 'IP=10.1.0.256' },
      4,
      '`CNI_ARGS IP` of plugin `host-local`: must be an IP address, got "10.1.0.256"',
    ],
    [{ args: 'IP=10.1.0.7' }, 101, 'requested 10.1.0.7 is taken by another container'],
  ])('%j: code %d', async (extra, code, msg) => {
    const config = network({ ranges: [[v4]] });
    await give(config, 'holder', { args: 'IP=10.1.0.7' });
    expect(await refusal('ADD', config, 'a', extra)).toMatchObject({
      code,
      msg: expect.stringContaining(msg),
    });
    expect(reservationsOf(config)).toEqual({ '10.1.0.7': 'holder/eth0' });
  });

  test('two of one set: there is one to give, and none is taken', async () => {
    const config = network({ ranges: [[v4], [v6]] }, { runtimeConfig: { ips: ['10.1.0.7', '10.1.0.8'] } });
    expect(await refusal('ADD', config)).toMatchObject({
      code: 7,
      msg: expect.stringContaining('requested 10.1.0.8, which no range'),
      details: 'one address is given of each range set',
    });
    expect(reservationsOf(config)).toEqual({});
  });

  test('a text that is none', async () => {
    const config = network({ ranges: [[v4]] }, { runtimeConfig: { ips: ['router'] } });
    expect(await refusal('ADD', config)).toMatchObject({
      code: 7,
      msg: '`runtimeConfig.ips[0]` of plugin `host-local`: must be an IP address, got "router"',
    });
  });
});

describe('no address left', () => {
  const small = { ...v4, rangeStart: '10.1.0.2', rangeEnd: '10.1.0.3' };

  test('ADD says which range is full and what to do, and keeps nothing of the other sets', async () => {
    const config = network({ ranges: [[v6], [small]] });
    await give(config, 'a');
    await give(config, 'b');
    const before = reservationsOf(config);
    expect(await refusal('ADD', config, 'c')).toMatchObject({
      code: 100,
      msg: 'no address left in range set 1: 10.1.0.2-10.1.0.3',
      details: expect.stringMatching(/GC.*larger range/),
    });
    expect(reservationsOf(config)).toEqual(before);
    await take(config, 'a');
    expect(await give(config, 'c')).toEqual(['fd00:1::5/64', '10.1.0.2/24']);
  });

  test('STATUS: 50 until one is free', async () => {
    const config = network({ ranges: [[small]] }, { cniVersion: '1.1.0' });
    const ready = async () =>
      (await import('../../support/plugin.ts')).status({ plugin: 'host-local', config });
    await ready();
    await give(config, 'a');
    await ready();
    await give(config, 'b');
    expect(await refusal('STATUS', config)).toMatchObject({
      code: 50,
      msg: `no address left in 10.1.0.2-10.1.0.3 for network ${config.name}`,
    });
    await take(config, 'b');
    await ready();
  });

  test('a range of its gateway alone has none from the beginning', async () => {
    const config = network({ ranges: [[{ ...v4, rangeStart: '10.1.0.1', rangeEnd: '10.1.0.1' }]] });
    expect(await refusal('ADD', config)).toMatchObject({ code: 100 });
  });
});

describe('ADD again', () => {
  test('is refused, whatever it asks for, and the first one’s addresses stay', async () => {
    const config = network({ ranges: [[v4], [v6]] });
    await give(config, 'a');
    const before = reservationsOf(config);
    for (const extra of [{}, { args: 'IP=10.1.0.9' }]) {
      expect(await refusal('ADD', config, 'a', extra)).toMatchObject({
        code: 101,
        msg: '10.1.0.2 has been allocated to container a, interface eth0 already; DEL must come before another ADD',
      });
    }
    expect(reservationsOf(config)).toEqual(before);
  });

  test('another interface of the container is another attachment', async () => {
    const config = network({ ranges: [[v4]] });
    await give(config, 'a');
    expect(await give(config, 'a', { ifname: 'eth1' })).toEqual(['10.1.0.3/24']);
    await take(config, 'a');
    expect(reservationsOf(config)).toEqual({ '10.1.0.3': 'a/eth1' });
  });

  test('after DEL it gets another address; DEL again, and of what never was, is no error', async () => {
    const config = network({ ranges: [[v4]] });
    await take(config, 'a');
    await give(config, 'a');
    await take(config, 'a');
    await take(config, 'a');
    expect(await give(config, 'a')).toEqual(['10.1.0.3/24']);
    rmSync(storeOf(config), { recursive: true });
    await take(config, 'a');
  });

  test('DEL frees by owner, also when the ranges have been changed since, or are wrong now', async () => {
    const config = network({ ranges: [[v4]] });
    await give(config, 'a');
    await give(config, 'b');
    await take({ ...config, ipam: { type: 'host-local', ranges: [[{ subnet: '10.9.0.0/24' }]] } }, 'a');
    await take({ ...config, ipam: { type: 'host-local', ranges: [[{ subnet: '10.9.0.0/33' }]] } }, 'b');
    expect(reservationsOf(config)).toEqual({});
  });
});
