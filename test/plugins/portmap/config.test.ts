/** What a runtime and its user may get wrong, and what is no mistake. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createContainer } from '../../support/container.ts';
import { add, runPlugin } from '../../support/plugin.ts';
import { call, cleanUp, imagine, nft, portmapConfig } from './network.ts';

const mapping = { hostPort: 8080, containerPort: 80, protocol: 'tcp' };
const one = imagine('one', 1);

beforeAll(() => void createContainer('one'));
afterAll(cleanUp);

/** ADD's error; nothing is written. */
async function refused(config: object): Promise<{ code: number; msg: string; details?: string }> {
  const { json, exitCode } = await call('ADD', one, config);
  expect(exitCode).not.toBe(0);
  expect(await nft('list', 'ruleset')).toBe('');
  return json as { code: number; msg: string };
}

const withMappings = (portMappings: unknown) => ({ ...one.config, runtimeConfig: { portMappings } });
const key = (rest: string) => `\`runtimeConfig.portMappings${rest}\` of plugin \`portmap\``;

test.each([
  [[{ ...mapping, hostPort: 0 }], `${key('[0].hostPort')} must be 1–65535, got 0`],
  [[{ ...mapping, hostPort: -1 }], `${key('[0].hostPort')} must be 1–65535, got -1`],
  [[{ ...mapping, hostPort: 65536 }], `${key('[0].hostPort')} must be 1–65535, got 65536`],
  [[{ ...mapping, hostPort: 80.5 }], `${key('[0].hostPort')} must be 1–65535, got 80.5`],
  [[{ ...mapping, hostPort: '80' }], `${key('[0].hostPort')} must be 1–65535, got "80"`],
  [[{ hostPort: 80 }], `${key('[0].containerPort')} is missing`],
  [[mapping, { ...mapping, containerPort: 0 }], `${key('[1].containerPort')} must be 1–65535, got 0`],
  [
    [{ ...mapping, protocol: 'icmp' }],
    `${key('[0].protocol')} must be one of "tcp", "udp", "sctp", got "icmp"`,
  ],
  [[{ ...mapping, protocol: 6 }], `${key('[0].protocol')} must be`],
  [
    [{ ...mapping, hostIP: '192.0.2' }],
    `${key('[0].hostIP')} must be an IP address such as "192.0.2.1", got "192.0.2"`,
  ],
  [
    [{ ...mapping, hostIP: '192.0.2.1/24' }],
    `${key('[0].hostIP')} must be an IP address such as "192.0.2.1", got "192.0.2.1/24"`,
  ],
  [[{ ...mapping, hostIP: 'fe80::1%eth0' }], `${key('[0].hostIP')} must be an IP address`],
  [mapping, `${key('')} must be a list`],
  [[null], `${key('[0]')} must be`],
  ['8080:80', `${key('')} must be a list, got "8080:80"`],
])('portMappings %j', async (portMappings, message) => {
  const { code, msg } = await refused(withMappings(portMappings));
  expect(msg).toStartWith(message);
  expect(code).toBe(7);
});

test.each([
  [{ backend: 'ipvs' }, '`backend` of plugin `portmap` must be "iptables" or "nftables", got "ipvs"'],
  [{ snat: 'no' }, '`snat` of plugin `portmap` must be true or false, got "no"'],
  [{ masqAll: 1 }, '`masqAll` of plugin `portmap` must be true or false, got 1'],
  [{ markMasqBit: 32 }, '`markMasqBit` of plugin `portmap` must be 0–31, got 32'],
  [{ markMasqBit: -1 }, '`markMasqBit` of plugin `portmap` must be 0–31, got -1'],
  [
    { conditionsV4: '-s 10.0.0.0/8' },
    '`conditionsV4` of plugin `portmap` must be a list, got "-s 10.0.0.0/8"',
  ],
  [{ conditionsV6: [6] }, '`conditionsV6[0]` of plugin `portmap` must be'],
  [{ runtimeConfig: [] }, '`runtimeConfig` of plugin `portmap` must be an object'],
])('configuration %j', async (keys, message) => {
  const { code, msg } = await refused({ ...withMappings([mapping]), ...keys });
  expect(msg).toStartWith(message);
  expect(code).toBe(7);
});

test('several mistakes at once are all told', async () => {
  const { msg, details } = await refused(withMappings([{ hostPort: 0, containerPort: 70000 }]));
  expect(`${msg}; ${details}`).toMatch(/hostPort.*containerPort/);
});

