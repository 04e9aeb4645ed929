/** Static: the addresses that configuration or runtime name, alike with the reference's plugin and ours. */
// packages: containernetworking-plugins
import { describe, expect, test } from 'bun:test';
import { failure, type PluginCall, runPlugin, status, successful } from '../../support/plugin.ts';
import { reference } from '../../support/reference.ts';

interface Case {
  readonly ipam?: object;
  readonly others?: object;
  readonly args?: string;
}

function call(command: string, { ipam, others, args }: Case, more: Partial<PluginCall> = {}): PluginCall {
  const config = {
    cniVersion: '1.0.0',
    name: 'net',
    type: 'bridge',
    ipam: { type: 'static', ...ipam },
    ...others,
  };
  const names = { containerId: 'container', ifname: 'eth0', netns: '/run/netns/none' };
  return { plugin: 'static', command, config, ...names, ...(args === undefined ? {} : { args }), ...more };
}

/** Debian's 1.1.1 still prints an empty `dns` in results of version 1.0.0; 1.9.1 leaves it out, and so do we. */
function withoutEmptyDns(result: unknown): unknown {
  const { dns, ...others } = result as { readonly dns?: object };
  return dns === undefined || Object.keys(dns).length === 0 ? others : result;
}

const one = { address: '10.1.0.5/16', gateway: '10.1.0.1' };
const six = { address: 'fd00::5/64', gateway: 'fd00::1' };

const cases: readonly (readonly [what: string, given: Case, ips: readonly object[]])[] = [
  ['addresses of both families', { ipam: { addresses: [one, six] } }, [one, six]],
  [
    'several of one family',
    { ipam: { addresses: [one, { address: '10.2.0.5/24' }] } },
    [one, { address: '10.2.0.5/24' }],
  ],
  [
    'a gateway elsewhere',
    { ipam: { addresses: [{ ...one, gateway: '192.0.2.1' }] } },
    [{ ...one, gateway: '192.0.2.1' }],
  ],
  [
    'no gateway, or an empty one',
    { ipam: { addresses: [{ address: '10.1.0.5/32' }, { ...six, gateway: '' }] } },
    [{ address: '10.1.0.5/32' }, { address: 'fd00::5/64' }],
  ],
  [
    'not in canonical form',
    { ipam: { addresses: [{ address: 'FD00:0::0005/64', gateway: 'FD00::01' }] } },
    [six],
  ],
  ['none at all', {}, []],
  ['keys that are null', { ipam: { addresses: null, routes: null, dns: null } }, []],
  [
    'CNI_ARGS after those configured',
    { ipam: { addresses: [one] }, args: 'IgnoreUnknown=1;X=y;IP=10.2.0.7/24, fd00::5/64' },
    [one, { address: '10.2.0.7/24' }, { address: 'fd00::5/64' }],
  ],
  [
    'CNI_ARGS GATEWAY for each address that it can be of',
    { ipam: { addresses: [one] }, args: 'IP=10.2.0.7/24,fd00::5/64;GATEWAY=10.2.0.1,fd00::1' },
    [one, { address: '10.2.0.7/24', gateway: '10.2.0.1' }, six],
  ],
  [
    'CNI_ARGS GATEWAY not for a configured address',
    { ipam: { addresses: [one] }, args: 'IgnoreUnknown=1;GATEWAY=10.1.0.254' },
    [one],
  ],
  ['CNI_ARGS, empty', { ipam: { addresses: [one] }, args: 'IP=;GATEWAY=' }, [one]],
  [
    'args.cni.ips in place of configuration and CNI_ARGS',
    {
      ipam: { addresses: [one] },
      args: 'IP=10.2.0.7/24',
      others: { args: { cni: { ips: ['10.3.0.7/24', 'fd00::5/64'] } } },
    },
    [{ address: '10.3.0.7/24' }, { address: 'fd00::5/64' }],
  ],
  [
    'runtimeConfig.ips in place of all others',
    {
      ipam: { addresses: [one] },
      args: 'IP=10.2.0.7/24',
      others: { args: { cni: { ips: ['10.3.0.7/24'] } }, runtimeConfig: { ips: ['10.4.0.7/24'] } },
    },
    [{ address: '10.4.0.7/24' }],
  ],
  [
    'lists that are empty replace nothing',
    { ipam: { addresses: [one] }, others: { args: { cni: { ips: [] } }, runtimeConfig: { ips: [] } } },
    [one],
  ],
];

describe('the same as the reference', () => {
  test.each(cases)('%s', async (_, given, ips) => {
    const result = (await successful(call('ADD', given))).json;
    expect(result).toEqual({ cniVersion: '1.0.0', ...(ips.length > 0 ? { ips } : {}) });
    const theirs = (await successful(call('ADD', given, { binDirectory: reference }))).json;
    expect(result).toEqual(withoutEmptyDns(theirs));
  });

  const dns = {
    nameservers: ['192.0.2.53', 'fd00::53'],
    domain: 'example.net',
    search: ['a.example'],
    options: ['ndots:2'],
  };
  const routes = [{ dst: '0.0.0.0/0' }, { dst: 'FD00::/8', gw: 'FD00::1' }];

  test.each(['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0'])(
    'routes and dns in version %s',
    async (cniVersion) => {
      const given = { ipam: { addresses: [one, six], routes, dns }, others: { cniVersion } };
      const ours = (await successful(call('ADD', given))).json;
      expect(ours).toEqual((await successful(call('ADD', given, { binDirectory: reference }))).json);
      expect(JSON.stringify(ours)).toContain('fd00::/8');
    },
  );
});

