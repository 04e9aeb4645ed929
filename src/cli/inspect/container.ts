/** What the kernel has in a container's namespace: links, addresses, routes, rules. */
import type { Result } from '../../cni/index.ts';
import { listAddresses } from '../../kernel/rtnetlink/address.ts';
import { type Link, listLinks } from '../../kernel/rtnetlink/link.ts';
import { listRoutes, mainTable, type Route } from '../../kernel/rtnetlink/route.ts';
import { describeRoute } from '../../kernel/rtnetlink/route-change.ts';
import { listRules, type Rule } from '../../kernel/rtnetlink/rule.ts';
import { linkSysctl, readSysctl } from '../../kernel/sysctl/index.ts';
import { formatPrefix, parsePrefix } from '../../lib/ip.ts';
import { addressAndRouteProblems } from '../../plugin/container-interface.ts';
import type { Container } from '../../plugin/namespaces.ts';
import { also, compared, type Fact } from './fact.ts';
import type { Attached } from './plugins.ts';

/** A link in words: `veth, fa:…, up, mtu 1500`. */
export function linkText({ kindName, mac, flags, mtu }: Link): string {
  const state = flags.up ? (flags.lowerUp ? 'up' : 'up without a carrier') : 'down';
  return [kindName, mac, state, `mtu ${mtu}`].filter((word) => word).join(', ');
}

/** Against one attachment's result: its interface, addresses and routes. */
export function attachmentFacts(container: Container, { cached, network, result }: Attached): Fact[] {
  const { ifname } = cached;
  const links = listLinks(container);
  const link = links.find(({ name }) => name === ifname);
  const index = (result.interfaces ?? []).findIndex(({ name, sandbox }) => name === ifname && sandbox);
  const { mac = '' } = result.interfaces?.[index] ?? {};
  const stays = network?.plugins.some(({ json }) => json.disableContainerInterface === true) === true;
  const isRight =
    link !== undefined &&
    (mac === '' || mac === link.mac) &&
    ((link.flags.up && link.flags.lowerUp) || stays);
  const own = (result.ips ?? []).filter((ip) => ip.interface === undefined || ip.interface === index);
  const what = `link ${ifname} in the container`;
  return [
    compared({ group: 'links', what, configured: mac }, link && linkText(link), isRight),
    ...addressFacts(container, link, ifname, own),
    ...routeFacts(container, link, own, result),
    ...(link === undefined ? [] : settingFacts(container, link, own)),
  ];
}

type Ips = NonNullable<Result['ips']>;

function addressFacts(container: Container, link: Link | undefined, ifname: string, ips: Ips): Fact[] {
  const what = `address on ${ifname}`;
  const found = link === undefined ? [] : listAddresses(container, { link });
  const texts = ips.map(({ address }) => normal(address));
  const others = found.map(({ prefix }) => formatPrefix(prefix)).filter((text) => !texts.includes(text));
  return [
    ...ips.map(({ address }) => {
      const one = found.find(({ prefix }) => formatPrefix(prefix) === normal(address));
      const { tentative = false, dadFailed = false } = one?.flags ?? {};
      const state = dadFailed ? ' in use by another node' : tentative ? ' not usable yet (tentative)' : '';
      const text = one && formatPrefix(one.prefix) + state;
      return compared({ group: 'addresses', what, configured: address }, text, state === '');
    }),
    ...others.map((text) => also('addresses', what, text)),
  ];
}

/** RT_SCOPE_LINK, linux/rtnetlink.h: such a route has no gateway. */
const linkScope = 253;

function normal(address: string): string {
  const prefix = parsePrefix(address);
  return prefix === undefined ? address : formatPrefix(prefix);
}

function routeFacts(container: Container, link: Link | undefined, ips: Ips, { routes = [] }: Result): Fact[] {
  return routes.map((route) => {
    const gateway = route.gw ?? (route.scope === linkScope ? undefined : gatewayFor(route.dst, ips));
    const configured = `${route.dst}${gateway === undefined ? '' : ` via ${gateway}`}`;
    const isThere =
      link !== undefined &&
      addressAndRouteProblems(container, link, [], [{ ...route, ...(gateway && { gw: gateway }) }]).length ===
        0;
    return compared({ group: 'routes', what: 'route', configured }, isThere ? configured : undefined);
  });
}

/** The gateway of the first address of a route's family, which a route that names none goes by, but for the one that leads to it. */
function gatewayFor(dst: string, ips: Ips): string | undefined {
  const gateway = ips.find((ip) => ip.gateway && sameFamily(ip.address, dst))?.gateway;
  return dst === `${gateway}/32` || dst === `${gateway}/128` ? undefined : gateway;
}

function sameFamily(a: string, b: string): boolean {
  return a.includes(':') === b.includes(':');
}

/** IPv6 may have been turned off on the link, which takes its addresses away. */
function settingFacts(container: Container, { name }: Link, ips: Ips): Fact[] {
  if (!ips.some(({ address }) => address.includes(':'))) return [];
  const sysctl = linkSysctl('ipv6', name, 'disable_ipv6');
  const found = readSysctl(sysctl, { netns: container.netns, ifSupported: true });
  return [compared({ group: 'settings', what: sysctl, configured: '0' }, found, found === '0')];
}

/** What else is in the namespace: links of no attachment, routes of no result, rules that are not the kernel's own. */
export function otherFacts(container: Container, attached: readonly Attached[]): Fact[] {
  const links = listLinks(container);
  const ifnames = attached.map(({ cached }) => cached.ifname);
  const nameOf = (index: number | undefined) => links.find((link) => link.index === index);
  const told = attached.flatMap(({ result }) => (result.routes ?? []).map(({ dst }) => normal(dst)));
  const routes = listRoutes(container, { table: mainTable }).filter(
    (route) => isTelling(route) && !told.includes(formatPrefix(route.dst)),
  );
  return [
    ...links
      .filter(({ name }) => !ifnames.includes(name))
      .map((link) => also('links', `link ${link.name} in the container`, linkText(link))),
    ...(attached.length > 0
      ? []
      : listAddresses(container).map(({ prefix, linkIndex }) =>
          also('addresses', `address on ${nameOf(linkIndex)?.name ?? linkIndex}`, formatPrefix(prefix)),
        )),
    ...routes.map((route) =>
      also('routes', 'route', describeRoute({ ...route, oif: nameOf(route.oif) ?? route.oif })),
    ),
    ...listRules(container)
      .filter(({ priority = 0 }) => ![0, 32_766, 32_767].includes(priority))
      .map((rule) => also('routes', 'rule', ruleText(rule))),
  ];
}

/** Link-local and multicast networks are on every link with IPv6. */
function isTelling({ dst, type }: Route): boolean {
  return type !== 'multicast' && !/^(?:fe80|ff00)::\//.test(formatPrefix(dst));
}

/** A rule in iproute2's words. */
export function ruleText({ priority, src, dst, iif, oif, mark, action, table }: Rule): string {
  return [
    `${priority}:`,
    `from ${src === undefined ? 'all' : formatPrefix(src)}`,
    dst && `to ${formatPrefix(dst)}`,
    iif && `iif ${iif}`,
    oif && `oif ${oif}`,
    mark !== undefined && `fwmark 0x${mark.toString(16)}`,
    action === 'table' ? `lookup ${table}` : action,
  ]
    .filter((word) => word)
    .join(' ');
}
