/** The network as a small picture of characters. */

/** A Pod, as ADD's result has it. */
export interface Pod {
  readonly name: string;
  /** The host side of its pair of links. */
  readonly port: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** What the picture shows. */
export interface Scene {
  readonly world: readonly string[];
  readonly node: readonly string[];
  readonly bridge: string;
  readonly gateways: readonly string[];
  readonly published: string;
  readonly pods: readonly Pod[];
}

/** Draws it, a line each. */
export function draw({ world, node, bridge, gateways, published, pods }: Scene): string[] {
  const ports = pods.map(({ name, port, ipv4, ipv6 }, index) => {
    const branch = index === pods.length - 1 ? '└' : '├';
    return `${branch}─ ${port} ─── eth0  ${name.padEnd(6)} ${ipv4}  ${ipv6}`;
  });
  const inside = [
    `uplink  ${node.join('  ')}`,
    '  │',
    `  ├─ ${published}`,
    '  │',
    `${bridge}    ${gateways.join('  ')}`,
    ...ports.map((line) => `  ${line}`),
  ];
  const width = Math.max(...inside.map((line) => line.length)) + 4;
  const edge = (left: string, title: string, right: string) =>
    `${left}─${title}${'─'.repeat(width - title.length - 1)}${right}`;
  return [
    `   world   ${world.join('  ')}`,
    '    │',
    edge('┌', '──┴── node ', '┐'),
    ...inside.map((line) => `│  ${line.padEnd(width - 2)}│`),
    edge('└', '', '┘'),
  ];
}
