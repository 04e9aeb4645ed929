/** Giving leases back while no daemon runs: their files tell all that is needed. */
import type { Attachment, ValidAttachment } from '../../../cni/index.ts';
import { release } from './client.ts';
import { leaseDirectory, leaseStore } from './daemon/store.ts';
import { clientId, type Lease, leaseId } from './lease.ts';
import { openIfThere } from './place.ts';

/** Tells the server and removes the file; none is as good. The server that cannot be told waits for the lease's end. Throws SystemError. */
export function releaseWithoutDaemon(socketPath: string, attachment: Attachment): void {
  releaseWhere(socketPath, (lease) => leaseId(lease) === leaseId({ attachment }));
}

/** The same for the leases of a network that belong to no valid attachment. */
export function collectWithoutDaemon(
  socketPath: string,
  network: string,
  validAttachments: readonly ValidAttachment[],
): void {
  const isValid = ({ containerId, ifname }: Attachment) =>
    validAttachments.some((one) => one.containerId === containerId && one.ifname === ifname);
  releaseWhere(socketPath, ({ attachment }) => attachment.network === network && !isValid(attachment));
}

function releaseWhere(socketPath: string, isStray: (lease: Lease) => boolean): void {
  const store = leaseStore(leaseDirectory(socketPath));
  for (const lease of store.load()) {
    if (!isStray(lease)) continue;
    store.remove(leaseId(lease));
    tell(lease);
  }
}

function tell(lease: Lease): void {
  try {
    using container = openIfThere(lease.netns, lease.interface);
    if (container === undefined) return;
    release({ ...lease, clientId: clientId(lease) }, container.netns, lease.ack, lease.serverMac);
  } catch {
    // The server will have the address back in time.
  }
}
