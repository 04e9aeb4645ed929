/**
 * Linux for CNI plugins, as `fairlead/kernel`: links, addresses and routes, nftables, connection tracking, taps, network
 * namespaces and sysctls, without another program and without a dependency. Needs Bun, and root for most of it.
 *
 * What talks netlink is grouped by family, because both rtnetlink and nftables have rules:
 *
 *     import { nftables, openNetns, rtnetlink } from 'fairlead/kernel';
 */
export * as conntrack from './conntrack/index.ts';
export * as iptables from './iptables/index.ts';
export { CodecError } from './netlink/bytes.ts';
export {
  type Connection,
  NETLINK_GENERIC,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  openConnection,
} from './netlink/connection.ts';
export { isNetlinkError, NetlinkError } from './netlink/error.ts';
export type { Frame, Request } from './netlink/message.ts';
export { netnsCookie } from './netns/cookie.ts';
export {
  createNetns,
  isOwnNetns,
  type NetworkNamespace,
  NotANamespaceError,
  openNetns,
  openOwnNetns,
  removeNetns,
  sameNetns,
} from './netns/netns.ts';
export * as nftables from './nftables/index.ts';
export * as rtnetlink from './rtnetlink/index.ts';
export * as sockets from './socket/index.ts';
export * as files from './sys/file.ts';
export { SystemError, tryLockExclusive } from './sys/libc.ts';
export * from './sysctl/index.ts';
export * as tap from './tap/index.ts';
