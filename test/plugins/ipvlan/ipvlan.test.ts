/** ipvlan, with packets. */
// packages: iproute2 iputils-ping
// kernels: second
// seconds: 120
import { describe, expect, test } from 'bun:test';
import { createContainer, inNetns, ip } from '../../support/container.ts';
import type { IpObject } from '../../support/ip-json.ts';
import { add, check, del, failure } from '../../support/plugin.ts';
import { output } from '../../support/program.ts';
import { limit } from '../../support/sandbox.ts';
import {
  attach,
  configOf,
  neighbour,
  nextIpam,
  type Subject,
  testInterfaceOnMaster,
} from '../../support/segment.ts';
import { ping } from '../../support/traffic.ts';

const subject: Subject = {
  plugin: 'ipvlan',
  keys: {},
  many: true,
  damages: [
    ['@ip link set eth0 type ipvlan mode l3', /the mode of interface eth0 is l3, the configuration says l2/],
  ],
  wrong: [
    [{ mode: 'l4' }, '`mode` of plugin `ipvlan` must be "l2", "l3", "l3s" or "", got "l4"'],
    [{ master: 'a/b' }, /`master` of plugin `ipvlan`/],
    [{ master: 'lo' }, 'lo takes no ipvlan'],
    [{ master: '' }, 'there is no default route on the node to take the interface of'],
    [{ ipam: undefined }, '`ipam.type` of plugin `ipvlan` is missing'],
  ],
};

testInterfaceOnMaster(subject);

/** The interface's mode, as iproute2 tells it. */
async function modeOf(netns: string): Promise<unknown> {
  const [link = {}] = await ip(netns, '-d', 'link', 'show', 'eth0');
  return ((link.linkinfo as IpObject).info_data as IpObject).mode;
}

describe('modes', () => {
  test.each([
    ['', 'l2'],
    ['l2', 'l2'],
    ['l3', 'l3'],
    ['l3s', 'l3s'],
  ])(
    '"%s": %s, containers reach each other and the other host',
    async (mode, expected) => {
      const routes = [{ dst: '0.0.0.0/0', scope: 253 }];
      const one = await attach(subject, { mode, ipam: { ...nextIpam(), routes } });
      const other = await attach(subject, { mode });
      expect(await modeOf(one.container.netns)).toBe(expected);
      expect(await ping(one.container.netns, other.addresses[0] ?? '')).toBe(true);
      // In layer 3 nobody answers for the container on the segment: the other host has to be told the way.
      const [{ address } = {}] = await ip(undefined, 'link', 'show', 'eth0');
      const entry = [
        'ip',
        'neigh',
        'replace',
        one.addresses[0] ?? '',
        'lladdr',
        String(address),
        'dev',
        'eth0',
      ];
      if (expected !== 'l2') expect(await inNetns(neighbour.netns, entry)).toMatchObject({ exitCode: 0 });
      if (expected !== 'l2') await output(['ip', 'address', 'add', '10.50.0.250/24', 'dev', 'eth0']);
      expect(await ping(one.container.netns, neighbour.ip4)).toBe(true);
      await check(one.call);
    },
    limit(20),
  );
});

test(
  'without `master`: the interface of the default route',
  async () => {
    await output(['ip', 'address', 'add', '10.50.0.250/24', 'dev', 'eth0']);
    await output(['ip', 'route', 'add', 'default', 'via', '10.50.0.1']);
    const { container } = await attach(subject, { master: '' });
    expect(await ping(container.netns, neighbour.ip4)).toBe(true);
  },
  limit(10),
);

describe('in a chain', () => {
  const before = (interfaces: readonly object[]) => ({
    master: '',
    ipam: undefined,
    dns: { nameservers: ['192.0.2.53'] },
    prevResult: {
      cniVersion: '1.1.0',
      interfaces,
      ips: [{ address: '10.50.0.99/24', gateway: neighbour.ip4, interface: 0 }],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  });

  test(
    'the interface and the addresses of the plugin before',
    async () => {
      const { container, result, call } = await attach(subject, before([{ name: 'eth0' }]));
      expect(result).toEqual({
        cniVersion: '1.1.0',
        interfaces: [{ name: 'eth0', mac: result.interfaces?.[0]?.mac ?? '', sandbox: container.netns }],
        ips: [{ address: '10.50.0.99/24', gateway: neighbour.ip4, interface: 0 }],
        routes: [{ dst: '0.0.0.0/0' }],
        dns: { nameservers: ['192.0.2.53'] },
      });
      expect(await ping(neighbour.netns, '10.50.0.99')).toBe(true);
      await check(call);
      await del(call);
      expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
    },
    limit(15),
  );

  test.each([[[]], [[{ name: 'eth0' }, { name: 'lo' }]]])(
    '%j is not one interface',
    async (interfaces) => {
      const config = configOf(
        subject,
        before(interfaces).prevResult.interfaces.length === 0
          ? { ...before([]), prevResult: { cniVersion: '1.1.0', ips: [{ address: '10.50.0.99/24' }] } }
          : before(interfaces),
      );
      const error = await failure({
        plugin: 'ipvlan',
        command: 'ADD',
        config,
        container: createContainer(),
        ifname: 'eth0',
      });
      expect(error).toMatchObject({ code: 7 });
      expect(error.msg).toContain(`does not have one interface but ${interfaces.length}`);
    },
    limit(10),
  );
});

test(
  'beside macvlan on one master: refused, and says why',
  async () => {
    const { cniVersion, name, ipam } = configOf(subject);
    const config = { cniVersion, name, type: 'macvlan', master: 'eth0', ipam };
    await add({ plugin: 'macvlan', config, container: createContainer() });
    const error = await failure({
      plugin: 'ipvlan',
      command: 'ADD',
      config: configOf(subject),
      container: createContainer(),
      ifname: 'eth0',
    });
    expect(error.msg).toContain('without macvlans');
  },
  limit(10),
);
