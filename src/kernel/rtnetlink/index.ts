/** Links, addresses, routes and what belongs to them, over an open NETLINK_ROUTE connection. */
export {
  type Address,
  type AddressFilter,
  addAddress,
  addAddressRequest,
  deleteAddress,
  deleteAddressRequest,
  listAddresses,
  type NewAddress,
  replaceAddress,
  replaceAddressRequest,
} from './address.ts';
export { changeBridgePort, changeBridgePortRequest } from './bridge-port.ts';
export type { BridgePort, BridgePortSettings } from './bridge-port-data.ts';
export {
  addBridgeVlans,
  addBridgeVlansRequest,
  type BridgeVlan,
  type BridgeVlanOwner,
  deleteBridgeVlans,
  deleteBridgeVlansRequest,
  getBridgeVlans,
  listBridgeVlans,
  type NewBridgeVlans,
  type VlanRange,
} from './bridge-vlan.ts';
export {
  addFdbEntry,
  addFdbEntryRequest,
  appendFdbEntryRequest,
  deleteFdbEntry,
  deleteFdbEntryRequest,
  type FdbEntry,
  listFdb,
  type NewFdbEntry,
  replaceFdbEntryRequest,
} from './fdb.ts';
export { listRedirections, redirectArrivingRequest } from './filter.ts';
export type { KindWithData, LinkData, LinkKind } from './kinds/kinds.ts';
export type { VethPeer } from './kinds/veth.ts';
export { getLink, type Link, type LinkFilter, type LinkIdentity, type LinkRef, listLinks } from './link.ts';
export {
  changeLink,
  changeLinkData,
  changeLinkDataRequest,
  changeLinkRequest,
  createLink,
  createLinkRequest,
  deleteLink,
  deleteLinkRequest,
  type LinkMove,
  moveLink,
  moveLinkRequest,
  type NewLink,
  renameLink,
  renameLinkRequest,
} from './link-change.ts';
export type { LinkFlags, LinkSettings } from './link-settings.ts';
export {
  addNeighbour,
  addNeighbourRequest,
  deleteNeighbour,
  deleteNeighbourRequest,
  listNeighbours,
  type Neighbour,
  type NeighbourFilter,
  type NewNeighbour,
  replaceNeighbour,
  replaceNeighbourRequest,
} from './neighbour.ts';
export {
  addIngressRequest,
  addTokenBucketRequest,
  deleteQdiscRequest,
  listQdiscs,
  type Qdisc,
  type TokenBucket,
} from './qdisc.ts';
export {
  getRoute,
  listRoutes,
  localTable,
  mainTable,
  type NewRoute,
  type NextHop,
  type Route,
  type RouteFilter,
  routeProtocols,
  routeScopes,
  singleRoutes,
} from './route.ts';
export {
  addRoute,
  addRouteRequest,
  deleteRoute,
  deleteRouteRequest,
  describeRoute,
  replaceRoute,
  replaceRouteRequest,
} from './route-change.ts';
export {
  addRule,
  addRuleRequest,
  deleteRule,
  deleteRuleRequest,
  listRules,
  type NewRule,
  type Rule,
} from './rule.ts';
export { AddressesNotSettledError, settleAddresses } from './settle.ts';
