/** From what IPAM gave to a container's interface that has it, and to the result of ADD. */
import { type AddRequest, CniError, type Interface, type Ipam, type Result } from '../../../cni/index.ts';
import type { Link } from '../../../kernel/rtnetlink/link.ts';
import { configureInterface } from '../../../plugin/container-interface.ts';
import type { Container } from '../../../plugin/namespaces.ts';
import { prefixOf } from '../../../plugin/values.ts';

/** For plugins that make nothing without addresses. Throws a `CniError` (7) where no IPAM plugin is named. */
export function requireIpam(plugin: string, { configured }: Ipam): void {
  if (configured) return;
  throw new CniError(
    'invalidConfig',
    `\`ipam.type\` of plugin \`${plugin}\` is missing: it must name the IPAM plugin that gives the addresses`,
  );
}

/** The result of IPAM, which must have an address. Throws a `CniError` (7). */
export function refuseNoAddress(plugin: string, given: Result, ipamType = ''): Result {
  if (given.ips !== undefined && given.ips.length > 0) return given;
  throw new CniError(
    'invalidConfig',
    `the IPAM plugin "${ipamType}" gave no address, and plugin \`${plugin}\` needs one or more`,
  );
}

/**
 * Gives the container's interface what IPAM gave, sets it up, and returns ADD's result: that interface, to which all
 * addresses belong. An IPv6 address is used only after nobody on the segment objected, for which ADD waits; not where
 * nobody is there yet (`isAlone`).
 */
export async function finishInterface(
  request: AddRequest,
  container: Container,
  link: Pick<Link, 'mac'>,
  given: Pick<Result, 'ips' | 'routes'>,
  { isAlone = false }: { readonly isAlone?: boolean } = {},
): Promise<Result> {
  const { ifname, netns } = request.attachment;
  const { ips, routes } = given;
  const detectDuplicates =
    !isAlone && (ips?.some(({ address }) => prefixOf(address).address.family === 6) ?? false);
  await configureInterface(
    container,
    ifname,
    { ...(ips && { ips }), ...(routes && { routes }) },
    { detectDuplicates },
  );
  return resultOf({ name: ifname, mac: link.mac, sandbox: netns }, given);
}

/** ADD's result: the container's interface, to which all addresses belong. */
export function resultOf(own: Interface, { ips, routes }: Pick<Result, 'ips' | 'routes'>): Result {
  return {
    interfaces: [own],
    ...(ips && { ips: ips.map((one) => ({ ...one, interface: 0 })) }),
    ...(routes && routes.length > 0 && { routes }),
  };
}
