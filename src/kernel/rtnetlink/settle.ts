/** Waiting for IPv6 duplicate address detection (RFC 4862 section 5.4): until then an address cannot be used. */
import { formatAddress } from '../../lib/ip.ts';
import type { Connection } from '../netlink/connection.ts';
import { type Address, listAddresses } from './address.ts';
import { getLink, type LinkIdentity } from './link.ts';

/** Between two looks, in milliseconds. Detection takes about a second; nothing tells its end to a new socket. */
const pause = 20;

/** Addresses that detection found in use elsewhere, or that it was not done with in time. */
export class AddressesNotSettledError extends Error {
  override readonly name = 'AddressesNotSettledError';

  constructor(
    message: string,
    /** The addresses that cannot be used. */
    readonly addresses: readonly Address[],
  ) {
    super(message);
  }
}

/**
 * Waits until no IPv6 address of the link is tentative any more. Throws AddressesNotSettledError when an address
 * turns out to be in use elsewhere, or is still tentative after `timeout` milliseconds while the link is
 * operationally up (detection does not end on one that is not, and that is no fault of the address); NetlinkError.
 */
export async function settleAddresses(
  connection: Connection,
  link: LinkIdentity,
  timeout: number,
): Promise<void> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const addresses = listAddresses(connection, { link, family: 6 });
    const duplicate = addresses.filter(({ flags }) => flags.dadFailed);
    if (duplicate.length > 0) {
      const message = `${textOf(duplicate)} of link ${link.name} in use by another node of its network`;
      throw new AddressesNotSettledError(`duplicate address detection found ${message}`, duplicate);
    }
    const tentative = addresses.filter(({ flags }) => flags.tentative);
    if (tentative.length === 0) return;
    if (Date.now() >= deadline) {
      if (getLink(connection, link.index)?.operState !== 'up') return;
      const message = `duplicate address detection for ${textOf(tentative)} of link ${link.name}`;
      throw new AddressesNotSettledError(`${message} was not done within ${timeout} ms`, tentative);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function textOf(addresses: readonly Address[]): string {
  return addresses.map(({ prefix }) => formatAddress(prefix.address)).join(', ');
}
