/** Making the tap, and what stands in the way of it. */
import { type AttachmentInNamespace, CniError } from '../../../cni/index.ts';
import { openOwnNetns } from '../../../kernel/netns/netns.ts';
import { closeSync } from '../../../kernel/sys/file.ts';
import { SystemError } from '../../../kernel/sys/libc.ts';
import { createTap, openTunDevice, tunDevice } from '../../../kernel/tap/tap.ts';
import type { Container } from '../../../plugin/namespaces.ts';
import { existsAlready } from '../../shared/link/make-interface.ts';
import type { TapConfig } from './config.ts';

/** Makes the tap in the container, down, under the interface's name. Throws a `CniError` (2, 4, 7), SystemError. */
export async function makeTap(
  { netns }: Container,
  attachment: AttachmentInNamespace,
  { multiQueue, owner, group, selinuxContext }: TapConfig,
): Promise<void> {
  const tap = { name: attachment.ifname, multiQueue, owner, group };
  try {
    if (selinuxContext === '') createTap(netns, tap);
    else (await import('./labelled.ts')).createLabelledTap(netns, tap, selinuxContext);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    // TUNSETIFF with IFF_TUN_EXCL: somebody made one since it was looked for.
    if (error.code === 'EBUSY') throw existsAlready(attachment);
    throw noTaps('unsupportedField', error) ?? error;
  }
}

/** For STATUS. Throws a `CniError` (50) where the device by which taps are made cannot be opened. */
export function requireTaps(): void {
  const own = openOwnNetns();
  try {
    closeSync(openTunDevice(own));
  } catch (error) {
    throw noTaps('pluginNotAvailable', error) ?? error;
  } finally {
    own.close();
  }
}

/** ENOENT: no file; ENODEV, ENXIO: nothing in the kernel behind it (open(2)). */
function noTaps(code: 'unsupportedField' | 'pluginNotAvailable', error: unknown): CniError | undefined {
  if (!(error instanceof SystemError) || error.operation !== `open ${tunDevice}`) return undefined;
  if (!['ENOENT', 'ENODEV', 'ENXIO'].includes(error.code)) return undefined;
  return new CniError(
    code,
    '`type` of the plugin: this node has no taps',
    `${error.message}; the kernel must be built with CONFIG_TUN, and the module be loaded: modprobe tun`,
  );
}
