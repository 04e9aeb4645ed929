/** The tables that Fairlead owns on a node. Nothing in them is anybody else's, and nothing outside is touched. */
import type { Table } from '../../../kernel/nftables/table.ts';

/** IPv4 and IPv6: masquerading, published ports. */
export const inetTable: Table = { family: 'inet', name: 'fairlead' };

/** What passes a bridge: hardware addresses that a port may use. */
export const bridgeTable: Table = { family: 'bridge', name: 'fairlead' };
