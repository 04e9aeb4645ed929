/** Connection tracking, over an open NETLINK_NETFILTER connection. */
export { type ConntrackFilter, deleteConntrackEntries } from './conntrack.ts';
export type { Destination } from './tuple.ts';
