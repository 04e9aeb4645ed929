/**
 * What is exchanged with the reference: every plugin that Debian's containernetworking-plugins has, in these
 * configurations. The tests run them, and docs/interchange.md is written from them. To add a plugin is an entry here.
 */
import type { PluginConfig, Side } from './runtime.ts';

/** One step of an exchange: a column of the table in the documentation. */
export const steps = {
  result: 'Same result',
  check: 'Fairlead: CHECK',
  del: 'Fairlead: DEL',
  gc: 'Fairlead: GC',
  referenceCheck: 'Reference: CHECK',
  referenceDel: 'Reference: DEL',
} as const;

/** A step's name. */
export type Step = keyof typeof steps;

/** A step that is not clean, and why. The tests see that it is so: who mends one has to remove it here. */
export interface Exception {
  readonly steps: readonly Step[];
  /** The reason, for people. */
  readonly why: string;
  /** The plugin's error. Without: it succeeds. */
  readonly error?: RegExp;
  /** What is left on the node, or differs, a line of the facts each. Without: nothing. */
  readonly left?: RegExp;
  /** It is left after GC by Fairlead as well. */
  readonly stays?: true;
  /** The reference's CHECK has this error after its own ADD as well. */
  readonly itself?: true;
}

/** A configuration that is exchanged. */
export interface Exchange {
  /** The plugin that it is about. */
  readonly plugin: string;
  /** What is configured, for people. */
  readonly what: string;
  readonly plugins: readonly PluginConfig[];
  /** Whose plugins are on the first side, where not all are one side's; the other side has the others. */
  readonly mixed?: readonly Side[];
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** More versions of the specification in which both give the same result. */
  readonly versions?: readonly string[];
  /** CNI_IFNAME, where it is not eth0. */
  readonly ifname?: string;
  /** The reference runs iptables: exchanged with both of its kinds. */
  readonly iptables?: true;
  /** Only one container can be attached at a time. */
  readonly single?: true;
  /** Where the machine's own kernel lacks the kind of link. */
  readonly kernel?: 'second';
  readonly exceptions?: readonly Exception[];
}

const range4 = [{ subnet: '10.201.0.0/24' }];
const range6 = [{ subnet: 'fd00:201::/64' }];
const hostLocal = { type: 'host-local', ranges: [range4, range6] };
const everywhere = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];

function bridge(keys: object = {}): PluginConfig {
  return { type: 'bridge', bridge: 'exchanged', isGateway: true, ipam: hostLocal, ...keys };
}

/** The segment's other host has the first addresses: test/support/segment.ts. */
const segmentIpam = {
  type: 'host-local',
  ranges: [
    [{ subnet: '10.50.0.0/24', rangeStart: '10.50.0.20', gateway: '10.50.0.1' }],
    [{ subnet: 'fd00:50::/64', rangeStart: 'fd00:50::20', gateway: 'fd00:50::1' }],
  ],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '192.0.2.0/24' }],
};

