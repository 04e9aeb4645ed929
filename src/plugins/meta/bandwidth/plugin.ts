/** bandwidth: holds a container's traffic to rates. A drop-in for the reference's, by netlink. */
import {
  type AddRequest,
  type CheckRequest,
  CniError,
  type DelRequest,
  definePlugin,
  type GcRequest,
  type Result,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { redirectArrivingRequest } from '../../../kernel/rtnetlink/filter.ts';
import type { Link } from '../../../kernel/rtnetlink/link.ts';
import {
  addIngressRequest,
  addTokenBucketRequest,
  deleteQdiscRequest,
} from '../../../kernel/rtnetlink/qdisc.ts';
import { openNode } from '../../../plugin/namespaces.ts';
import { refuseProblems } from '../../../plugin/steps.ts';
import { chainedResult } from '../../shared/chained.ts';
import { tokenBucketOf } from './bucket.ts';
import { limitProblems } from './check.ts';
import { type BandwidthConfig, bandwidthSchema, limitsOf } from './config.ts';
import { hostLink } from './host-link.ts';
import { createIfb, ifbName, removeIfb, removeOtherIfbs } from './ifb.ts';
import { refuseWithoutSupport } from './support.ts';

export const plugin = definePlugin({
  name: 'bandwidth',
  about: "holds a container's traffic to rates",
  // The reference's: the results of the versions before have no interfaces.
  versions: ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
  config: bandwidthSchema,
  add,
  del,
  check,
  gc,
  status,
});

function add(request: AddRequest<BandwidthConfig>): Result {
  const { attachment } = request;
  const previous = chainedResult(request);
  const { ingress, egress } = limitsOf(request);
  if (ingress === undefined && egress === undefined) return previous;
  using node = openNode();
  const host = hostLink(node, attachment, previous);
  if (ingress !== undefined) {
    node.request(addTokenBucketRequest(host, tokenBucketOf(ingress)));
    request.onFailure('shaping', () => removeQdisc(host, 'root'));
  }
  if (egress === undefined) return previous;
  const ifb = newIfb(node, request, host);
  node.request(addTokenBucketRequest(ifb, tokenBucketOf(egress)));
  node.request(addIngressRequest(host));
  request.onFailure('redirecting', () => removeQdisc(host, 'ingress'));
  node.request(redirectArrivingRequest(host, ifb));
  return {
    ...previous,
    interfaces: [...(previous.interfaces ?? []), { name: ifb.name, mac: ifb.mac }],
  };
}

function newIfb(node: Connection, { attachment, onFailure }: AddRequest<BandwidthConfig>, host: Link): Link {
  try {
    const ifb = createIfb(node, attachment, host.mtu);
    onFailure(`creating link ${ifb.name}`, () => {
      using again = openNode();
      removeIfb(again, attachment);
    });
    return ifb;
  } catch (error) {
    if (!isNetlinkError(error, 'EEXIST')) throw error;
    throw new CniError(
      'invalidEnvironment',
      `link ${ifbName(attachment)} of this network and container exists already`,
      'DEL removes what an earlier ADD made; two interfaces of one container in one network cannot both have an egress limit',
    );
  }
}

function removeQdisc(link: Link, at: 'root' | 'ingress'): void {
  using node = openNode();
  try {
    node.request(deleteQdiscRequest(link, at));
  } catch (error) {
    if (!isNetlinkError(error, 'ENOENT', 'EINVAL', 'ENODEV')) throw error;
  }
}

/** The ifb goes; what is on the veth goes with it, in the DEL of the plugin that made it. */
function del({ attachment }: DelRequest<BandwidthConfig>): void {
  using node = openNode();
  removeIfb(node, attachment);
}

function check(request: CheckRequest<BandwidthConfig>): void {
  const { attachment, previousResult } = request;
  const limits = limitsOf(request);
  using node = openNode();
  const host = hostLink(node, attachment, previousResult);
  refuseProblems(limitProblems(node, attachment, host, limits));
}

function gc({ network, validAttachments }: GcRequest<BandwidthConfig>): void {
  using node = openNode();
  removeOtherIfbs(node, network, validAttachments);
}

function status(): void {
  using node = openNode();
  refuseWithoutSupport(node);
}
