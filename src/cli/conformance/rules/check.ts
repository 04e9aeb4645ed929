/** CHECK: SPEC.md section 2, "CHECK", since 0.4.0. */
import { rtnetlink } from '../../../kernel/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { parsePrefix } from '../../../lib/ip.ts';
import { type Attached, type Bench, describe } from '../bench.ts';
import { fails, silent, succeeds } from '../expect.ts';
import { addressIn, inside, linkIn, look, routeIn } from '../look.ts';
import { NotTried, type Rule, section } from '../rule.ts';
import { needsOwnInterface } from './add.ts';

const check = section(2, "CHECK: Check container's networking is as expected");

/** A rule that CHECK fails after something that the result claims was taken away. */
function noticesLoss(id: string, what: string, remove: (bench: Bench, attached: Attached) => void): Rule {
  return {
    id,
    group: 'CHECK',
    text: `CHECK fails where ${what} of the result is missing`,
    section: check,
    level: 'should',
    kinds: ['interface'],
    since: '0.4.0',
    run: async (bench) => {
      const attached = await passing(bench);
      remove(bench, attached);
      fails(await bench.on('CHECK', attached), `CHECK without ${what}`, 'the result says otherwise');
    },
  };
}

/** Rules about CHECK. */
export const checkRules: readonly Rule[] = [
  {
    id: 'check-passes',
    group: 'CHECK',
    text: 'CHECK right after ADD succeeds, and again',
    section: check,
    level: 'must',
    since: '0.4.0',
    run: async (bench) => {
      const attached = await bench.attach();
      succeeds(await bench.on('CHECK', attached), 'CHECK right after ADD');
      succeeds(await bench.on('CHECK', attached), 'a second CHECK');
    },
  },
  noticesLoss('check-interface', 'the interface', (bench, { container, ifname }) => {
    needsOwnInterface(bench);
    within(container.netns, (connection) => rtnetlink.deleteLink(connection, ifname));
  }),
  noticesLoss('check-address', 'an address', (bench, { container, result }) => {
    needsOwnInterface(bench);
    const state = look(container.netns);
    const found = (result.ips ?? []).map(({ address }) => addressIn(state, address)).find((each) => each);
    const link = state.links.find(({ index }) => index === found?.linkIndex);
    if (found === undefined || link === undefined)
      throw new NotTried('the result has no address in the namespace');
    within(container.netns, (connection) => rtnetlink.deleteAddress(connection, link, found));
  }),
  noticesLoss('check-route', 'a route', (_, { container, result }) => {
    const state = look(container.netns);
    const found = (result.routes ?? [])
      .map(({ dst, gw }) => routeIn(state, dst, gw || undefined))
      .find((each) => each);
    if (found === undefined) throw new NotTried('the result has no route in the namespace');
    within(container.netns, (connection) => rtnetlink.deleteRoute(connection, found));
  }),
  {
    id: 'check-later-plugins',
    group: 'CHECK',
    text: 'CHECK allows what a later plugin has added: an address, a route, an interface',
    section: check,
    level: 'must',
    kinds: ['interface'],
    since: '0.4.0',
    run: async (bench) => {
      needsOwnInterface(bench);
      const attached = await passing(bench);
      const prevResult = addAsLaterPlugin(attached);
      const answer = await bench.on('CHECK', attached, { config: { prevResult } });
      succeeds(answer, 'CHECK after 203.0.113.7/32, a route and an interface were added');
    },
  },
  {
    id: 'check-silent',
    group: 'CHECK',
    text: 'CHECK prints nothing on standard output when it succeeds',
    section: 'SPEC.md 1.1.0, appendix, "Check example"',
    level: 'should',
    since: '0.4.0',
    run: async (bench) => {
      const attached = await bench.attach();
      const answer = await bench.on('CHECK', attached);
      if (answer.failed) throw new NotTried(`CHECK fails (rule check-passes): ${describe(answer)}`);
      silent(answer.stdout, 'CHECK');
    },
  },
];

/** An attachment that CHECK is satisfied with. */
async function passing(bench: Bench): Promise<Attached> {
  const attached = await bench.attach();
  const before = await bench.on('CHECK', attached);
  if (before.failed)
    throw new NotTried(`CHECK fails right after ADD (rule check-passes): ${describe(before)}`);
  return attached;
}

function within(netns: string, call: (connection: Connection) => void): void {
  inside(netns, call);
}

/** Adds what a later plugin may add, and returns the final result of such a chain. */
function addAsLaterPlugin({ container, ifname, json }: Attached): object {
  const prefix = parsePrefix('203.0.113.7/32');
  const dst = parsePrefix('203.0.113.64/26');
  within(container.netns, (connection) => {
    const link = linkIn(look(container.netns), ifname);
    if (link === undefined || prefix === undefined || dst === undefined)
      throw new NotTried(`there is no interface ${ifname} (rule add-creates-interface)`);
    rtnetlink.createLink(connection, { kind: 'bridge', name: 'later0', up: true });
    rtnetlink.replaceAddress(connection, link, { prefix });
    rtnetlink.replaceRoute(connection, { dst, oif: link });
  });
  const { interfaces, ips, routes } = json as Record<'interfaces' | 'ips' | 'routes', unknown>;
  const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  const own = listed(interfaces).findIndex((each) => (each as { name?: unknown }).name === ifname);
  const version = json.cniVersion === '0.4.0' ? { version: '4' } : {};
  return {
    ...json,
    interfaces: [...listed(interfaces), { name: 'later0', sandbox: container.netns }],
    ips: [...listed(ips), { ...version, address: '203.0.113.7/32', ...(own >= 0 && { interface: own }) }],
    routes: [...listed(routes), { dst: '203.0.113.64/26' }],
  };
}
