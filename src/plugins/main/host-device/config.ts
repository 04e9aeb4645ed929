/** What host-device's configuration says: the reference's keys, checked, and which device they name. */
import { CniError, type Infer, object, string } from '../../../cni/index.ts';
import { interfaceNameProblem } from '../../../cni/names.ts';
import { bytesFromText } from '../../../lib/bytes.ts';

/** Forms that Go's net.ParseMAC takes: 6, 8 or 20 bytes (Ethernet, EUI-64, InfiniBand), in pairs or in fours. */
const hardwareAddress =
  /^(?:[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}(?:(?:[\da-f]{2}\1){2}|(?:[\da-f]{2}\1){14})?[\da-f]{2}|[\da-f]{4}(?:\.[\da-f]{4}){2}(?:\.[\da-f]{4}|(?:\.[\da-f]{4}){7})?)$/i;

/** In the kernel's spelling; an empty text is as none, as the reference has it. So it is for the other keys. */
const hardwareAddressOrNone = string().map((text) => {
  if (text === '') return '';
  if (!hardwareAddress.test(text)) return undefined;
  return text.replaceAll(/[:.-]/g, '').toLowerCase().match(/../g)?.join(':');
}, 'a hardware address such as "02:42:ac:11:00:02"');

const pciAddress = /^[\da-f]{4,8}:[\da-f]{2}:[\da-f]{2}\.[0-7]$/i;

const pciAddressOrNone = string().map(
  (text) => (text === '' || pciAddress.test(text) ? text.toLowerCase() : undefined),
  'a PCI address such as "0000:1f:00.2"',
);

const pathOrNone = string().map(
  (text) => (text === '' || isKernelPath(text) ? text.replace(/\/+$/, '') : undefined),
  'a path below /sys/devices/ without ".."',
);

function isKernelPath(text: string): boolean {
  return text.startsWith('/sys/devices/') && !text.includes('\0') && !text.split('/').includes('..');
}

/** A name in /sys/bus/pci/devices or /sys/bus/auxiliary/devices: it becomes part of a path. */
const deviceIdOrNone = string().map(
  (text) => (text === '' || /^[\w:-][\w.:-]{0,254}$/.test(text) ? text : undefined),
  'a PCI address or the name of an auxiliary device',
);

/** The keys of host-device. */
export const hostDeviceSchema = object({
  device: string()
    .refine((text, report) => {
      const problem = deviceNameProblem(text);
      if (problem !== undefined) report(problem);
    })
    .default(''),
  hwaddr: hardwareAddressOrNone.default(''),
  kernelpath: pathOrNone.default(''),
  pciBusID: pciAddressOrNone.default(''),
  runtimeConfig: object({ deviceID: deviceIdOrNone.optional() }).optional(),
}).notTogether('device', 'hwaddr', 'kernelpath', 'pciBusID');

/** The configuration, checked. */
export type HostDeviceConfig = Infer<typeof hostDeviceSchema>;

/** The longest interface name, and the longest of the alternative names that a link may have too (IFNAMSIZ, ALTIFNAMSIZ, linux/if.h). */
const longestName = 15;
const longestAlternativeName = 127;

function deviceNameProblem(text: string): string | undefined {
  const bytes = bytesFromText(text).length;
  if (bytes === 0) return undefined;
  if (bytes <= longestName) return interfaceNameProblem(text);
  if (bytes > longestAlternativeName)
    return `must have at most ${longestAlternativeName} bytes, got ${bytes}`;
  return /[\s/\p{Cc}]/u.test(text) ? 'must not have "/", white space or control characters' : undefined;
}

/** The keys that name a device. */
const keys = ['device', 'hwaddr', 'kernelpath', 'pciBusID'] as const;

/** Which device: by which key, and what that says. */
export interface Selector {
  readonly key: (typeof keys)[number] | 'runtimeConfig.deviceID';
  readonly value: string;
}

/** What names the device: the runtime before the configuration. Undefined where nothing does. */
export function selectorOf(config: HostDeviceConfig): Selector | undefined {
  const deviceId = config.runtimeConfig?.deviceID;
  if (deviceId) return { key: 'runtimeConfig.deviceID', value: deviceId };
  const key = keys.find((each) => config[each] !== '');
  return key && { key, value: config[key] };
}

/** The same, for those that need one. Throws a `CniError`, 7 if no other code is given, where nothing names one. */
export function requireSelector(
  config: HostDeviceConfig,
  code: 'invalidConfig' | 'pluginNotAvailable' = 'invalidConfig',
): Selector {
  const selector = selectorOf(config);
  if (selector !== undefined) return selector;
  throw new CniError(
    code,
    'plugin `host-device` has no device: one of `device`, `hwaddr`, `kernelpath` and `pciBusID` must name it, or the runtime by the capability `deviceID`',
  );
}

/** The beginning of an error's message about the device. */
export function named({ key }: Selector): string {
  return `\`${key}\` of plugin \`host-device\``;
}