test('routes keep what 1.9.1 knows of them', async () => {
  const routes = [
    { dst: '0.0.0.0/0', gw: '10.1.0.1', mtu: 1400, advmss: 1360, priority: 5, table: 100, scope: 253 },
  ];
  const { json } = await successful(
    call('ADD', { ipam: { addresses: [one], routes }, others: { cniVersion: '1.1.0' } }),
  );
  expect(json).toMatchObject({ routes });
});

describe('what is refused, with code and place', () => {
  test.each<[Case, number, string]>([
    [
      { ipam: { addresses: [{ address: '10.1.0.5' }] } },
      7,
      '`ipam.addresses[0].address` of plugin `static` must be an IP address with its prefix length',
    ],
    [{ ipam: { addresses: [{ address: '10.1.0.5/33' }] } }, 7, '`ipam.addresses[0].address`'],
    [
      { ipam: { addresses: [{ gateway: '10.1.0.1' }] } },
      7,
      '`ipam.addresses[0].address` of plugin `static` is missing',
    ],
    [
      { ipam: { addresses: [{ ...one, gateway: 'router' }] } },
      7,
      '`ipam.addresses[0].gateway` of plugin `static` must be an IP address',
    ],
    [{ ipam: { routes: [{ dst: 'anywhere' }] } }, 7, '`ipam.routes[0].dst`'],
    [{ ipam: { routes: [{ dst: '0.0.0.0/0', gw: '10.1.0' }] } }, 7, '`ipam.routes[0].gw`'],
    [{ ipam: { dns: { nameservers: '192.0.2.53' } } }, 7, '`ipam.dns.nameservers`'],
    [
      { args: 'IP=10.1.0.5' },
      4,
      '`CNI_ARGS IP` of plugin `static`: must be an address with a prefix length such as "10.1.0.5/16", got "10.1.0.5"',
    ],
    [{ args: 'IP=10.1.0.5/24,' }, 4, '`CNI_ARGS IP`'],
    [
      { args: 'IP=10.1.0.5/24;GATEWAY=router' },
      4,
      '`CNI_ARGS GATEWAY` of plugin `static`: must be an IP address, got "router"',
    ],
    [{ others: { args: { cni: { ips: ['10.1.0.5'] } } } }, 7, '`args.cni.ips`'],
    [{ others: { runtimeConfig: { ips: ['10.1.0.5'] } } }, 7, '`runtimeConfig.ips`'],
    [{ others: { runtimeConfig: { ips: '10.1.0.5/24' } } }, 7, '`runtimeConfig.ips`'],
    [
      { ipam: { addresses: [one, one] }, others: { cniVersion: '0.2.0' } },
      7,
      'version 0.2.0 allows one address a family',
    ],
  ])('%j', async (given, code, msg) => {
    expect(await failure(call('ADD', given))).toMatchObject({ code, msg: expect.stringContaining(msg) });
    const { exitCode } = await runPlugin(call('ADD', given, { binDirectory: reference }));
    expect(exitCode).toBe(1);
  });
});

describe('the other verbs', () => {
  const prevResult = { cniVersion: '1.0.0', ips: [one, six], dns: {} };

  test('DEL has nothing to do, and does it in any state', async () => {
    await successful(call('DEL', { ipam: { addresses: [one] } }));
    await successful(call('DEL', { ipam: { addresses: [one] } }, { ifname: 'eth9', netns: '' }));
  });

  test('CHECK: every configured address is in the result, with its gateway', async () => {
    await successful(call('CHECK', { ipam: { addresses: [six] }, others: { prevResult } }));
    await successful(
      call('CHECK', { ipam: { addresses: [{ address: one.address }] }, others: { prevResult } }),
    );
    for (const changed of [{ ...one, gateway: '10.1.0.9' }, { address: '10.1.0.6/16' }]) {
      const given = { ipam: { addresses: [changed] }, others: { prevResult } };
      expect(await failure(call('CHECK', given))).toMatchObject({
        code: 102,
        msg: expect.stringContaining(changed.address),
      });
    }
  });

  test('STATUS is about the configuration; GC has nothing to do', async () => {
    const config = {
      cniVersion: '1.1.0',
      name: 'net',
      type: 'bridge',
      ipam: { type: 'static', addresses: [one] },
    };
    await status({ plugin: 'static', config });
    await successful({
      plugin: 'static',
      command: 'GC',
      config: { ...config, 'cni.dev/valid-attachments': [] },
    });
  });
});