const published = {
  portMappings: [
    { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    { hostPort: 8053, containerPort: 53, protocol: 'udp' },
  ],
};
const portmap: PluginConfig = { type: 'portmap', capabilities: { portMappings: true } };
const tuning: PluginConfig = {
  type: 'tuning',
  mtu: 1400,
  sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1', 'net.core.somaxconn': '500' },
};

const masqueraded = { isDefaultGateway: true, ipMasq: true };

/** Elements of Fairlead's table, and the iptables chains of a container that the reference misses. */
const elements = /^\+ nft element inet fairlead (masquerade|portmap|firewall)/;
const missesChain = /DEL: error 999: running \[.*-D POSTROUTING .* -j CNI-/;

const keepsElements =
  'The reference does not know Fairlead’s nftables elements. They go with Fairlead’s next GC, or when a new container gets the address or port.';
const failsOnce =
  'The reference ends its first DEL with an error, because it finds no iptables chain of its own; links and addresses are gone by then, and the DEL that the runtime repeats succeeds.';

const exceptions = {
  masquerade: {
    steps: ['referenceDel'],
    why: `${failsOnce} ${keepsElements}`,
    error: missesChain,
    left: elements,
  },
  ports: { steps: ['referenceDel'], why: keepsElements, left: elements },
  portChains: {
    steps: ['referenceCheck'],
    why: 'The reference’s `portmap` looks for its own iptables chains.',
    error: /portmap CHECK: error 999: could not check ipv[46] dnat/,
  },
  routes: {
    steps: ['referenceCheck'],
    why: 'The reference’s CHECK does not find a route that the configuration gives no gateway, not even after its own ADD.',
    error: /CHECK: error 999: Expected Route .* not found in routing table/,
    itself: true,
  },
  dns: {
    steps: ['result'],
    why: 'Debian’s 1.1.1 drops the `dns` of IPAM; 1.9.1 keeps it, and so does Fairlead.',
    left: /^[-+] result .*"dns":/,
  },
  sbrTable: {
    steps: ['result'],
    why: 'The reference puts IPv6 routes into the table of an IPv4 address, too; [documented](plugins/sbr.md#different-from-the-reference).',
    left: /^- \{"dst":"fd00:201::\/64","dev":"eth0","table":"100"/,
  },
  movedRoutes: {
    steps: ['referenceCheck'],
    why: 'The reference’s `bridge` does not find the routes that a later plugin has moved, not even after its own ADD.',
    error: /bridge CHECK: error 999: Failed to find Gateway/,
    itself: true,
  },
  ifname: {
    steps: ['referenceCheck'],
    why: 'CHECK of Debian’s 1.1.1 does not replace `IFNAME`, not even after its own ADD.',
    error: /tuning CHECK: error 999: open \/proc\/sys\/net\/ipv4\/conf\/IFNAME/,
    itself: true,
  },
  checksOfAChain: {
    steps: ['check', 'referenceCheck'],
    why: 'The reference’s `portmap` looks for its own iptables chains; its `tuning` does not replace `IFNAME`.',
    error: /CHECK: error 999: (could not check ipv[46] dnat|open \/proc\/sys\/net\/ipv4\/conf\/IFNAME)/,
    itself: true,
  },
  alias: {
    steps: ['referenceDel'],
    why: 'Debian’s 1.1.1 leaves the alias in which the device’s name was kept; 1.9.1 does not, nor does Fairlead.',
    left: /^[-+] link eth0 /,
    stays: true,
  },
  lostCable: {
    steps: ['gc'],
    why: 'The tests’ device is one end of a cable, which the kernel takes away with the namespace. A network card comes back: [host-device](plugins/host-device.md#operations).',
    left: /^- (link|address|route|sysctl) .*eth0/,
  },
  firewallRulesMissed: {
    steps: ['referenceCheck'],
    why: 'The reference’s `firewall` looks for its own iptables rules.',
    error: /firewall CHECK: error 999: expected rule/,
  },
  firewallElements: { steps: ['referenceDel'], why: keepsElements, left: elements },
  firewallRules: {
    steps: ['gc'],
    why: 'The reference’s rules of `firewall` tell an address and no container, so GC cannot tell whose they are. DEL removes them.',
    left: /CNI-FORWARD/,
  },
  lostFile: {
    steps: ['gc'],
    why: 'The reference’s file names no network, so GC cannot tell whose it is; [documented](plugins/tuning.md#operations). DEL removes it.',
    left: /^\+ file \/run\/cni\/tuning\//,
  },
  lostIfb: {
    steps: ['gc'],
    why: 'The reference’s ifb tells neither network nor container; [documented](plugins/bandwidth.md#operations). DEL removes it.',
    left: /^\+ (link|address|route|sysctl) .*bwp/,
  },
} as const satisfies Readonly<Record<string, Exception>>;

const {
  masquerade,
  ports,
  portChains,
  routes,
  dns,
  sbrTable,
  movedRoutes,
  ifname,
  checksOfAChain,
  alias,
  lostCable,
  firewallRulesMissed,
  firewallElements,
  firewallRules,
  lostFile,
  lostIfb,
} = exceptions;

export const exchanges: readonly Exchange[] = [
  { plugin: 'bridge', what: 'layer 2 with addresses of host-local', plugins: [bridge({ isGateway: false })] },
  {
    plugin: 'bridge',
    what: '`isGateway`, IPv4 and IPv6, `dns`',
    plugins: [bridge({ dns: { nameservers: ['192.0.2.53'], domain: 'example.org' } })],
  },
  {
    plugin: 'bridge',
    what: '`isDefaultGateway`, `hairpinMode`, `mtu`',
    plugins: [bridge({ isDefaultGateway: true, hairpinMode: true, mtu: 1400 })],
    versions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0'],
  },
  { plugin: 'bridge', what: '`promiscMode`', plugins: [bridge({ promiscMode: true })] },
  {
    plugin: 'bridge',
    what: 'a hardware address of the runtime’s',
    plugins: [bridge({ capabilities: { mac: true } })],
    capabilities: { mac: '02:00:00:00:00:11' },
    single: true,
  },
  {
    plugin: 'bridge',
    what: '`ipMasq`',
    plugins: [bridge(masqueraded)],
    iptables: true,
    exceptions: [masquerade],
  },
  { plugin: 'bridge', what: '`vlan`', plugins: [bridge({ isGateway: false, vlan: 7 })], kernel: 'second' },
  {
    plugin: 'ptp',
    what: 'IPv4 and IPv6, `mtu`',
    plugins: [{ type: 'ptp', mtu: 1400, ipam: { ...hostLocal, routes: everywhere } }],
  },
  {
    plugin: 'ptp',
    what: '`ipMasq`',
    plugins: [{ type: 'ptp', ipMasq: true, ipam: { ...hostLocal, routes: everywhere } }],
    iptables: true,
    exceptions: [masquerade],
  },
  {
    plugin: 'macvlan',
    what: 'mode `bridge`, `mtu`',
    plugins: [{ type: 'macvlan', master: 'eth0', mtu: 1400, ipam: segmentIpam }],
    exceptions: [routes],
  },
  {
    plugin: 'macvlan',
    what: 'mode `private`, a hardware address of the runtime’s',
    plugins: [
      {
        type: 'macvlan',
        master: 'eth0',
        mode: 'private',
        capabilities: { mac: true },
        ipam: segmentIpam,
      },
    ],
    capabilities: { mac: '02:00:00:00:00:12' },
    single: true,
    exceptions: [routes],
  },
  {
    plugin: 'ipvlan',
    what: 'mode `l2`, `mtu`',
    plugins: [{ type: 'ipvlan', master: 'eth0', mtu: 1400, ipam: segmentIpam }],
    kernel: 'second',
    exceptions: [routes],
  },
  {
    plugin: 'vlan',
    what: '`vlanId`, `mtu`',
    plugins: [{ type: 'vlan', master: 'eth0', vlanId: 7, mtu: 1400, ipam: segmentIpam }],
    single: true,
    kernel: 'second',
    exceptions: [routes],
  },
  ...[
    { what: '`device`', keys: { device: 'eth0' }, versions: ['0.2.0', '0.4.0'] },
    { what: '`hwaddr`', keys: { hwaddr: '02-00-00-00-00-14' } },
    { what: '`kernelpath`', keys: { kernelpath: '/sys/devices/virtual' } },
  ].map(({ what, keys, ...versions }) => ({
    plugin: 'host-device',
    what: `the device by ${what}`,
    plugins: [{ type: 'host-device', ...keys, ipam: segmentIpam }],
    ...versions,
    single: true as const,
    exceptions: [routes, alias, lostCable],
  })),
  { plugin: 'loopback', what: 'alone', plugins: [{ type: 'loopback' }], ifname: 'lo' },
  {
    plugin: 'host-local',
    what: 'two sets of ranges, routes, another `dataDir`',
    plugins: [
      bridge({
        ipam: {
          type: 'host-local',
          ranges: [[{ ...range4[0], rangeStart: '10.201.0.10' }, { subnet: '10.202.0.0/24' }], range6],
          routes: [{ dst: '192.0.2.0/24' }, { dst: '2001:db8::/32', gw: 'fd00:201::1' }],
          dataDir: '/var/lib/cni/exchanged',
        },
      }),
    ],
    exceptions: [routes],
  },
  {
    plugin: 'static',
    what: 'IPv4 and IPv6, routes, dns',
    plugins: [
      bridge({
        ipam: {
          type: 'static',
          addresses: [
            { address: '10.201.0.9/24', gateway: '10.201.0.1' },
            { address: 'fd00:201::9/64', gateway: 'fd00:201::1' },
          ],
          routes: [{ dst: '192.0.2.0/24' }],
          dns: { nameservers: ['192.0.2.53'], domain: 'example.org' },
        },
      }),
    ],
    single: true,
    exceptions: [dns, routes],
  },
  {
    plugin: 'portmap',
    what: 'TCP and UDP, IPv4 and IPv6',
    plugins: [bridge(masqueraded), portmap],
    capabilities: published,
    iptables: true,
    exceptions: [portChains, masquerade],
  },
  {
    plugin: 'portmap',
    what: '`hostIP`',
    plugins: [bridge(masqueraded), portmap],
    capabilities: {
      portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '192.0.2.1' }],
    },
    iptables: true,
    exceptions: [portChains, masquerade],
  },
  {
    plugin: 'portmap',
    what: '`snat` off',
    plugins: [bridge(), { ...portmap, snat: false }],
    capabilities: published,
    iptables: true,
    exceptions: [portChains, ports],
  },
  {
    plugin: 'firewall',
    what: 'IPv4 and IPv6',
    plugins: [bridge({ isDefaultGateway: true }), { type: 'firewall' }],
    iptables: true,
    exceptions: [firewallRulesMissed, firewallElements, firewallRules],
  },
  {
    plugin: 'firewall',
    what: '`ingressPolicy` `same-bridge`',
    plugins: [bridge({ isDefaultGateway: true }), { type: 'firewall', ingressPolicy: 'same-bridge' }],
    iptables: true,
    exceptions: [firewallRulesMissed, firewallElements, firewallRules],
  },
  {
    plugin: 'bandwidth',
    what: 'both directions',
    plugins: [
      bridge(),
      { type: 'bandwidth', ingressRate: 8e6, ingressBurst: 8e4, egressRate: 16e6, egressBurst: 16e4 },
    ],
    exceptions: [lostIfb],
  },
  {
    plugin: 'bandwidth',
    what: 'of the runtime, as containerd gives it',
    plugins: [bridge(), { type: 'bandwidth', capabilities: { bandwidth: true } }],
    capabilities: {
      bandwidth: {
        ingressRate: 1e7,
        ingressBurst: 4_294_967_295,
        egressRate: 1e6,
        egressBurst: 4_294_967_295,
      },
    },
    exceptions: [lostIfb],
  },
  ...[
    { ingressRate: 5_000_001, ingressBurst: 123_457, egressRate: 999_999_999, egressBurst: 77_777_777 },
    { egressRate: 1e5, egressBurst: 1e5 },
  ].map((limits) => ({
    plugin: 'bandwidth',
    what: Object.keys(limits).length > 2 ? 'rates that are no round numbers' : '`egressRate` alone',
    plugins: [bridge(), { type: 'bandwidth', ...limits }],
    exceptions: [lostIfb],
  })),
  {
    plugin: 'sbr',
    what: 'IPv4 and IPv6',
    plugins: [bridge({ isDefaultGateway: true }), { type: 'sbr' }],
    exceptions: [sbrTable, movedRoutes],
  },
  { plugin: 'tuning', what: '`sysctl`, `mtu`', plugins: [bridge(), tuning], exceptions: [ifname, lostFile] },
  {
    plugin: 'tuning',
    what: '`mac`, `promisc`, `allmulti`',
    plugins: [bridge(), { type: 'tuning', mac: '02:00:00:00:00:13', promisc: true, allmulti: true }],
    single: true,
    exceptions: [lostFile],
  },
  {
    plugin: 'vrf',
    what: '`vrfname`, `table`',
    plugins: [bridge(), { type: 'vrf', vrfname: 'blue', table: 77 }],
    kernel: 'second',
    exceptions: [movedRoutes],
  },
  {
    plugin: 'bridge',
    what: 'reference `bridge`, our `portmap`, reference `tuning`, and the reverse',
    plugins: [bridge(masqueraded), portmap, tuning],
    mixed: ['reference', 'Fairlead', 'reference'],
    capabilities: published,
    iptables: true,
    exceptions: [checksOfAChain, { ...ports, steps: ['del'] }, masquerade, lostFile],
  },
  {
    plugin: 'bridge',
    what: 'our `bridge`, reference `bandwidth`, our `sbr`, and the reverse',
    plugins: [
      bridge({ isDefaultGateway: true }),
      { type: 'bandwidth', ingressRate: 8e6, ingressBurst: 8e4 },
      { type: 'sbr' },
    ],
    mixed: ['Fairlead', 'reference', 'Fairlead'],
    exceptions: [sbrTable, { ...movedRoutes, steps: ['check'] }],
  },
];
