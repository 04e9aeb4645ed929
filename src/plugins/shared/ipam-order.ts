/** Which of the two comes first, the interface or its addresses: a DHCP client needs the interface to ask over. */

/** Ours that give addresses out of files and configurations. The reference's bridge makes the interface first for all. */
const withoutInterface: readonly (string | undefined)[] = ['host-local', 'static'];

/** Whether an IPAM plugin of this type may need the container's interface in ADD: then that is made before. */
export function mayNeedInterface(ipamType: string | undefined): boolean {
  return !withoutInterface.includes(ipamType);
}

/** Whether it gives addresses back over the interface: then that is removed after. */
export function givesBackOverInterface(ipamType: string | undefined): boolean {
  return ipamType === 'dhcp';
}
