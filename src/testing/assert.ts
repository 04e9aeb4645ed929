/**
 * Assertions on what the kernel has, to be read as sentences:
 *
 *     assertThat(container).hasLink('eth0').up().withAddress('10.1.0.5/16');
 *     assertThat(container).hasRoute('0.0.0.0/0', { via: '10.1.0.1' });
 *     await assertThat(container).reaches('10.1.0.1');
 *
 * They throw node:assert's AssertionError, which every test runner shows well.
 */
import { AssertionError } from 'node:assert';
import { atTheTest } from './at-the-test.ts';
import { inspect, type Place, type SeenLink, type SeenRoute } from './inspect.ts';
import { ask, type Protocol, ping } from './traffic.ts';

/** What can be said of a link; each returns the same, for more. */
export interface LinkAssertion {
  /** Set up by someone. */
  up(): LinkAssertion;
  down(): LinkAssertion;
  /** Has this address with its prefix length. */
  withAddress(address: string): LinkAssertion;
  /** Has no address, but for IPv6's own of each link. */
  withoutAddress(): LinkAssertion;
  withMac(mac: string): LinkAssertion;
  withMtu(mtu: number): LinkAssertion;
  /** Of a kind, as iproute2 names it: `veth`, `bridge`. */
  ofKind(kind: string): LinkAssertion;
  /** A port of this bridge, bond or VRF. */
  portOf(master: string): LinkAssertion;
}

/** How an address is to be reached; by ping if left out. */
export interface Reach {
  readonly protocol: Protocol;
  readonly port: number;
}

/** What can be said of a namespace. */
export interface Assertion {
  hasLink(name: string): LinkAssertion;
  hasNoLink(name: string): void;
  /** A route of the main table; `dst` is a prefix, `0.0.0.0/0` the default. */
  hasRoute(dst: string, by?: Omit<SeenRoute, 'dst'>): void;
  hasNoRoute(dst: string): void;
  /** Real packets arrive and are answered: by ping, or by what `serve` started there. Waits three seconds at most. */
  reaches(address: string, by?: Reach): Promise<void>;
  /** Nothing answers for one second. */
  doesNotReach(address: string, by?: Reach): Promise<void>;
}

/** Asserts on a container, or on `'node'`, the node that the tests run on. */
export function assertThat(place: Place): Assertion {
  const netns = place === 'node' ? undefined : place.netns;
  const answered = async (address: string, by: Reach | undefined, timeoutSeconds: number) =>
    by === undefined
      ? ping(netns, address, timeoutSeconds)
      : (await ask(netns, by.protocol, address, by.port, { timeoutSeconds })) !== undefined;
  const target = (address: string, by?: Reach) =>
    by ? `${by.protocol} port ${by.port} of ${address}` : address;
  return {
    hasLink(name) {
      const { links, where } = inspect(place);
      const link = links.find((one) => one.name === name);
      if (link === undefined)
        throw failed(
          `${where} should have a link ${name}`,
          name,
          links.map((one) => one.name),
        );
      return linkAssertion(link, where);
    },
    hasNoLink(name) {
      const { links, where } = inspect(place);
      if (links.some((link) => link.name === name))
        throw failed(`${where} should have no link ${name}`, undefined, name);
    },
    hasRoute(dst, by = {}) {
      const { routes, where } = inspect(place);
      const expected: SeenRoute = { dst, ...by };
      const isExpected = (route: SeenRoute) => {
        const keys = Object.keys(expected) as (keyof SeenRoute)[];
        return keys.every((key) => route[key] === expected[key]);
      };
      if (routes.some(isExpected)) return;
      throw failed(`${where} should have the route ${JSON.stringify(expected)}`, expected, routes);
    },
    hasNoRoute(dst) {
      const { routes, where } = inspect(place);
      const found = routes.filter((route) => route.dst === dst);
      if (found.length > 0) throw failed(`${where} should have no route to ${dst}`, undefined, found);
    },
    async reaches(address, by) {
      if (await answered(address, by, 3)) return;
      throw failed(`${inspect(place).where} should reach ${target(address, by)}`, 'an answer', 'none in 3 s');
    },
    async doesNotReach(address, by) {
      if (!(await answered(address, by, 1))) return;
      throw failed(
        `${inspect(place).where} should not reach ${target(address, by)}`,
        'no answer',
        'an answer',
      );
    },
  };
}

function linkAssertion(link: SeenLink, where: string): LinkAssertion {
  const claim = (
    text: string,
    expected: unknown,
    actual: unknown,
    holds = expected === actual,
  ): LinkAssertion => {
    if (!holds) throw failed(`link ${link.name} of ${where} should ${text}`, expected, actual);
    return assertion;
  };
  const own = link.addresses.filter((address) => !address.startsWith('fe80:'));
  const assertion: LinkAssertion = {
    up: () => claim('be up', 'up', link.flags.up ? 'up' : 'down'),
    down: () => claim('be down', 'down', link.flags.up ? 'up' : 'down'),
    withAddress: (address) =>
      claim(`have address ${address}`, address, link.addresses, link.addresses.includes(address)),
    withoutAddress: () => claim('have no address', [], own, own.length === 0),
    withMac: (mac) => claim(`have hardware address ${mac}`, mac.toLowerCase(), link.mac),
    withMtu: (mtu) => claim(`have MTU ${mtu}`, mtu, link.mtu),
    ofKind: (kind) => claim(`be of kind ${kind}`, kind, link.kindName),
    portOf: (master) => {
      const { links } = inspect(where === 'the node' ? 'node' : { netns: where });
      const name = links.find(({ index }) => index === link.master)?.name;
      return claim(`be a port of ${master}`, master, name);
    },
  };
  return assertion;
}

function failed(sentence: string, expected: unknown, actual: unknown): AssertionError {
  const shown = typeof actual === 'string' ? actual : JSON.stringify(actual);
  const message = `${sentence}; what is there: ${shown ?? 'nothing'}`;
  return atTheTest(new AssertionError({ message, expected, actual, operator: 'assertThat' }));
}
