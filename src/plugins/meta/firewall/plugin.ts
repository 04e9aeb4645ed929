/** firewall: lets containers' traffic pass the node's firewall, and blocks what `ingressPolicy` says. A drop-in for the reference's. */
import {
  type AddRequest,
  type CheckRequest,
  CniError,
  type DelRequest,
  definePlugin,
  type GcRequest,
  messageOf,
  type Result,
  type StatusRequest,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { getGeneration } from '../../../kernel/nftables/generation.ts';
import type { IpAddress } from '../../../lib/ip.ts';
import { refuseProblems, runAll } from '../../../plugin/steps.ts';
import { chainedResult } from '../../shared/chained.ts';
import { findElement, placeIn } from '../../shared/nftables/element.ts';
import { goneFrom, ownedBy, ownerComment, type Whose } from '../../shared/nftables/owner.ts';
import { checkElements, putElements } from '../../shared/nftables/ownership.ts';
import { removeElements } from '../../shared/nftables/removal.ts';
import { openNftablesHere, openNftablesIfThere, withNftables } from '../../shared/nftables/socket.ts';
import { firewalldIfRunning, letPass, passProblems, requireBackend } from './backend.ts';
import { type FirewallConfig, firewallSchema } from './config.ts';
import type { Guarded } from './guarded.ts';
import * as port from './port-section.ts';
import { addressSets, section, wantedFor } from './section.ts';
import { addressesOf } from './targets.ts';

export const plugin = definePlugin({
  name: 'firewall',
  about: "lets a container's traffic pass the node's firewall",
  // The reference's.
  versions: ['0.4.0', '1.0.0', '1.1.0'],
  config: firewallSchema,
  add,
  del,
  check,
  gc,
  status,
});

async function add(request: AddRequest<FirewallConfig>): Promise<Result> {
  const { attachment, config } = request;
  const previous = chainedResult(request);
  const addresses = addressesOf(previous);
  const guarded = await guardedIn(config, previous);
  const ports = port.wantedFor(guarded);
  const owner = ownerComment(attachment);
  request.onFailure('letting traffic pass', () => del(request));
  using connection = openNftablesHere();
  putElements(connection, section, owner, wantedFor(addresses, guarded));
  if (ports.holdings.length > 0) putElements(connection, port.section, owner, ports);
  await letPass(connection, config, addresses);
  return previous;
}

/** Most containers are not: for those nothing is asked or loaded. */
async function guardedIn(config: FirewallConfig, result: Result): Promise<Guarded | undefined> {
  if (config.ingressPolicy === 'open') return undefined;
  return (await import('./guarded.ts')).guardedHere(config, result);
}

/**
 * Removes what the attachment has, whatever the runtime says. Where it has nothing of ours, its addresses were let pass by
 * the reference's plugin, before the node was switched.
 */
async function del(request: AddRequest<FirewallConfig> | DelRequest<FirewallConfig>): Promise<void> {
  const { attachment, config, previousResult = {} } = request;
  using connection = openNftablesIfThere();
  if (connection === undefined) return forgetSources(config, addressesOf(previousResult));
  const { count, addresses } = remove(connection, ownedBy(attachment));
  if (count > 0) return forgetSources(config, addresses);
  const told = addressesOf(previousResult).filter((address) => !isSomebodys(connection, address));
  if (told.length === 0) return;
  await runAll([
    () => forgetSources(config, told),
    async () => (await import('./reference.ts')).removeReferenceRules(connection, told),
  ]);
}

/** Removes elements; how many, and the addresses that were let pass and are nobody's now. */
function remove(connection: Connection, whose: Whose): { count: number; addresses: IpAddress[] } {
  const removed = removeElements(connection, section, whose);
  const ports = removeElements(connection, port.section, whose);
  const allowed: readonly unknown[] = [addressSets[4].allowed, addressSets[6].allowed];
  const addresses = removed.filter(({ set }) => allowed.includes(set)).map(({ key }) => key[0] as IpAddress);
  return { count: removed.length + ports.length, addresses };
}

/** Whether another container has the address now: DEL may come twice. */
function isSomebodys(connection: Connection, address: IpAddress): boolean {
  return findElement(connection, placeIn(addressSets[address.family].allowed, [address])) !== undefined;
}

/** firewalld's sources go with the addresses; iptables' rules are nobody's in particular and stay. */
async function forgetSources(config: FirewallConfig, addresses: readonly IpAddress[]): Promise<void> {
  if (addresses.length === 0) return;
  using firewalld = await firewalldIfRunning(config);
  for (const address of addresses) await firewalld?.removeSource(address);
}

/** A container that the reference let pass is as ADD left it, too, while it has those rules. */
async function check({ attachment, config, previousResult }: CheckRequest<FirewallConfig>): Promise<void> {
  const addresses = addressesOf(previousResult);
  const guarded = await guardedIn(config, previousResult);
  const ports = port.wantedFor(guarded);
  const owner = ownerComment(attachment);
  using connection = openNftablesHere();
  const problems = [
    ...checkElements(connection, section, owner, wantedFor(addresses, guarded)),
    ...(ports.holdings.length > 0 ? checkElements(connection, port.section, owner, ports) : []),
    ...(await passProblems(connection, config, addresses)),
  ];
  if (problems.length === 0) return;
  const { hasReferenceRules } = await import('./reference.ts');
  if (!hasReferenceRules(connection, addresses)) refuseProblems(problems);
}

async function gc({ network, validAttachments, config }: GcRequest<FirewallConfig>): Promise<void> {
  using connection = openNftablesIfThere();
  if (connection === undefined) return;
  const { addresses } = remove(connection, goneFrom(network, validAttachments));
  await forgetSources(config, addresses);
}

async function status({ config }: StatusRequest<FirewallConfig>): Promise<void> {
  try {
    withNftables(getGeneration);
  } catch (error) {
    throw new CniError(
      'pluginNotAvailable',
      'firewall needs nftables in the kernel (nf_tables)',
      messageOf(error),
    );
  }
  await requireBackend(config);
}
