/** What on this node has to let containers' packets pass besides Fairlead's own table: firewalld, or iptables' FORWARD. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { formatAddress, type IpAddress } from '../../../lib/ip.ts';
import { busAddress } from './bus-address.ts';
import type { FirewallConfig } from './config.ts';
import type { Firewalld } from './firewalld.ts';
import { forwardProblems, openForward } from './forward.ts';

/** firewalld, where the configuration allows it and it runs. Throws where its bus breaks off. */
export async function firewalldIfRunning({
  backend,
  firewalldZone,
}: FirewallConfig): Promise<Firewalld | undefined> {
  const path = backend === 'iptables' ? undefined : busAddress(process.env.DBUS_SYSTEM_BUS_ADDRESS);
  if (path === undefined) return undefined;
  return (await import('./firewalld.ts')).openFirewalld(path, firewalldZone);
}

/** As `firewalldIfRunning`. Throws a `CniError` where the configuration demands firewalld and it does not run. */
async function firewalldAsAsked(config: FirewallConfig, code: 'tryAgainLater' | 'pluginNotAvailable') {
  const firewalld = await firewalldIfRunning(config);
  if (firewalld !== undefined || config.backend !== 'firewalld') return firewalld;
  throw new CniError(
    code,
    '`backend` of plugin `firewall` is "firewalld", and no firewalld runs',
    "it was not found on the system's D-Bus",
  );
}

function familiesOf(addresses: readonly IpAddress[]) {
  return ([4, 6] as const).filter((one) => addresses.some(({ family }) => family === one));
}

/** Lets the addresses' packets pass. */
export async function letPass(
  connection: Connection,
  config: FirewallConfig,
  addresses: readonly IpAddress[],
): Promise<void> {
  using firewalld = await firewalldAsAsked(config, 'tryAgainLater');
  if (firewalld === undefined)
    return openForward(connection, familiesOf(addresses), config.iptablesAdminChainName);
  for (const address of addresses) await firewalld.addSource(address);
}

/** What of it is missing, in words. */
export async function passProblems(
  connection: Connection,
  config: FirewallConfig,
  addresses: readonly IpAddress[],
): Promise<string[]> {
  using firewalld = await firewalldAsAsked(config, 'tryAgainLater');
  if (firewalld === undefined)
    return forwardProblems(connection, familiesOf(addresses), config.iptablesAdminChainName);
  const problems: string[] = [];
  for (const address of addresses) {
    if (await firewalld.hasSource(address)) continue;
    problems.push(`firewalld: ${formatAddress(address)} is no source of zone ${config.firewalldZone}`);
  }
  return problems;
}

/** Throws a `CniError` (50) where ADD could not let packets pass. */
export async function requireBackend(config: FirewallConfig): Promise<void> {
  using _ = await firewalldAsAsked(config, 'pluginNotAvailable');
}
