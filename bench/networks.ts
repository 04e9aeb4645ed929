/** The networks that are measured: one of each contender's own, with a bridge and a store of its own. */

import type { Contender } from './measure.ts';

/** A plugin's configuration. */
export type Config = Readonly<Record<string, unknown>>;

/** A bridge with a gateway address and host-local, as most nodes have it. */
export function bridgeConfig({ name }: Contender, scratch: string, options: { ipMasq: boolean }): Config {
  const subnet = { fairlead: '10.88.0.0/16', served: '10.87.0.0/16', reference: '10.89.0.0/16' }[name];
  return {
    cniVersion: '1.0.0',
    name: `bench-${name}-${options.ipMasq}`,
    type: 'bridge',
    bridge: `${name.slice(0, 4)}${options.ipMasq ? 1 : 0}`,
    isGateway: true,
    ipMasq: options.ipMasq,
    ipam: {
      type: 'host-local',
      dataDir: `${scratch}/${name}`,
      ranges: [[{ subnet }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  };
}

/** The bridge alone, without masquerading. */
export function plainBridge(contender: Contender, scratch: string): Config[] {
  return [bridgeConfig(contender, scratch, { ipMasq: false })];
}

/** The chain that most Pods have: a masquerading bridge and a published port, another one in each round. */
export function publishingChain(contender: Contender, scratch: string, round: number): Config[] {
  const bridge = bridgeConfig(contender, scratch, { ipMasq: true });
  const portMappings = [{ hostPort: 20_000 + round, containerPort: 80, protocol: 'tcp' }];
  const portmap = {
    cniVersion: bridge['cniVersion'],
    name: bridge['name'],
    type: 'portmap',
    capabilities: { portMappings: true },
    runtimeConfig: { portMappings },
  };
  return [bridge, portmap];
}

/** A plugin of a network, with the keys of the network that it is in. */
function inNetworkOf(first: Config, plugin: Config): Config {
  return { cniVersion: first['cniVersion'], name: first['name'], ...plugin };
}

const limits = { ingressRate: 1e8, ingressBurst: 1e7, egressRate: 1e8, egressBurst: 1e7 };
const settings = { mtu: 1450, sysctl: { 'net.core.somaxconn': '500' } };

/** Everything that a Pod of an ordinary node may have. */
export function longChain(contender: Contender, scratch: string, round: number): Config[] {
  const [bridge, portmap] = publishingChain(contender, scratch, round);
  if (bridge === undefined || portmap === undefined) throw new Error('the publishing chain has two plugins');
  const others = [{ type: 'firewall' }, { type: 'bandwidth', ...limits }, { type: 'tuning', ...settings }];
  return [bridge, portmap, ...others.map((plugin) => inNetworkOf(bridge, plugin))];
}

/** The names of the long chain's plugins, in its order. */
export function longChainNames(contender: Contender): string {
  return longChain(contender, '', 0)
    .map((config) => `\`${String(config['type'])}\`${config['ipMasq'] === true ? ' (ipMasq)' : ''}`)
    .join(' + ');
}

/** One plugin alone: those before it in its chain are not timed. */
export interface Single {
  readonly plugin: string;
  readonly before: readonly Config[];
  readonly config: Config;
  /** The kind of link that the kernel must have. */
  readonly kind?: string;
}

/** The link of the node that macvlan, ipvlan and vlan sit on; its other end, with a `p`, is host-device's device. */
export const master = 'bench0';

/** Every plugin, each as simple as it can be. */
export function singles(contender: Contender, scratch: string): Single[] {
  const [bridge] = plainBridge(contender, scratch);
  if (bridge === undefined) return [];
  const { ipam } = bridge;
  const alone = (config: Config, kind?: string): Single => ({
    plugin: String(config['type']),
    before: [],
    config: inNetworkOf(bridge, config),
    ...(kind !== undefined && { kind }),
  });
  const after = (config: Config, kind?: string): Single => ({ ...alone(config, kind), before: [bridge] });
  const published = { portMappings: [{ hostPort: 19_999, containerPort: 80, protocol: 'tcp' }] };
  return [
    alone(bridge),
    alone({ type: 'ptp', ipam }),
    alone({ type: 'macvlan', master, ipam }),
    alone({ type: 'ipvlan', master, ipam }, 'ipvlan'),
    alone({ type: 'vlan', master, vlanId: 7, ipam }, 'vlan'),
    alone({ type: 'dummy', ipam }, 'dummy'),
    alone({ type: 'host-device', device: `${master}p` }),
    alone({ type: 'loopback' }),
    alone({ type: 'host-local', ipam }),
    alone({ type: 'static', ipam: { type: 'static', addresses: [{ address: '10.90.0.2/24' }] } }),
    after({ type: 'portmap', capabilities: { portMappings: true }, runtimeConfig: published }),
    after({ type: 'firewall' }),
    after({ type: 'bandwidth', ...limits }),
    after({ type: 'sbr' }),
    after({ type: 'tuning', ...settings }),
    after({ type: 'vrf', vrfname: 'blue' }, 'vrf'),
  ];
}
