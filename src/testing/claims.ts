/** What a result of ADD claims, held against the kernel. */
import type { Interface, Result } from '../cni/index.ts';
import type { Container } from './container.ts';
import { inspect, type Place } from './inspect.ts';

/**
 * Throws an Error that names each interface and each address of a result that the kernel does not have. What the
 * plugins before had said is theirs.
 */
export function refuseClaims(
  plugin: string,
  container: Container,
  result: Result,
  before: Result = {},
): void {
  const { interfaces = [], ips = [] } = result;
  const known = new Set((before.interfaces ?? []).map((one) => JSON.stringify(one)));
  const problems = interfaces.flatMap((one, index) => {
    if (known.has(JSON.stringify(one))) return [];
    const addresses = ips.filter((ip) => ip.interface === index).map(({ address }) => address);
    return problemsOf(one, placeOf(one, container), addresses);
  });
  if (problems.length === 0) return;
  throw new Error(`the result of plugin \`${plugin}\` is not what the kernel has: ${problems.join('; ')}`);
}

function placeOf({ sandbox }: Interface, container: Container): Place {
  if (sandbox === undefined) return 'node';
  return sandbox === container.netns ? container : { netns: sandbox };
}

function problemsOf({ name, mac }: Interface, place: Place, addresses: readonly string[]): string[] {
  const { links, where } = inspect(place);
  const link = links.find((one) => one.name === name);
  if (link === undefined) {
    const there = links.map((one) => one.name).join(', ');
    return [`it says interface ${name} in ${where}, where there are only ${there}`];
  }
  const missing = addresses.filter((address) => !link.addresses.includes(address));
  return [
    ...(mac && mac.toLowerCase() !== link.mac
      ? [`it says that ${name} in ${where} has hardware address ${mac}, it has ${link.mac}`]
      : []),
    ...missing.map(
      (address) =>
        `it says that ${name} in ${where} has address ${address}, it has ${listed(link.addresses)}`,
    ),
  ];
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ');
}
