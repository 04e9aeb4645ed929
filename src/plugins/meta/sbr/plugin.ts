/** sbr: answers leave by the interface that was asked, by a routing table for each address. A drop-in for the reference's. */
import {
  type AddRequest,
  type CheckRequest,
  CniError,
  type DelRequest,
  definePlugin,
  messageOf,
  type Result,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { listAddresses } from '../../../kernel/rtnetlink/address.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { listRoutes, mainTable } from '../../../kernel/rtnetlink/route.ts';
import { deleteRouteRequest, replaceRouteRequest } from '../../../kernel/rtnetlink/route-change.ts';
import {
  addRuleRequest,
  deleteRule,
  deleteRuleRequest,
  listRules,
  type NewRule,
} from '../../../kernel/rtnetlink/rule.ts';
import { addressBits, type IpAddress, type IpFamily, sameAddress } from '../../../lib/ip.ts';
import { openContainer, openContainerIfThere, openNode } from '../../../plugin/namespaces.ts';
import { refuseProblems, runAll } from '../../../plugin/steps.ts';
import { chainedLink, chainedResult } from '../../shared/chained.ts';
import { isKernelTable } from '../../shared/free-table.ts';
import { lockNamespace } from '../../shared/namespace-lock.ts';
import { routingProblems } from './check.ts';
import { type SbrConfig, sbrSchema } from './config.ts';
import { type Plan, planOf } from './plan.ts';
import { someSources, sourcesOf } from './sources.ts';

export const plugin = definePlugin({
  name: 'sbr',
  about: 'routes by source address: answers leave by the interface that was asked',
  config: sbrSchema,
  add,
  del,
  check,
  status,
});

async function add(request: AddRequest<SbrConfig>): Promise<Result> {
  const { attachment, config } = request;
  const previous = chainedResult(request);
  const sources = someSources(attachment.ifname, previous);
  using container = openContainer(attachment);
  await lockNamespace(container.netns);
  const link = chainedLink(container, attachment);
  const plan = planOf(sources, config, {
    link,
    rules: listRules(container),
    routes: listRoutes(container),
  });
  try {
    apply(container, plan);
  } catch (error) {
    takeBack(container, plan);
    throw error;
  }
  return previous;
}

/** One step to a process that is killed. */
function apply(container: Connection, { sources, hints, removed }: Plan): void {
  container.requestAll([
    ...sources.flatMap(({ routes }) => routes.map(replaceRouteRequest)),
    ...sources.map(({ rule }) => addRuleRequest(rule)),
    ...hints.map(replaceRouteRequest),
    ...removed.map(deleteRouteRequest),
  ]);
}

/** After an ADD that the kernel refused in part: the routes are in the main table again, and nowhere else. */
function takeBack(container: Connection, { sources, hints, removed }: Plan): void {
  const requests = [
    ...sources.map(({ rule }) => deleteRuleRequest(rule)),
    ...removed.map(replaceRouteRequest),
    ...hints.filter(({ dst }) => dst.address.family === 6).map(deleteRouteRequest),
    ...sources.flatMap(({ routes }) => routes.map(deleteRouteRequest)),
  ];
  try {
    container.requestAll(requests);
  } catch (error) {
    // What had not been made cannot be taken back.
    if (!isNetlinkError(error)) throw error;
  }
}

/** Removes the rules for what are the interface's addresses, by the kernel or by the result of ADD, and gives the main table its routes back. */
async function del({ attachment, config, previousResult = {} }: DelRequest<SbrConfig>): Promise<void> {
  using container = openContainerIfThere(attachment);
  if (container === undefined) return;
  const link = getLink(container, attachment.ifname);
  const addresses = [
    ...sourcesOf(attachment.ifname, previousResult).map(({ prefix }) => prefix.address),
    ...(link === undefined ? [] : addressesOf(container, link)),
  ];
  const isOwn = (address: IpAddress) => addresses.some((one) => sameAddress(one, address));
  const rules = listRules(container).flatMap((rule) => {
    const { src, action, table, family } = rule;
    if (src === undefined || src.length !== addressBits(family) || !isOwn(src.address)) return [];
    if (action !== 'table' || (config.table !== undefined && config.table !== table)) return [];
    return [{ ...rule, action }];
  });
  await runAll([
    // Before the rules, by which a second DEL finds the tables.
    () => {
      if (link !== undefined && config.table === undefined)
        emptyTables(container, link, rules, previousResult);
    },
    ...rules.map((rule) => () => deleteIfThere(container, rule)),
  ]);
}

/**
 * Moves the interface's routes from the tables that its addresses had back into the main table. A default route was
 * there before only if the result of ADD has one; a fixed table's routes are somebody else's.
 */
function emptyTables(container: Connection, link: Link, rules: readonly NewRule[], result: Result): void {
  const tables = new Set(rules.map(({ table }) => table));
  const routes = listRoutes(container, { oif: link.index }).filter(
    ({ table }) => tables.has(table) && !isKernelTable(table),
  );
  const hadDefault = (family: IpFamily) =>
    (result.routes ?? []).some(({ dst }) => dst === (family === 4 ? '0.0.0.0/0' : '::/0'));
  const back = routes.filter(({ dst }) => dst.length > 0 || hadDefault(dst.address.family));
  const ordered = [...back.filter(({ gateway }) => !gateway), ...back.filter(({ gateway }) => gateway)];
  try {
    container.requestAll([
      ...ordered.map((one) => replaceRouteRequest({ ...one, table: mainTable, onlink: one.flags.onlink })),
      ...routes.map(deleteRouteRequest),
    ]);
  } catch (error) {
    // Somebody else was faster, or the interface is down, and its routes go anyway.
    if (!isNetlinkError(error)) throw error;
  }
}

function addressesOf(container: Connection, link: Link): IpAddress[] {
  return listAddresses(container, { link }).map(({ prefix }) => prefix.address);
}

function deleteIfThere(container: Connection, rule: NewRule): void {
  try {
    deleteRule(container, rule);
  } catch (error) {
    if (!isNetlinkError(error, 'ENOENT')) throw error;
  }
}

function check({ attachment, config, previousResult }: CheckRequest<SbrConfig>): void {
  const sources = sourcesOf(attachment.ifname, previousResult);
  using container = openContainer(attachment);
  const link = chainedLink(container, attachment);
  refuseProblems(routingProblems(container, link, sources, config, previousResult));
}

function status(): void {
  using node = openNode();
  try {
    listRules(node);
  } catch (error) {
    throw new CniError(
      'pluginNotAvailable',
      'sbr needs routing by rules in the kernel (IP_MULTIPLE_TABLES, IPV6_MULTIPLE_TABLES)',
      messageOf(error),
    );
  }
}
