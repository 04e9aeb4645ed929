/** Rules that choose the routing table: struct fib_rule_hdr and the FRA_ attributes (linux/fib_rules.h). */
import { formatPrefix, type IpFamily, type Prefix } from '../../lib/ip.ts';
import { attribute } from '../netlink/attributes.ts';
import { cstring, ipAddress, reserved, u8, u32 } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { type Frame, messageLayout, NLM_F_CREATE, NLM_F_EXCL, type Request } from '../netlink/message.ts';
import { addressFamily, ipFamily } from './codecs.ts';

const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RTM_GETRULE = 34;
/** FIB_RULE_INVERT */
const invertFlag = 2;

/** FR_ACT_*; jumps (goto) are not written here. */
const actions = { table: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const;

const message = messageLayout(
  { family: u8, dstLength: u8, srcLength: u8, tos: u8, table: u8, pad: reserved(2), action: u8, flags: u32 },
  {
    dst: attribute(1, ipAddress),
    src: attribute(2, ipAddress),
    iif: attribute(3, cstring),
    priority: attribute(6, u32),
    mark: attribute(10, u32),
    suppressPrefixLength: attribute(14, u32),
    table: attribute(15, u32),
    mask: attribute(16, u32),
    oif: attribute(17, cstring),
    protocol: attribute(21, u8),
  },
);

/** A rule: packets that have all that is said of them are handled by the action. */
export interface Rule {
  readonly family: IpFamily;
  /** Rules are tried by rising priority; the kernel chooses one when absent. */
  readonly priority?: number | undefined;
  readonly src?: Prefix | undefined;
  readonly dst?: Prefix | undefined;
  /** Names of links, which need not be there. */
  readonly iif?: string | undefined;
  readonly oif?: string | undefined;
  /** The packet's mark, under the mask (all bits when absent). */
  readonly mark?: number | undefined;
  readonly mask?: number | undefined;
  /** The rule is for packets that do not match. */
  readonly invert?: boolean | undefined;
  /** What is done: `table` looks a table up. Undefined when read and not known here. */
  readonly action: keyof typeof actions | undefined;
  readonly table?: number | undefined;
  /** Routes found whose prefix is not longer are passed over; 0 passes over default routes. */
  readonly suppressPrefixLength?: number | undefined;
  /** RTPROT_*: who made it. */
  readonly protocol?: number | undefined;
}

/** A rule to be added, or by which to find one to be deleted. */
export type NewRule = Rule & { readonly action: Exclude<keyof typeof actions, 'goto'> };

/** The rules of a family, or of both. Throws NetlinkError. */
export function listRules(connection: Connection, family?: IpFamily): Rule[] {
  const families: IpFamily[] = family === undefined ? [4, 6] : [family];
  return families.flatMap((each) => {
    const body = message.encode({ family: addressFamily(each) }, {});
    const frames = connection.dump({ operation: `list IPv${each} rules`, type: RTM_GETRULE, body });
    return frames.flatMap((frame) => decodeRule(frame) ?? []);
  });
}

function decodeRule(frame: Frame): Rule | undefined {
  const family = ipFamily(frame.body[0] ?? 0);
  if (family === undefined) return undefined;
  const { header, attributes } = message.decode(frame.body);
  const { dst, src, suppressPrefixLength, mark, mask } = attributes;
  const table = attributes.table ?? header.table;
  const names = Object.keys(actions) as (keyof typeof actions)[];
  return {
    family,
    priority: attributes.priority ?? 0, // the kernel leaves out 0, the local table's rule
    src: src && { address: src, length: header.srcLength },
    dst: dst && { address: dst, length: header.dstLength },
    iif: attributes.iif,
    oif: attributes.oif,
    mark,
    mask,
    invert: (header.flags & invertFlag) !== 0,
    action: names.find((name) => actions[name] === header.action),
    table: table === 0 ? undefined : table,
    // The kernel tells -1 where nothing is suppressed.
    suppressPrefixLength: suppressPrefixLength === 0xffff_ffff ? undefined : suppressPrefixLength,
    protocol: attributes.protocol,
  };
}

/** Adds a rule; EEXIST when there is the same one. */
export function addRuleRequest(rule: NewRule): Request {
  return request('add', RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

/** Sends addRuleRequest. Throws NetlinkError. */
export function addRule(connection: Connection, rule: NewRule): void {
  connection.request(addRuleRequest(rule));
}

/** Deletes the first rule that has everything that is given; ENOENT when there is none. */
export function deleteRuleRequest(rule: NewRule): Request {
  return request('delete', RTM_DELRULE, 0, rule);
}

/** Sends deleteRuleRequest. Throws NetlinkError. */
export function deleteRule(connection: Connection, rule: NewRule): void {
  connection.request(deleteRuleRequest(rule));
}

function request(verb: string, type: number, flags: number, rule: NewRule): Request {
  const { family, src, dst, table = 0, action, invert, ...rest } = rule;
  const header = {
    family: addressFamily(family),
    dstLength: dst?.length,
    srcLength: src?.length,
    table: table < 256 ? table : 0,
    action: actions[action],
    flags: invert ? invertFlag : 0,
  };
  const { priority, iif, oif, mark, mask, suppressPrefixLength, protocol } = rest;
  const values = { priority, iif, oif, mark, mask, suppressPrefixLength, protocol };
  return {
    operation: `${verb} IPv${family} rule ${describe(rule)}`,
    type,
    flags,
    body: message.encode(header, {
      ...values,
      dst: dst?.address,
      src: src?.address,
      table: table === 0 ? undefined : table,
    }),
  };
}

/** A rule in the words of `ip rule`. */
function describe(rule: NewRule): string {
  const words = [
    rule.priority !== undefined && `priority ${rule.priority}`,
    rule.invert && 'not',
    `from ${rule.src ? formatPrefix(rule.src) : 'all'}`,
    rule.dst && `to ${formatPrefix(rule.dst)}`,
    rule.mark !== undefined && `fwmark 0x${rule.mark.toString(16)}`,
    rule.iif && `iif ${rule.iif}`,
    rule.oif && `oif ${rule.oif}`,
    rule.action === 'table' ? `lookup ${rule.table}` : rule.action,
  ];
  return words.filter(Boolean).join(' ');
}
