/**
 * Every key of every plugin's configuration with every type that it must not have: one error with code 7 that names the
 * key. The keys are written down here by what the reference's documentation says of them, and held against those that
 * the plugins' schemas ask for, so that a key cannot be forgotten.
 */
import { describe, expect, test } from 'bun:test';
import { readCommonConfig } from '../../src/cni/config.ts';
import { formatPath, type Path, type Problem } from '../../src/cni/schema/index.ts';
import { loadPlugin } from '../../src/plugins/names.ts';
import { callOf, changeNothing, refusal, type Subject, subjectOf } from './plugins.ts';

type Kind = 'text' | 'flag' | 'number' | 'object' | 'texts' | 'list';

/** Values of every type of JSON but null, which means absent. Those of the right type that are wrong all the same, too. */
const wrongFor: Readonly<Record<Kind, readonly unknown[]>> = {
  text: [7, true, ['x'], { x: 1 }],
  flag: [1, 'true', [true], { x: 1 }],
  number: [12.5, '7', true, [7], { x: 1 }, 1e300, -1e300],
  object: [7, true, 'x', ['x']],
  texts: [7, true, 'x', { x: 1 }, [7], [['x']], [null]],
  list: [7, true, 'x', { x: 1 }, ['x'], [7], [null]],
};

const range = { subnet: 'text', rangeStart: 'text', rangeEnd: 'text', gateway: 'text' } as const;
const route = {
  dst: 'text',
  gw: 'text',
  mtu: 'number',
  advmss: 'number',
  priority: 'number',
  table: 'number',
  scope: 'number',
} as const;

function below(path: string, keys: Readonly<Record<string, Kind>>): Record<string, Kind> {
  return Object.fromEntries(Object.entries(keys).map(([key, kind]) => [`${path}.${key}`, kind]));
}

/** Of a link that sits on another. */
const master = { master: 'text', linkInContainer: 'flag', mtu: 'number' } as const;

/** What every plugin may have. */
const common: Readonly<Record<string, Kind>> = {
  name: 'text',
  type: 'text',
  capabilities: 'object',
  runtimeConfig: 'object',
  args: 'object',
  'args.cni': 'object',
  ipam: 'object',
  'ipam.type': 'text',
  dns: 'object',
  'dns.nameservers': 'texts',
  'dns.domain': 'text',
  'dns.search': 'texts',
  'dns.options': 'texts',
  fairlead: 'object',
  'fairlead.trace': 'flag',
};

const rates = {
  ingressRate: 'number',
  ingressBurst: 'number',
  egressRate: 'number',
  egressBurst: 'number',
} as const;

const own: Readonly<Record<Subject['plugin'], Readonly<Record<string, Kind>>>> = {
  bandwidth: rates,
  bridge: {
    bridge: 'text',
    isGateway: 'flag',
    isDefaultGateway: 'flag',
    forceAddress: 'flag',
    ipMasq: 'flag',
    ipMasqBackend: 'text',
    mtu: 'number',
    hairpinMode: 'flag',
    promiscMode: 'flag',
    vlan: 'number',
    vlanTrunk: 'list',
    'vlanTrunk[0].id': 'number',
    'vlanTrunk[0].minID': 'number',
    'vlanTrunk[0].maxID': 'number',
    preserveDefaultVlan: 'flag',
    macspoofchk: 'flag',
    enabledad: 'flag',
    disableContainerInterface: 'flag',
    portIsolation: 'flag',
    ipam: 'object',
    'ipam.type': 'text',
  },
  dummy: {},
  firewall: { backend: 'text', iptablesAdminChainName: 'text', firewalldZone: 'text', ingressPolicy: 'text' },
  'host-device': {
    device: 'text',
    hwaddr: 'text',
    kernelpath: 'text',
    pciBusID: 'text',
    runtimeConfig: 'object',
    'runtimeConfig.deviceID': 'text',
  },
  ipvlan: { ...master, mode: 'text' },
  macvlan: { ...master, mode: 'text', mac: 'text', bcqueuelen: 'number' },
  ptp: { ipMasq: 'flag', ipMasqBackend: 'text', mtu: 'number' },
  vlan: { ...master, vlanId: 'number' },
  'host-local': {
    ipam: 'object',
    'ipam.ranges': 'list',
    'ipam.ranges[0]': 'list',
    ...below('ipam.ranges[0][0]', range),
    ...below('ipam', range),
    'ipam.routes': 'list',
    ...below('ipam.routes[0]', route),
    'ipam.dataDir': 'text',
    'ipam.resolvConf': 'text',
    runtimeConfig: 'object',
    'runtimeConfig.ips': 'texts',
    'runtimeConfig.ipRanges': 'list',
    'runtimeConfig.ipRanges[0]': 'list',
    ...below('runtimeConfig.ipRanges[0][0]', range),
    args: 'object',
    'args.cni': 'object',
    'args.cni.ips': 'texts',
  },
  dhcp: {
    ipam: 'object',
    'ipam.daemonSocketPath': 'text',
    'ipam.request': 'list',
    'ipam.request[0].skipDefault': 'flag',
    'ipam.request[0].option': 'text',
    'ipam.provide': 'list',
    'ipam.provide[0].option': 'text',
    'ipam.provide[0].value': 'text',
    'ipam.provide[0].fromArg': 'text',
    'ipam.priority': 'number',
  },
  loopback: {},
  portmap: {
    backend: 'text',
    snat: 'flag',
    masqAll: 'flag',
    markMasqBit: 'number',
    externalSetMarkChain: 'text',
    conditionsV4: 'texts',
    conditionsV6: 'texts',
  },
  static: {
    ipam: 'object',
    'ipam.addresses': 'list',
    'ipam.addresses[0].address': 'text',
    'ipam.addresses[0].gateway': 'text',
    'ipam.routes': 'list',
    ...below('ipam.routes[0]', route),
    'ipam.dns': 'object',
    'ipam.dns.nameservers': 'texts',
    'ipam.dns.domain': 'text',
    'ipam.dns.search': 'texts',
    'ipam.dns.options': 'texts',
    runtimeConfig: 'object',
    'runtimeConfig.ips': 'texts',
    args: 'object',
    'args.cni': 'object',
    'args.cni.ips': 'texts',
  },
  sbr: { table: 'number', gateways: 'texts', addSourceHints: 'flag' },
  tap: {
    multiQueue: 'flag',
    mtu: 'number',
    mac: 'text',
    owner: 'number',
    group: 'number',
    selinuxContext: 'text',
    bridge: 'text',
  },
  tuning: {
    sysctl: 'object',
    mac: 'text',
    promisc: 'flag',
    mtu: 'number',
    allmulti: 'flag',
    txQLen: 'number',
    dataDir: 'text',
  },
  vrf: { vrfname: 'text', table: 'number' },
};

