/** What CHECK finds wrong with an interface that is a link of its own in the container. */
import type { CheckRequest } from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import type { LinkKind } from '../../../kernel/rtnetlink/kinds/kinds.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { interfaceProblems } from '../../../plugin/container-interface.ts';

/**
 * A line for each difference: there, of its kind, up, with the hardware address, addresses and routes of ADD's result,
 * and whatever `more` says of the link once it is known to be of its kind.
 */
export function interfaceDifferences<K extends LinkKind>(
  container: Connection,
  { attachment, previousResult }: CheckRequest,
  kind: K,
  more: (link: Link & { readonly kind: K }) => readonly string[],
): string[] {
  const link = getLink(container, attachment.ifname);
  if (link === undefined) return [`interface ${attachment.ifname} does not exist in ${attachment.netns}`];
  if (!isOfKind(link, kind)) return [`interface ${link.name} is ${describeKind(link)}, not of kind ${kind}`];
  return [...interfaceProblems(container, attachment, previousResult), ...more(link)];
}

function isOfKind<K extends LinkKind>(link: Link, kind: K): link is Link & { readonly kind: K } {
  return link.kind === kind;
}

function describeKind({ kindName }: Link): string {
  return kindName === undefined ? 'a link without a kind' : `a link of kind ${kindName}`;
}

/** The MTU, where the configuration says one (0 is none). */
export function mtuProblems({ name, mtu }: Link, wanted: number): string[] {
  return wanted === 0 || mtu === wanted ? [] : [`interface ${name} has MTU ${mtu}, \`mtu\` says ${wanted}`];
}

/** A property of the link's kind. */
export function differenceIn(what: string, is: unknown, wanted: unknown): string[] {
  return is === wanted ? [] : [`${what} is ${is}, the configuration says ${wanted}`];
}
