/** What CHECK finds of the limits in the kernel. */
import type { Attachment } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { listRedirections } from '../../../kernel/rtnetlink/filter.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { listQdiscs, type TokenBucket } from '../../../kernel/rtnetlink/qdisc.ts';
import { tokenBucketOf } from './bucket.ts';
import type { BandwidthLimits } from './config.ts';
import { ifbName } from './ifb.ts';

/** What differs from the limits, a line each. */
export function limitProblems(
  node: Connection,
  attachment: Attachment,
  host: Link,
  { ingress, egress }: BandwidthLimits,
): string[] {
  const problems = ingress === undefined ? [] : bucketProblems(node, host, tokenBucketOf(ingress));
  if (egress === undefined) return problems;
  const ifb = getLink(node, ifbName(attachment));
  if (ifb === undefined) return [...problems, `link ${ifbName(attachment)} does not exist`];
  return [
    ...problems,
    ...(ifb.flags.up ? [] : [`link ${ifb.name} is down`]),
    ...bucketProblems(node, ifb, tokenBucketOf(egress)),
    ...(listRedirections(node, host).includes(ifb.index)
      ? []
      : [`what arrives by link ${host.name} is not redirected to link ${ifb.name}`]),
  ];
}

function bucketProblems(node: Connection, link: Link, wanted: TokenBucket): string[] {
  const found = listQdiscs(node, link).find(({ at }) => at === 'root')?.tokenBucket;
  if (found === undefined) return [`link ${link.name} has no token bucket (tbf)`];
  return (['rate', 'limit', 'buffer'] as const)
    .filter((key) => found[key] !== wanted[key])
    .map(
      (key) => `the token bucket of link ${link.name} has ${key} ${found[key]}, it should be ${wanted[key]}`,
    );
}
