/**
 * What cannot be had for less: the start of an empty program on the same runtime, and the kernel's own time for what
 * a bridge attachment asks of it. What a plugin takes beyond their sum is Fairlead's own.
 */
import { writeFileSync } from 'node:fs';
import { compile } from '../scripts/compile.ts';
import { type Connection, NETLINK_ROUTE, openConnection } from '../src/kernel/netlink/connection.ts';
import { createNetns, openNetns, removeNetns } from '../src/kernel/netns/netns.ts';
import { ipv4Addr } from '../src/kernel/nftables/datatype.ts';
import { createElements, deleteElements } from '../src/kernel/nftables/element.ts';
import { openNftables } from '../src/kernel/nftables/operation.ts';
import { addSet, defineSet } from '../src/kernel/nftables/set.ts';
import { addTable, deleteTable } from '../src/kernel/nftables/table.ts';
import { commit } from '../src/kernel/nftables/transaction.ts';
import {
  addAddressRequest,
  addRouteRequest,
  changeLinkRequest,
  createLink,
  deleteLink,
  getLink,
} from '../src/kernel/rtnetlink/index.ts';
import { address, prefix } from '../src/lib/ip-literal.ts';
import { mean, median, runProcess } from './measure.ts';

/** The parts of the floor, medians in milliseconds. */
export interface Floor {
  /** From execution to exit of a program that does nothing. */
  readonly emptyStart: number;
  /** The processor's part of that outside the kernel. */
  readonly emptyUser: number;
  /** A veth pair into a namespace and onto a bridge, up, with address and default route. */
  readonly kernelAdd: number;
  /** The pair's deletion. */
  readonly kernelDel: number;
  /** One transaction that adds, or deletes, an element of a set. */
  readonly element: number;
}

/** Measures all parts. */
export function measureFloor(scratch: string, rounds: number): Floor {
  return {
    ...emptyStart(scratch, rounds),
    ...kernelTimes(scratch, rounds),
    element: element(rounds),
  };
}

function emptyStart(scratch: string, rounds: number): Pick<Floor, 'emptyStart' | 'emptyUser'> {
  writeFileSync(`${scratch}/empty.ts`, 'export {};\n');
  compile(`${scratch}/empty.ts`, `${scratch}/empty`);
  const starts = Array.from({ length: rounds + 2 }, () => runProcess(`${scratch}/empty`)).slice(2);
  return {
    emptyStart: median(starts.map(({ ms }) => ms)),
    emptyUser: mean(starts.map(({ userMs }) => userMs)),
  };
}

function kernelTimes(scratch: string, rounds: number): { kernelAdd: number; kernelDel: number } {
  const node = openConnection(NETLINK_ROUTE);
  createLink(node, { kind: 'bridge', name: 'floor0', up: true });
  const [add, del]: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round < rounds; round++) {
      const netns = `${scratch}/floor`;
      createNetns(netns);
      try {
        add.push(timed(() => attach(node, netns)));
        del.push(timed(() => deleteLink(node, 'floor1')));
      } finally {
        removeNetns(netns);
      }
    }
  } finally {
    deleteLink(node, 'floor0');
    node.close();
  }
  return { kernelAdd: median(add), kernelDel: median(del) };
}

/** The fewest requests that make an attachment; what is measured is what the kernel makes of them. */
function attach(node: Connection, path: string): void {
  const netns = openNetns(path);
  const container = openConnection(NETLINK_ROUTE, netns);
  const bridge = getLink(node, 'floor0');
  const data = { peer: { name: 'eth0', netns: netns.fd } };
  createLink(node, { kind: 'veth', name: 'floor1', master: bridge?.index, up: true, data });
  const link = getLink(container, 'eth0');
  if (link === undefined) throw new Error('the veth pair has no other side');
  container.requestAll([
    changeLinkRequest(link, { up: true }),
    addAddressRequest(link, { prefix: prefix('10.99.0.2/16') }),
    addRouteRequest({ dst: prefix('0.0.0.0/0'), oif: link, gateway: address('10.99.0.1') }),
  ]);
  container.close();
  netns.close();
}

function element(rounds: number): number {
  const connection = openNftables();
  const table = { family: 'inet', name: 'fairlead-bench' } as const;
  const set = defineSet({ table, name: 'floor', key: [ipv4Addr] });
  const key = [prefix('10.99.0.2/16').address] as const;
  commit(connection, [addTable(table), addSet(set)]);
  try {
    const times = Array.from({ length: rounds }, () => [
      timed(() => commit(connection, createElements(set, [{ key }]))),
      timed(() => commit(connection, deleteElements(set, [{ key }]))),
    ]);
    return median(times.flat());
  } finally {
    commit(connection, [deleteTable(table)]);
    connection.close();
  }
}

function timed(call: () => void): number {
  const start = Bun.nanoseconds();
  call();
  return (Bun.nanoseconds() - start) / 1e6;
}
