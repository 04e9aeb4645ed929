/** CHECK: SPEC.md section 2, "CHECK", since 0.4.0. */

import { isJsonObject, type JsonObject } from '../../../cni/json.ts';
import { isNetlinkError, rtnetlink } from '../../../kernel/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { addressBits, parseAddress, parsePrefix } from '../../../lib/ip.ts';
import { type Attached, type Bench, describe, listIn, objectIn } from '../bench.ts';
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
    within(container.netns, (connection) => exchangeAddress(connection, link, found));
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
    id: 'check-gateway',
    group: 'CHECK',
    text: 'CHECK allows a route without `gw`, for which the gateway of an address is used',
    section: `${section(5, 'ADD Success')}, \`routes\``,
    level: 'must',
    kinds: ['interface'],
    since: '0.4.0',
    run: async (bench) => {
      await bench.on('DEL', await passing(bench));
      const config = withoutGateways(bench);
      const attached = await bench.attach({ config });
      succeeds(await bench.on('CHECK', attached, { config }), 'CHECK with a route without gw');
    },
  },
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

/** Another address of the same network instead, and the routes that went with the first one: nothing else is missing. */
function exchangeAddress(
  connection: Connection,
  link: rtnetlink.Link,
  { prefix, peer }: rtnetlink.Address,
): void {
  const before = rtnetlink.listRoutes(connection, { table: rtnetlink.mainTable });
  rtnetlink.deleteAddress(connection, link, { prefix, peer });
  const { address, length } = prefix;
  if (length < addressBits(address.family)) {
    const neighbour = { family: address.family, value: address.value ^ 1n };
    rtnetlink.replaceAddress(connection, link, { prefix: { address: neighbour, length }, noDad: true });
  }
  // Those without gateway first: they are the way to the gateways of the others.
  const lost = before.filter(({ protocol }) => protocol !== rtnetlink.routeProtocols.kernel);
  for (const route of lost.sort((a, b) => Number(a.gateway !== undefined) - Number(b.gateway !== undefined)))
    restore(connection, route);
}

function restore(connection: Connection, route: rtnetlink.Route): void {
  try {
    rtnetlink.replaceRoute(connection, { ...route, prefSrc: undefined });
  } catch (error) {
    // It needs the address that was taken away.
    if (!isNetlinkError(error)) throw error;
  }
}

/** The configuration with the IPAM plugin's routes left to the gateways of their addresses. */
function withoutGateways({ subject }: Bench): JsonObject {
  const ipam = objectIn(subject.config, 'ipam');
  const routes = listIn(ipam ?? {}, 'routes').filter(isJsonObject);
  if (ipam === undefined || !routes.some((route) => 'gw' in route))
    throw new NotTried('its configuration has no route with `gw` in `ipam`');
  return { ipam: { ...ipam, routes: routes.map(({ gw: _, ...route }) => route) } };
}

function within(netns: string, call: (connection: Connection) => void): void {
  inside(netns, call);
}

/** Adds what a later plugin may add, and returns the final result of such a chain. */
function addAsLaterPlugin({ container, ifname, json, result }: Attached): object {
  const prefix = parsePrefix('203.0.113.7/32');
  const dst = parsePrefix('203.0.113.64/26');
  const gw = result.ips?.find(({ gateway }) => gateway?.includes('.'))?.gateway;
  const gateway = parseAddress(gw ?? '');
  within(container.netns, (connection) => {
    const link = linkIn(look(container.netns), ifname);
    if (link === undefined || prefix === undefined || dst === undefined)
      throw new NotTried(`there is no interface ${ifname} (rule add-creates-interface)`);
    rtnetlink.createLink(connection, { kind: 'bridge', name: 'later0', up: true });
    rtnetlink.replaceAddress(connection, link, { prefix });
    if (gateway !== undefined) rtnetlink.replaceRoute(connection, { dst, gateway, oif: link });
  });
  const interfaces = listIn(json, 'interfaces');
  const own = interfaces.findIndex((each) => isJsonObject(each) && each.name === ifname);
  const version = json.cniVersion === '0.4.0' ? { version: '4' } : {};
  return {
    ...json,
    interfaces: [...interfaces, { name: 'later0', sandbox: container.netns }],
    ips: [
      ...listIn(json, 'ips'),
      { ...version, address: '203.0.113.7/32', ...(own >= 0 && { interface: own }) },
    ],
    routes: [...listIn(json, 'routes'), ...(gw === undefined ? [] : [{ dst: '203.0.113.64/26', gw }])],
  };
}