/** What is read where it is needed, not by a schema of the whole. */
const readLater: Readonly<Partial<Record<Subject['plugin'], Readonly<Record<string, Kind>>>>> = {
  bridge: { 'runtimeConfig.mac': 'text', 'args.cni.mac': 'text' },
  macvlan: { 'runtimeConfig.mac': 'text', 'args.cni.mac': 'text' },
  tap: { 'runtimeConfig.mac': 'text', 'args.cni.mac': 'text' },
  portmap: {
    'runtimeConfig.portMappings': 'list',
    'runtimeConfig.portMappings[0].hostPort': 'number',
    'runtimeConfig.portMappings[0].containerPort': 'number',
    'runtimeConfig.portMappings[0].protocol': 'text',
    'runtimeConfig.portMappings[0].hostIP': 'text',
  },
  tuning: {
    'runtimeConfig.mac': 'text',
    ...below('args.cni', {
      sysctl: 'object',
      mac: 'text',
      promisc: 'flag',
      mtu: 'number',
      allmulti: 'flag',
      txQLen: 'number',
    }),
  },
};

function pathOf(text: string): Path {
  return text
    .split(/[.[\]]+/)
    .flatMap((step) => (step === '' ? [] : [/^\d+$/.test(step) ? Number(step) : step]));
}

/** The configuration with a value at a path; what is not there yet is made. */
function withValue(base: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === 'number') return [withValue(Array.isArray(base) ? base[step] : undefined, rest, value)];
  const object = (typeof base === 'object' && base !== null && !Array.isArray(base) ? base : {}) as Record<
    string,
    unknown
  >;
  return { ...object, [step]: withValue(object[step], rest, value) };
}

/** The paths of all keys that a reader asks an object for, and the objects and lists in it. */
function keysAskedFor(read: (config: unknown, problems: Problem[]) => unknown): string[] {
  const found: string[] = [];
  const explore = (path: Path): void => {
    const asked = new Set<string>();
    const recorder = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: (_, key) => {
          asked.add(String(key));
          return undefined;
        },
      },
    );
    read(withValue({}, path, recorder), []);
    for (const key of asked) {
      found.push(formatPath([...path, key]));
      for (const inside of [[], [0], [0, 0]]) explore([...path, key, ...inside]);
    }
  };
  explore([]);
  return found;
}

changeNothing();

/** Lists in lists have no key of their own. */
function namesOf(keys: Readonly<Record<string, Kind>>): string[] {
  return Object.keys(keys)
    .filter((path) => !path.endsWith(']'))
    .sort();
}

test('the keys that every plugin may have are all in the list above', () => {
  const asked = keysAskedFor((config, problems) =>
    readCommonConfig(config as Record<string, unknown>, problems),
  );
  expect(asked.sort()).toEqual(namesOf(common));
});

describe.each(Object.keys(own) as Subject['plugin'][])('%s', (plugin) => {
  const subject = subjectOf(plugin);

  test('its keys are all in the list above', async () => {
    const { config } = await loadPlugin(plugin);
    const asked = keysAskedFor((value, problems) => config.read(value, [], problems));
    expect(asked.sort()).toEqual(namesOf(own[plugin]));
  });

  const keys = Object.entries({ ...common, ...own[plugin], ...readLater[plugin] });
  test.each(keys)('%s, which is a %s', async (path, kind) => {
    for (const wrong of wrongFor[kind]) {
      const config = withValue(subject.config, pathOf(path), wrong) as Subject['config'];
      const { code, msg, details = '' } = await refusal(callOf({ ...subject, config }, 'ADD'));
      expect({ wrong, code, text: `${msg}; ${details}` }).toEqual({
        wrong,
        code: 7,
        text: expect.stringContaining(`\`${path}`),
      });
      expect(`${msg}; ${details}`).toContain(`plugin \`${plugin}\``);
    }
  });
});
