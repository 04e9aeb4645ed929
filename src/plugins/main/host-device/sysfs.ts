/** Devices as sysfs shows them: which links a device has, and whether a driver for programs holds it. */
import { existsSync, readdirSync } from '../../../kernel/sys/file.ts';
import { SystemError } from '../../../kernel/sys/libc.ts';
import type { Selector } from './config.ts';

const pciBus = '/sys/bus/pci';
const auxiliaryDevices = '/sys/bus/auxiliary/devices';

/** Drivers that hand a device to a program (DPDK), so that it has no link: the reference's list. */
const userspaceDrivers = ['vfio-pci', 'uio_pci_generic', 'igb_uio'];

/** The directory of the device in sysfs; undefined where the key names none there, or there is no such device. */
export function deviceDirectory({ key, value }: Selector): string | undefined {
  switch (key) {
    case 'kernelpath':
      return existing(value);
    case 'pciBusID':
      return existing(`${pciBus}/devices/${value}`);
    case 'runtimeConfig.deviceID':
      return existing(`${pciBus}/devices/${value}`) ?? existing(`${auxiliaryDevices}/${value}`);
    default:
      return undefined;
  }
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}

/** Whether a userspace driver has the device. */
export function isUserspaceDevice({ key, value }: Selector): boolean {
  if (key !== 'pciBusID' && key !== 'runtimeConfig.deviceID') return false;
  return userspaceDrivers.some((driver) => existsSync(`${pciBus}/drivers/${driver}/${value}`));
}

/** Whether the device of a link, as its bus calls it, is the one that is named, or is below it, as a virtio device is. */
export function hasDevice(selector: Selector, parentDevice: string): boolean {
  const directory = deviceDirectory(selector) ?? '';
  return directory.endsWith(`/${parentDevice}`) || existsSync(`${directory}/${parentDevice}`);
}

/**
 * The names of the device's links, sorted; only those of the namespace that sysfs was mounted in are there. Undefined
 * for a device that is none of a network. A virtio device stands between a PCI device and its links. Throws SystemError.
 */
export function linkNamesOf(directory: string): readonly string[] | undefined {
  const own = namesIn(`${directory}/net`);
  if (own !== undefined || !directory.startsWith(`${pciBus}/`)) return own;
  for (const name of namesIn(directory) ?? []) {
    const below = name.startsWith('virtio') ? namesIn(`${directory}/${name}/net`) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

/** What is in a directory, sorted; undefined where there is none. */
function namesIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (error instanceof SystemError && ['ENOENT', 'ENOTDIR'].includes(error.code)) return undefined;
    throw error;
  }
}
