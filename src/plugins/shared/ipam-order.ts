/**
 * Whether an IPAM plugin of this type needs the container's interface, up, as a DHCP client does: to give addresses and to
 * give them back. All others reserve before anything is made, and free when nobody has the address any more.
 */
export function worksOverInterface(ipamType: string | undefined): boolean {
  return ipamType === 'dhcp';
}
