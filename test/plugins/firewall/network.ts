/**
 * What the firewall tests stand on: the node with a link to "the world" (a namespace), and containers on bridges that
 * bridge and firewall connected, called one after the other as a runtime does.
 */
// packages: iproute2 nftables iptables
import { type Container, createContainer } from '../../support/container.ts';
import { type AddResult, add, del, type PluginEnded, runPlugin } from '../../support/plugin.ts';
import { output, runProgram } from '../../support/program.ts';
import { limit } from '../../support/sandbox.ts';
import { ping } from '../../support/traffic.ts';
import { bridgeConfig, cleanUp as flush, nft } from '../portmap/network.ts';

export {
  cleanUp as flush,
  createWorld,
  nft,
  node4,
  node6,
  ruleset,
  world4,
  world6,
} from '../portmap/network.ts';

/** The two families' programs of an iptables. */
export const programsOf = {
  nft: ['iptables-nft', 'ip6tables-nft'],
  legacy: ['iptables-legacy', 'ip6tables-legacy'],
};
/** Which iptables. */
export type Variant = keyof typeof programsOf;
export const variants: readonly Variant[] = ['nft', 'legacy'];

/** An attached container. */
export interface Attached extends Container {
  readonly address4: string;
  readonly address6: string;
  /** bridge's result. */
  readonly result: AddResult;
  /** firewall's whole configuration, `prevResult` included. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Keys of firewall's configuration. */
export type Keys = Readonly<Record<string, unknown>>;

/** The network's name, which is its bridge's as well. */
export interface Where {
  readonly network?: string;
  /** Another bridge than the network's own. */
  readonly bridge?: string;
}

/** A container connected by bridge, of which firewall knows nothing yet. */
export async function connect(
  name: string,
  keys: Keys = {},
  { network = 'cni0', bridge }: Where = {},
): Promise<Attached> {
  const container = createContainer(name);
  const result = await add({ plugin: 'bridge', container, config: configOfBridge(network, bridge) });
  const [address4 = '', address6 = ''] = (result.ips ?? []).map(({ address }) => address.split('/')[0] ?? '');
  return { ...container, result, address4, address6, config: configOf(network, result, keys) };
}

/** Two networks on one bridge are in one subnet, which is the bridge's; the second one has the upper addresses. */
function configOfBridge(network: string, bridge = network): object {
  const config = bridgeConfig(bridge);
  if (bridge === network) return config;
  const { ranges } = config.ipam as { ranges: { subnet: string }[][] };
  const upper = ranges.map(([{ subnet } = { subnet: '' }]) => [
    { subnet, rangeStart: subnet.replace(/\.0\/24$/, '.100').replace(/::\/64$/, '::100') },
  ]);
  return { ...config, name: network, ipam: { type: 'host-local', ranges: upper } };
}

/** A container connected by bridge and firewall. */
export async function attach(name: string, keys: Keys = {}, where: Where = {}): Promise<Attached> {
  const attached = await connect(name, keys, where);
  await add({ plugin: 'firewall', container: attached, config: attached.config });
  return attached;
}

/** firewall's configuration, as a runtime makes it. */
export function configOf(
  network: string,
  prevResult: object,
  keys: Keys = {},
): Readonly<Record<string, unknown>> {
  return { cniVersion: '1.1.0', name: network, type: 'firewall', ...keys, prevResult };
}

/** A container that only firewall knows: it asks nothing of the namespace. Its addresses are made of the number. */
export function imagine(name: string, number: number, keys: Keys = {}, network = 'cni0'): Attached {
  const address4 = `10.99.${number >> 8}.${number & 255}`;
  const address6 = `fd99::${number.toString(16)}`;
  const netns = `/run/netns/${name}`;
  const result = {
    cniVersion: '1.1.0',
    interfaces: [{ name: network }, { name: `veth${number}` }, { name: 'eth0', sandbox: netns }],
    ips: [
      { address: `${address4}/16`, interface: 2 },
      { address: `${address6}/64`, interface: 2 },
    ],
  };
  const nothing = () => undefined;
  const config = configOf(network, result, keys);
  return { id: name, netns, address4, address6, result, config, remove: nothing, [Symbol.dispose]: nothing };
}

/** ADD of an imagined container. */
export async function addImagined(
  name: string,
  number: number,
  keys: Keys = {},
  network = 'cni0',
): Promise<Attached> {
  const imagined = imagine(name, number, keys, network);
  await add({ plugin: 'firewall', container: imagined, config: imagined.config });
  return imagined;
}

/** DEL of firewall alone. */
export function release(attached: Attached, config: object = attached.config): Promise<void> {
  return del({ plugin: 'firewall', container: attached, config });
}

/** firewall, called whatever comes of it. */
export function call(command: string, container: Container, config: object): Promise<PluginEnded> {
  return runPlugin({ plugin: 'firewall', command, container, config, ifname: 'eth0' });
}

/** What CHECK says: its message and details as one text; empty if all is well. */
export async function checked({ config, ...container }: Attached): Promise<string> {
  const { exitCode, json } = await call('CHECK', container, config);
  if (exitCode === 0) return '';
  const { code, msg, details } = json as { code: number; msg: string; details?: string };
  return `${code}: ${msg}${details === undefined ? '' : `; ${details}`}`;
}

/** Whether a ping is answered by both families' addresses: `46`, one of them, or `-`. */
export async function reach(
  from: Container | undefined,
  to: { readonly address4: string; readonly address6: string },
  seconds = 1,
): Promise<string> {
  const [four, six] = await Promise.all(
    [to.address4, to.address6].map((address) => ping(from?.netns, address, seconds)),
  );
  return `${four ? '4' : ''}${six ? '6' : ''}` || '-';
}

/** iptables of both families, with the same arguments. */
export async function iptables(variant: Variant, ...args: readonly string[]): Promise<void> {
  for (const program of programsOf[variant]) await output([program, ...args]);
}

/** FORWARD drops whatever nobody accepts. */
export const dropForwarded = (variant: Variant) => iptables(variant, '-P', 'FORWARD', 'DROP');

/** All rules of an iptables, both families, without counters and comments of the program's. */
export async function saved(variant: Variant): Promise<string[]> {
  const texts = await Promise.all(programsOf[variant].map((program) => output([`${program}-save`])));
  return texts
    .join('\n')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/ ?\[\d+:\d+\] ?/, ''));
}

