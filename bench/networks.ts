/** The networks that are measured: one of each contender's own, with a bridge and a store of its own. */
import type { Contender } from './measure.ts';

/** A plugin's configuration. */
export type Config = Readonly<Record<string, unknown>>;

/** A bridge with a gateway address and host-local, as most nodes have it. */
export function bridgeConfig({ name }: Contender, scratch: string, options: { ipMasq: boolean }): Config {
  const subnet = name === 'fairlead' ? '10.88.0.0/16' : '10.89.0.0/16';
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
