/** What bridge's configuration says: the reference's keys, checked, and the questions that depend on several. */
import { array, boolean, enumeration, type Infer, integer, object, string } from '../../../cni/index.ts';
import { interfaceNameProblem } from '../../../cni/names.ts';

/** Made once, as each start of the plugin makes them anew. */
const off = boolean().default(false);
const vlanId = integer({ min: 1, max: 4094 }).optional();

const trunk = object({ id: vlanId, minID: vlanId, maxID: vlanId }).refine(({ minID, maxID, id }, report) => {
  if (minID === undefined && maxID === undefined && id === undefined) {
    report('must have `id`, or `minID` and `maxID`');
  }
  if ((minID === undefined) !== (maxID === undefined))
    report('must have both `minID` and `maxID`, or neither');
  if (minID !== undefined && maxID !== undefined && minID > maxID)
    report('must have `minID` not above `maxID`');
});

/**
 * The keys of bridge, with the reference's defaults. Its documentation says that `preserveDefaultVlan` is on by
 * default; since its version 1.8.0 it is off, for "complete vlan isolation".
 */
export const bridgeSchema = object({
  bridge: string().default('cni0'),
  isGateway: off,
  isDefaultGateway: off,
  forceAddress: off,
  ipMasq: off,
  ipMasqBackend: enumeration('iptables', 'nftables').optional(),
  mtu: integer({ min: 0, max: 65535 }).default(0),
  hairpinMode: off,
  promiscMode: off,
  vlan: integer({ min: 0, max: 4094 }).default(0),
  vlanTrunk: array(trunk).optional(),
  preserveDefaultVlan: off,
  macspoofchk: off,
  enabledad: off,
  disableContainerInterface: off,
  portIsolation: off,
  ipam: object({ type: string().optional() }).optional(),
}).refine((config, report) => {
  const problem = interfaceNameProblem(config.bridge);
  if (problem !== undefined) report(problem, 'bridge');
  if (config.hairpinMode && config.promiscMode)
    report('must not be set together with `promiscMode`', 'hairpinMode');
  if (config.disableContainerInterface && config.ipam?.type) {
    report(
      'must not be set together with `ipam`: an interface that stays down has no address',
      'disableContainerInterface',
    );
  }
  if (config.vlan !== 0 && wantsGateway(config) && vlanLinkName(config).length > 15) {
    report(`must be shorter: the gateway's interface "${vlanLinkName(config)}" has over 15 bytes`, 'bridge');
  }
});

/** The configuration, checked. */
export type BridgeConfig = Infer<typeof bridgeSchema>;

/** Whether the bridge gets the gateway address: being the default gateway implies it. */
export function wantsGateway(config: { isGateway: boolean; isDefaultGateway: boolean }): boolean {
  return config.isGateway || config.isDefaultGateway;
}

/** The interface that has the gateway address when the network is a vlan of its bridge. */
export function vlanLinkName(config: { bridge: string; vlan: number }): string {
  return `${config.bridge}.${config.vlan}`;
}

/** The vlans that a trunk port lets through, each once, ascending; empty without a trunk. */
export function trunkVlans(trunk: NonNullable<BridgeConfig['vlanTrunk']>): number[] {
  const vlans = new Set<number>();
  for (const { id, minID, maxID } of trunk) {
    if (id !== undefined) vlans.add(id);
    for (let vlan = minID ?? 1; vlan <= (maxID ?? 0); vlan++) vlans.add(vlan);
  }
  return [...vlans].sort((a, b) => a - b);
}