/** Those of them that firewall did not write. */
export async function foreign(variant: Variant): Promise<string[]> {
  return (await saved(variant)).filter((line) => !/CNI-(FORWARD|ADMIN)/.test(line));
}

/** Everything but Fairlead's tables and what firewall writes into FORWARD, as nft has it. */
export async function foreignTables(): Promise<string> {
  const tables = (await nft('-a', 'list', 'ruleset')).split(/\n(?=table )/);
  return tables
    .filter((table) => !/^table (inet|bridge) fairlead /.test(table))
    .join('\n')
    .trim();
}

/** The elements of firewall's sets, a line each as nft writes them. */
export async function elements(): Promise<string[]> {
  const found: string[] = [];
  for (const family of ['inet', 'bridge']) {
    const { stdout } = await runProgram(['nft', 'list', 'table', family, 'fairlead']);
    for (const set of stdout
      .split(/\n\t(?=set |map |chain )/)
      .filter((text) => /^(set|map) firewall-/.test(text))) {
      const [, name = ''] = set.split(' ');
      const listed = /elements = \{([^}]*)\}/.exec(set)?.[1] ?? '';
      for (const element of listed.split(','))
        if (element.trim() !== '') found.push(`${name} ${element.trim()}`);
    }
  }
  return found.sort();
}

/** Ends everything that a test started; both iptables as on a new node. */
export async function cleanUp(): Promise<void> {
  await flush();
  await nft('flush', 'ruleset');
  for (const program of programsOf.legacy) {
    await output([program, '-P', 'FORWARD', 'ACCEPT']);
    for (const option of ['-F', '-X']) await output([program, option]);
  }
}

/** How long a test may take. */
export const patience = limit(20);
