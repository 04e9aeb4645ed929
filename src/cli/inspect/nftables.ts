/** What nftables has for an attachment: found by its owner through each section's index (docs/decisions/0005). */
import { array } from '../../cni/index.ts';
import type { Connection } from '../../kernel/netlink/connection.ts';
import { getGeneration, NoNftablesError } from '../../kernel/nftables/generation.ts';
import { parsePrefix } from '../../lib/ip.ts';
import { parseMac } from '../../lib/mac.ts';
import { identityOf } from '../../plugin/attachment-identity.ts';
import * as macSpoof from '../../plugins/main/bridge/mac-spoof.ts';
import { firewallSchema } from '../../plugins/meta/firewall/config.ts';
import { guardedHere } from '../../plugins/meta/firewall/guarded.ts';
import * as firewallPort from '../../plugins/meta/firewall/port-section.ts';
import * as firewall from '../../plugins/meta/firewall/section.ts';
import { addressesOf } from '../../plugins/meta/firewall/targets.ts';
import { mappingSchema, type PortMapping, portmapSchema } from '../../plugins/meta/portmap/config.ts';
import { publish, targetsOf, wantedFor } from '../../plugins/meta/portmap/mapping.ts';
import { section as portmapSection } from '../../plugins/meta/portmap/section.ts';
import {
  dataText,
  elementText,
  findElement,
  type WantedElement,
} from '../../plugins/shared/nftables/element.ts';
import * as masquerade from '../../plugins/shared/nftables/masquerade.ts';
import { describeOwner, ownerComment } from '../../plugins/shared/nftables/owner.ts';
import { readEntries } from '../../plugins/shared/nftables/owner-index.ts';
import type { Section } from '../../plugins/shared/nftables/section.ts';
import { openNftablesIfThere } from '../../plugins/shared/nftables/socket.ts';
import { also, compared, type Fact } from './fact.ts';
import { type Attached, isOwnPlugin, type PluginPlaces } from './plugins.ts';

const sections: readonly Section[] = [
  masquerade.section,
  portmapSection,
  firewall.section,
  macSpoof.section,
  firewallPort.section,
];

/** The elements that the configuration asks for, and whatever else the attachment owns. */
export function nftablesFacts(attached: Attached, places: PluginPlaces): Fact[] {
  using connection = openNftablesIfThere();
  if (connection === undefined || !hasNftables(connection)) return [];
  const owner = ownerComment(attached.cached);
  const wanted = wantedElements(attached, places);
  const texts = new Set(wanted.map(placeText));
  const owned = sections.flatMap((section) => ownedElements(connection, section, owner));
  return [
    ...wanted.map((element) => elementFact(connection, element, owner)),
    ...owned
      .filter((text) => !texts.has(placeText(text)))
      .map((one) => also('nftables', 'element', elementText(one))),
  ];
}

function hasNftables(connection: Connection): boolean {
  try {
    getGeneration(connection);
    return true;
  } catch (error) {
    if (error instanceof NoNftablesError) return false;
    throw error;
  }
}

function placeText({ set, key }: Pick<WantedElement, 'set' | 'key'>): string {
  return elementText({ set: { ...set, data: undefined }, key, data: undefined } as WantedElement);
}

/** What a plugin of this executable would have written; of others nobody knows how they do it. */
function wantedElements({ cached, network, result }: Attached, places: PluginPlaces): WantedElement[] {
  const own = (network?.plugins ?? []).filter(({ type }) => isOwnPlugin(type, places));
  return own.flatMap(({ type, json }) => {
    if (type === 'bridge') return bridgeElements(json);
    if (type === 'firewall') return firewallElements(json);
    return type === 'portmap' ? portElements(json) : [];
  });

  function bridgeElements({ ipMasq, macspoofchk }: Readonly<Record<string, unknown>>): WantedElement[] {
    const { interfaces = [], ips = [] } = result;
    const index = interfaces.findIndex(({ name, sandbox }) => name === cached.ifname && sandbox);
    const prefixes = ips
      .filter((ip) => ip.interface === undefined || ip.interface === index)
      .flatMap(({ address }) => parsePrefix(address) ?? []);
    const mac = parseMac(interfaces[index]?.mac ?? '');
    const guards = mac && macSpoof.wantedFor(identityOf(cached).hostName, mac);
    return [
      ...(ipMasq === true ? masquerade.wantedFor(prefixes).holdings : []),
      ...(macspoofchk === true && guards ? guards.holdings : []),
    ].flatMap(({ elements }) => elements);
  }

  function firewallElements(json: Readonly<Record<string, unknown>>): WantedElement[] {
    const config = firewallSchema.read(json, [], []);
    const isOfNode = ({ sandbox }: { readonly sandbox?: string }) => !sandbox;
    if (config === undefined || !(result.interfaces ?? []).some(isOfNode)) return [];
    const guarded = guardedHere(config, result);
    const { holdings } = firewall.wantedFor(addressesOf(result), guarded);
    return [...holdings, ...firewallPort.wantedFor(guarded).holdings].flatMap(({ elements }) => elements);
  }

  function portElements(json: Readonly<Record<string, unknown>>): WantedElement[] {
    const config = portmapSchema.read(json, [], []);
    const mappings = array(mappingSchema).read(cached.capabilityArgs.portMappings ?? [], [], []);
    if (config === undefined || mappings === undefined) return [];
    const ports = mappings.map(({ hostIP, ...rest }) => ({
      ...rest,
      ...(hostIP && { hostIP }),
    })) as PortMapping[];
    const publications = publish(ports, targetsOf(result, cached.ifname));
    return wantedFor(publications, config).holdings.flatMap(({ elements }) => elements);
  }
}

function ownedElements(connection: Connection, { index }: Section, owner: string) {
  return readEntries(connection, index, owner).flatMap(({ entry }) =>
    index
      .places(entry)
      .flatMap((place) => findElement(connection, place) ?? [])
      .filter((found) => found.owner === owner),
  );
}

function elementFact(connection: Connection, element: WantedElement, owner: string): Fact {
  const { set, data, purpose } = element;
  const found = findElement(connection, element);
  const configured = dataText(set, data) || 'there';
  const value = found && (dataText(found.set, found.data) || 'there');
  const isOwn = found?.owner === owner;
  const text = isOwn || value === undefined ? value : `${value}, of ${describeOwner(found?.owner)}`;
  const what = `${purpose} (${set.name})`;
  return compared({ group: 'nftables', what, configured }, text, isOwn && value === configured);
}
