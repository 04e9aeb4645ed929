/** The maps that published ports are in, and the statements that look a packet up in them. */
import { addressTypeOf, inetProto, inetService } from '../../../kernel/nftables/datatype.ts';
import { type Expression, firstRegister, registerAt } from '../../../kernel/nftables/expr/expression.ts';
import { lookupMap, lookupVerdict } from '../../../kernel/nftables/expr/lookup.ts';
import { metaLoad } from '../../../kernel/nftables/expr/meta.ts';
import { nat } from '../../../kernel/nftables/expr/nat.ts';
import { payload } from '../../../kernel/nftables/expr/payload.ts';
import { defineMap } from '../../../kernel/nftables/set.ts';
import type { IpFamily } from '../../../lib/ip.ts';
import { loadAddress, loadKey, ofFamily } from '../../shared/nftables/match.ts';
import { inetTable } from '../../shared/nftables/tables.ts';

const table = inetTable;

/** Where a family's ports lead, and what happens to their packets before; published on every address, or on one of the node's. */
function mapsOf(family: IpFamily) {
  const address = addressTypeOf(family);
  const port = [inetProto, inetService] as const;
  const data = [address, inetService] as const;
  return {
    target: defineMap({ table, name: `portmap-target${family}`, key: port, data }),
    policy: defineMap({ table, name: `portmap-policy${family}`, key: port, data: 'verdict' }),
    hostIpTarget: defineMap({ table, name: `portmap-hostip-target${family}`, key: [address, ...port], data }),
    hostIpPolicy: defineMap({
      table,
      name: `portmap-hostip-policy${family}`,
      key: [address, ...port],
      data: 'verdict',
    }),
  } as const;
}

/** The maps of each family. */
export const maps = { 4: mapsOf(4), 6: mapsOf(6) } as const;

/** How a packet is looked up: by the address and port it goes to, or by the port alone. */
export type Lookup = 'hostIp' | 'any';

const addressSize = { 4: 4, 6: 16 } as const;
/** The destination port in the headers of TCP, UDP and SCTP. */
const destinationPort = { offset: 2, length: 2 };

/** Loads a packet's key from the first register on. */
function packetKey(family: IpFamily, by: Lookup): Expression[] {
  const address = { size: addressSize[family], load: (to: number) => loadAddress(family, 'daddr', to) };
  const port = [
    { size: 1, load: (to: number) => metaLoad('l4proto', to) },
    {
      size: 2,
      load: (to: number) => payload('transport', destinationPort.offset, destinationPort.length, to),
    },
  ];
  return loadKey(by === 'hostIp' ? [address, ...port] : port);
}

/** `[ip daddr .] meta l4proto . th dport vmap @policy` */
export function applyPolicy(family: IpFamily, by: Lookup): Expression[] {
  const map = by === 'hostIp' ? maps[family].hostIpPolicy : maps[family].policy;
  return [...ofFamily(family), ...packetKey(family, by), lookupVerdict(map.name, firstRegister)];
}

/** `dnat to [ip daddr .] meta l4proto . th dport map @target` */
export function translate(family: IpFamily, by: Lookup): Expression[] {
  const map = by === 'hostIp' ? maps[family].hostIpTarget : maps[family].target;
  return [
    ...ofFamily(family),
    ...packetKey(family, by),
    lookupMap(map.name, firstRegister, firstRegister),
    nat({ type: 'dnat', family, address: firstRegister, port: registerAt(addressSize[family]) }),
  ];
}
