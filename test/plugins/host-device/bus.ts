/**
 * PCI and auxiliary devices. No machine that these tests run on has one to give away, and no kernel makes one up; so
 * what sysfs shows of them is made up: a directory over /sys/bus in this test's own mount namespace, whose devices have
 * the names of links that are real.
 */
import { mkdirSync, symlinkSync } from 'node:fs';
import { output } from '../../support/program.ts';

const bus = '/sys/bus';

/** Puts an empty one over it. */
export async function hideBuses(): Promise<void> {
  await output(['mount', '-t', 'tmpfs', 'buses', bus]);
  for (const name of ['pci', 'auxiliary']) mkdirSync(`${bus}/${name}/devices`, { recursive: true });
}

/** Takes it away again. */
export async function showBuses(): Promise<void> {
  await output(['umount', bus]);
}

/** Makes a directory of links, as a device's `net` is. */
function linksAt(directory: string, names: readonly string[]): void {
  for (const name of names) mkdirSync(`${directory}/net/${name}`, { recursive: true });
}

/** What a PCI device is to be. */
export interface PciDevice {
  /** Of the driver; none if left out. */
  readonly driver?: string;
  /** The names of its links. */
  readonly links?: readonly string[];
  /** What stands between it and its links: `virtio0`. */
  readonly below?: string;
}

/** Makes a PCI device. */
export function makePciDevice(address: string, { driver, links = [], below = '' }: PciDevice): void {
  const directory = `${bus}/pci/devices/${address}`;
  mkdirSync(directory);
  linksAt(`${directory}/${below}`, links);
  if (driver === undefined) return;
  const drivers = `${bus}/pci/drivers/${driver}`;
  mkdirSync(drivers, { recursive: true });
  symlinkSync(directory, `${drivers}/${address}`);
  symlinkSync(drivers, `${directory}/driver`);
}

/** Makes an auxiliary device, as a subfunction of a network card is. */
export function makeAuxiliaryDevice(name: string, links: readonly string[]): void {
  linksAt(`${bus}/auxiliary/devices/${name}`, links);
}