test('no prevResult: portmap is not chained', async () => {
  const { code, msg } = await refused({ ...withMappings([mapping]), prevResult: undefined });
  expect([code, msg]).toEqual([7, '`prevResult` of plugin `portmap` is missing']);
  expect(await refused({ ...one.config, prevResult: undefined })).toMatchObject({ code: 7 });
});

test.each([
  ['no runtimeConfig', {}],
  ['no portMappings', { runtimeConfig: { bandwidth: {} } }],
  ['null', { runtimeConfig: { portMappings: null } }],
  ['none', { runtimeConfig: { portMappings: [] } }],
  [
    'an address of a family that the container has not',
    {
      runtimeConfig: { portMappings: [{ ...mapping, hostIP: '::' }] },
      prevResult: { ...one.result, ips: one.result.ips?.slice(0, 1) },
    },
  ],
  [
    'no addresses',
    {
      runtimeConfig: { portMappings: [mapping] },
      prevResult: { cniVersion: '1.1.0', interfaces: one.result.interfaces },
    },
  ],
])('nothing to publish (%s): the result passes through unchanged, nothing is written', async (_, keys) => {
  const config = { ...one.config, ...keys };
  const { json } = await call('ADD', one, config);
  expect(json).toEqual('prevResult' in keys ? keys.prevResult : one.result);
  expect(await nft('list', 'ruleset')).toBe('');
});

test('every member of the result passes through', async () => {
  const prevResult = {
    cniVersion: '1.1.0',
    interfaces: [
      { name: 'br', mac: '02:00:00:00:00:01', mtu: 1400 },
      {
        name: 'eth0',
        mac: '02:00:00:00:00:02',
        sandbox: one.netns,
        socketPath: '/run/s',
        pciID: '0000:00:1f.6',
      },
    ],
    ips: [{ address: '10.99.0.1/16', gateway: '10.99.0.254', interface: 1 }],
    routes: [{ dst: '0.0.0.0/0', gw: '10.99.0.254', mtu: 1400, priority: 7 }],
    dns: { nameservers: ['192.0.2.53'], domain: 'a.example', search: ['b.example'], options: ['ndots:5'] },
  };
  const config = portmapConfig('cni0', prevResult, { mappings: [mapping] });
  expect(await add<object>({ plugin: 'portmap', container: one, config })).toEqual(prevResult);
  expect((await call('DEL', one, config)).exitCode).toBe(0);
});

test.each(['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])('specification %s', async (cniVersion) => {
  const ips = [{ ...(cniVersion < '1' && { version: '4' }), address: '10.99.0.1/16' }];
  const config = { ...portmapConfig('cni0', { cniVersion, ips }, { mappings: [mapping] }), cniVersion };
  expect(await add<object>({ plugin: 'portmap', container: one, config })).toMatchObject({ cniVersion, ips });
  expect(await nft('list', 'map', 'inet', 'fairlead', 'portmap-target4')).toContain('tcp . 8080');
  expect((await call('DEL', one, config)).exitCode).toBe(0);
});

test('only addresses of the container’s own interface are led to', async () => {
  const prevResult = {
    cniVersion: '1.1.0',
    interfaces: [
      { name: 'eth0' },
      { name: 'net1', sandbox: one.netns },
      { name: 'eth0', sandbox: one.netns },
    ],
    ips: [
      { address: '10.99.0.3/16', interface: 0 },
      { address: '10.99.0.4/16', interface: 1 },
      { address: '10.99.0.5/16', interface: 2 },
      { address: '10.99.0.6/16', interface: 2 },
    ],
  };
  const config = portmapConfig('cni0', prevResult, { mappings: [mapping] });
  await add({ plugin: 'portmap', container: one, config });
  const listed = await nft('list', 'map', 'inet', 'fairlead', 'portmap-target4');
  expect(listed.match(/10\.99\.0\.\d/g)).toEqual(['10.99.0.5']);
  expect((await call('DEL', one, config)).exitCode).toBe(0);
});

test('VERSION', async () => {
  const { json } = await runPlugin({
    plugin: 'portmap',
    command: 'VERSION',
    config: { cniVersion: '1.1.0' },
  });
  expect((json as { supportedVersions: string[] }).supportedVersions).toContain('1.1.0');
});
