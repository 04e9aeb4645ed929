/**
 * `fairlead/plugin`: everything that the author of a CNI plugin for Linux needs, in one place: the protocol (all of
 * `fairlead/cni`), the namespaces of a request, links, addresses, routes and settings, and what turns a result into a
 * working interface. docs/write-a-plugin.md shows how. Fairlead's own plugins are written with it. Needs Bun; what is
 * rarer (nftables, connection tracking, bridges, rules) is in `fairlead/kernel`.
 */
export * from '../cni/index.ts';
export type { Connection } from '../kernel/netlink/connection.ts';
export { isNetlinkError, NetlinkError } from '../kernel/netlink/error.ts';
export { addAddress, listAddresses } from '../kernel/rtnetlink/address.ts';
export { getLink, type Link, type LinkRef, listLinks } from '../kernel/rtnetlink/link.ts';
export {
  changeLink,
  createLink,
  deleteLink,
  moveLink,
  type NewLink,
  renameLink,
} from '../kernel/rtnetlink/link-change.ts';
export { listRoutes, type NewRoute } from '../kernel/rtnetlink/route.ts';
export { addRoute, deleteRoute, replaceRoute } from '../kernel/rtnetlink/route-change.ts';
export { linkSysctl, readSysctl, setSysctl, setSysctls } from '../kernel/sysctl/index.ts';
export { bytesFromText, textFromBytes } from '../lib/bytes.ts';
export * from '../lib/ip.ts';
export * from '../lib/mac.ts';
export {
  type AttachmentIdentity,
  identityOf,
  isHostLinkOf,
  isHostMacOf,
  ownerAlias,
} from './attachment-identity.ts';
export {
  addressAndRouteProblems,
  announceAddresses,
  configureInterface,
  type InterfaceOptions,
  interfaceProblems,
  newAddress,
} from './container-interface.ts';
export { sha256, sha512 } from './hash.ts';
export {
  deleteContainerLink,
  deleteHostLink,
  deleteLinkIfThere,
  deleteStrayHostLinks,
  presentLink,
  refuseExistingInterface,
} from './links.ts';
export { pluginMain } from './main.ts';
export {
  type Container,
  type NamespaceOf,
  type Node,
  openContainer,
  openContainerIfThere,
  openNode,
} from './namespaces.ts';
export { processFiles } from './process-files.ts';
export { requestedMac } from './requested-mac.ts';
export { addressOrEmpty, dnsConfig, routeList } from './schemas.ts';
export { differsCode, refuseProblems, runAll } from './steps.ts';
export { gatewayOf, prefixOf } from './values.ts';
