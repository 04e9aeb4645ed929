/**
 * Configurations under which well-known plugins can be tried without being given one: the reference plugins'
 * (containernetworking/plugins) keys, addresses of private and documentation ranges (RFC 1918, RFC 5737).
 */
import type { JsonObject } from '../../cni/json.ts';
import type { Kind } from './rule.ts';

/** How a plugin is tried. */
export interface Setup {
  readonly kind: Kind;
  /** The plugin's configuration without what the runtime adds. */
  readonly config: JsonObject;
  /** CNI_IFNAME. */
  readonly ifname: string;
}

/** The link of the node that stands for its network card; `renewNode` makes it. */
export const nodeLink = 'uplink0';

/** host-local's store, in a directory that is the run's own (node.ts). The range has five addresses for containers. */
const hostLocal = {
  type: 'host-local',
  dataDir: '/var/lib/cni/conformance',
  ranges: [[{ subnet: '10.97.0.0/29' }]],
  routes: [{ dst: '198.51.100.0/24', gw: '10.97.0.1' }],
};

const ofInterface = (config: JsonObject): Setup => ({ kind: 'interface', ifname: 'eth0', config });
const ofIpam = (ipam: JsonObject): Setup => ({ kind: 'ipam', ifname: 'eth0', config: { ipam } });
const chained = (config: JsonObject): Setup => ({ kind: 'chained', ifname: 'eth0', config });

const setups: Readonly<Record<string, Setup>> = {
  bridge: ofInterface({ bridge: 'conformance0', isGateway: true, ipam: hostLocal }),
  ptp: ofInterface({ ipam: hostLocal }),
  macvlan: ofInterface({ master: nodeLink, mode: 'bridge', ipam: hostLocal }),
  ipvlan: ofInterface({ master: nodeLink, mode: 'l2', ipam: hostLocal }),
  vlan: ofInterface({ master: nodeLink, vlanId: 97, ipam: hostLocal }),
  dummy: ofInterface({ ipam: hostLocal }),
  tap: ofInterface({ ipam: hostLocal }),
  'host-device': ofInterface({ device: nodeLink, ipam: hostLocal }),
  loopback: { kind: 'interface', ifname: 'lo', config: {} },
  'host-local': ofIpam(hostLocal),
  static: ofIpam({
    type: 'static',
    addresses: [{ address: '10.97.0.5/24', gateway: '10.97.0.1' }],
    routes: [{ dst: '198.51.100.0/24', gw: '10.97.0.1' }],
  }),
  dhcp: ofIpam({ type: 'dhcp' }),
  portmap: chained({
    runtimeConfig: { portMappings: [{ hostPort: 18_080, containerPort: 80, protocol: 'tcp' }] },
  }),
  firewall: chained({}),
  tuning: chained({ sysctl: { 'net.ipv4.conf.eth0.arp_notify': '1' } }),
  bandwidth: chained({
    ingressRate: 8_000_000,
    ingressBurst: 8_000_000,
    egressRate: 8_000_000,
    egressBurst: 8_000_000,
  }),
  sbr: chained({}),
  vrf: chained({ vrfname: 'conformance' }),
};

/** How a plugin of this type is tried; undefined for types that are not known. */
export function defaultSetup(type: string): Setup | undefined {
  return Object.hasOwn(setups, type) ? setups[type] : undefined;
}

/** What a chained plugin gets as `prevResult` where it is given none: of a container with one interface. */
export const defaultPrevResult: JsonObject = {
  interfaces: [{ name: 'eth0', sandbox: 'container' }],
  ips: [{ address: '192.0.2.5/24', gateway: '192.0.2.1', interface: 0 }],
  routes: [{ dst: '198.51.100.0/24', gw: '192.0.2.1' }],
  dns: { nameservers: ['192.0.2.53'], search: ['example.org'] },
};
