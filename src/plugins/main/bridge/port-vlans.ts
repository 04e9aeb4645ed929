/** The vlans that a bridge with vlan filtering lets through a container's port. */
import type { Connection } from '../../../kernel/netlink/connection.ts';
import type { Request } from '../../../kernel/netlink/message.ts';
import {
  addBridgeVlansRequest,
  deleteBridgeVlansRequest,
  getBridgeVlans,
} from '../../../kernel/rtnetlink/bridge-vlan.ts';
import type { LinkIdentity } from '../../../kernel/rtnetlink/link.ts';
import { type BridgeConfig, trunkVlans } from './config.ts';

/** What of the configuration says which vlans a port has. */
export type PortVlans = Pick<BridgeConfig, 'vlan' | 'preserveDefaultVlan'> & {
  readonly vlanTrunk?: BridgeConfig['vlanTrunk'] | undefined;
};

/** Whether the configuration says anything of vlans; a port is left as the bridge makes it if not. */
export function hasVlans({ vlan, vlanTrunk }: PortVlans): boolean {
  return vlan !== 0 || (vlanTrunk !== undefined && vlanTrunk.length > 0);
}

/** The port's own vlan, whose frames have no tag: vlan 1 for a trunk that has none. */
function nativeVlan({ vlan }: PortVlans): number {
  return vlan === 0 ? 1 : vlan;
}

/** Gives the port its vlans: its own untagged, a trunk's tagged; the bridge's default one goes, unless it is to stay. */
export function setPortVlans(node: Connection, port: LinkIdentity, vlans: PortVlans): void {
  const native = nativeVlan(vlans);
  const tagged = rangesOf(trunkVlans(vlans.vlanTrunk ?? []).filter((id) => id !== native));
  const requests: Request[] = vlans.preserveDefaultVlan
    ? []
    : [deleteBridgeVlansRequest({ port }, { first: 1, last: 4094 })];
  requests.push(addBridgeVlansRequest({ port }, { first: native, pvid: true, untagged: true }));
  for (const range of tagged) requests.push(addBridgeVlansRequest({ port }, range));
  node.requestAll(requests);
}

/** Ascending numbers as ranges: a trunk of all 4094 vlans is one message. */
function rangesOf(ids: readonly number[]): { first: number; last: number }[] {
  const ranges: { first: number; last: number }[] = [];
  for (const id of ids) {
    const open = ranges.at(-1);
    if (open?.last === id - 1) open.last = id;
    else ranges.push({ first: id, last: id });
  }
  return ranges;
}

/** What CHECK finds wrong with a port's vlans. */
export function checkPortVlans(node: Connection, port: LinkIdentity, vlans: PortVlans): string[] {
  if (!hasVlans(vlans)) return [];
  const present = getBridgeVlans(node, { port });
  const native = nativeVlan(vlans);
  const wanted = new Set([native, ...trunkVlans(vlans.vlanTrunk ?? [])]);
  const missing = [...wanted].filter((id) => !present.some((one) => one.id === id));
  const own = present.some(({ id, pvid, untagged }) => id === native && pvid && untagged);
  return [
    ...(missing.length === 0
      ? []
      : [`bridge port ${port.name} does not let vlan ${missing.join(', ')} through`]),
    ...(own ? [] : [`bridge port ${port.name} has not vlan ${native} as its own, untagged one`]),
  ];
}
