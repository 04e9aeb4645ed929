/** Whether the kernel can hold traffic to rates: asked by requests that cannot succeed, and that it refuses in different ways. */
import { CniError } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import type { Request } from '../../../kernel/netlink/message.ts';
import { getLink } from '../../../kernel/rtnetlink/link.ts';
import { addTokenBucketRequest } from '../../../kernel/rtnetlink/qdisc.ts';
import { kernelHasKind } from '../../shared/kernel-kind.ts';

/** Throws a `CniError` (50) where a part is missing. Nothing is made. */
export function refuseWithoutSupport(node: Connection): void {
  if (!kernelHasKind(node, 'ifb')) throw missing('ifb links (the module ifb)');
  const lo = getLink(node, 'lo');
  if (lo === undefined) return;
  // A bucket of no size: EINVAL from a kernel that knows the kind.
  const bucket = addTokenBucketRequest(lo, { rate: 0, limit: 0, buffer: 0 });
  if (refusal(node, bucket) === 'ENOENT') throw missing('token buckets (the module sch_tbf)');
}

function refusal(node: Connection, request: Request): string | undefined {
  try {
    node.request(request);
    return undefined;
  } catch (error) {
    if (isNetlinkError(error)) return error.code;
    throw error;
  }
}

function missing(what: string): CniError {
  return new CniError('pluginNotAvailable', `bandwidth needs ${what}, which this kernel has not`);
}
