/** Chains: lists of rules, base chains hooked into the kernel's packet path (enum nft_chain_attributes). */
import { attribute, attributes } from '../netlink/attributes.ts';
import { CodecError } from '../netlink/bytes.ts';
import { be32, cstring, rawBytes } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/message.ts';
import { type LayoutValues, nfnetlinkLayout } from '../netlink/nfnetlink.ts';
import { commentText, decodeComment, encodeComment } from './comment.ts';
import { beI32 } from './data.ts';
import { checkName } from './name.ts';
import { NFT_MSG, type Operation, readAll, readOne } from './operation.ts';
import { type Family, familyNumbers, getTable, type Table, tableText } from './table.ts';

/** A chain, by what identifies it. */
export interface Chain {
  readonly table: Table;
  readonly name: string;
  /** Makes it a base chain. */
  readonly base?: BaseChain;
  /** At most 128 bytes, see `maxCommentLength`. */
  readonly comment?: string;
}

/** Where a base chain stands. */
export interface BaseChain {
  readonly type: 'filter' | 'nat' | 'route';
  readonly hook: Hook;
  /** Lower ones are called first: -100 is dstnat, 0 filter, 100 srcnat (linux/netfilter_ipv4.h). */
  readonly priority: number;
  /** What happens to packets that no rule decides on; `accept` if not given. */
  readonly policy?: 'accept' | 'drop';
  /** The interface, for the ingress and egress hooks. */
  readonly device?: string;
}

/** linux/netfilter.h. */
const NF_DROP = 0;
const NF_ACCEPT = 1;

/** A place in the kernel's packet path. */
export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'ingress' | 'egress';

/** enum nf_inet_hooks, linux/netfilter.h; the bridge family has the same numbers (linux/netfilter_bridge.h). */
const inetHooks: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress'];
/** enum nf_dev_hooks, linux/netfilter.h. */
const deviceHooks: readonly Hook[] = ['ingress', 'egress'];
/** NF_ARP_IN, NF_ARP_OUT, linux/netfilter_arp.h. */
const arpHooks: readonly Hook[] = ['input', 'output'];

function hookNumber(family: Family, hook: Hook): number {
  const hooks = family === 'netdev' ? deviceHooks : family === 'arp' ? arpHooks : inetHooks;
  const number = hooks.indexOf(hook);
  if (number < 0) {
    throw new RangeError(`hook ${hook}: family ${family} has only ${hooks.join(', ')}`);
  }
  return number;
}

const layout = nfnetlinkLayout({
  table: attribute(1, cstring),
  name: attribute(3, cstring),
  hook: attribute(
    4,
    attributes({ number: attribute(1, be32), priority: attribute(2, beI32), device: attribute(3, cstring) }),
  ),
  policy: attribute(5, be32),
  references: attribute(6, be32),
  type: attribute(7, cstring),
  userdata: attribute(12, rawBytes),
});

/** `inet fairlead postrouting`: how nft writes a chain in its commands. */
export function chainText(chain: Chain): string {
  return `${tableText(chain.table)} ${chain.name}`;
}

function identify(chain: Chain): Uint8Array {
  checkName('chain', chain.name);
  return layout.encode(
    { family: familyNumbers[chain.table.family] },
    { table: chain.table.name, name: chain.name },
  );
}

function encodeChain(chain: Chain): Uint8Array {
  checkName('chain', chain.name);
  const { table, name, base } = chain;
  const userdata = encodeComment(chain.comment);
  return layout.encode(
    { family: familyNumbers[table.family] },
    {
      table: table.name,
      name,
      ...(base === undefined ? {} : baseAttributes(table.family, base)),
      ...(userdata === undefined ? {} : { userdata }),
    },
  );
}

function baseAttributes(family: Family, base: BaseChain) {
  const device = base.device === undefined ? {} : { device: base.device };
  return {
    hook: { number: hookNumber(family, base.hook), priority: base.priority, ...device },
    type: base.type,
    ...(base.policy === undefined ? {} : { policy: base.policy === 'accept' ? NF_ACCEPT : NF_DROP }),
  };
}

function definitionText({ base, comment }: Chain): string {
  const parts: string[] = [];
  if (base !== undefined) {
    const device = base.device === undefined ? '' : ` device "${base.device}"`;
    parts.push(` type ${base.type} hook ${base.hook}${device} priority ${base.priority};`);
    if (base.policy !== undefined) parts.push(` policy ${base.policy};`);
  }
  if (comment !== undefined) parts.push(`${commentText(comment)};`);
  return parts.length === 0 ? '' : ` {${parts.join('')} }`;
}

/** Creates the chain, or leaves its rules as they are where it exists already. EEXIST if it exists with another hook or type. */
export function addChain(chain: Chain): Operation {
  return {
    text: `add chain ${chainText(chain)}${definitionText(chain)}`,
    type: NFT_MSG.NEWCHAIN,
    flags: NLM_F_CREATE,
    body: () => encodeChain(chain),
  };
}

/**
 * Creates the chain, EEXIST where it exists. With the chain's rules after it in the same transaction, of many
 * processes that try at once exactly one writes them: see `commitUnlessExists`.
 */
export function createChain(chain: Chain): Operation {
  return {
    ...addChain(chain),
    text: `create chain ${chainText(chain)}${definitionText(chain)}`,
    flags: NLM_F_CREATE | NLM_F_EXCL,
  };
}

/** Deletes an empty chain that nothing jumps to: EBUSY otherwise, ENOENT when it is not there. */
export function deleteChain(chain: Chain): Operation {
  return {
    text: `delete chain ${chainText(chain)}`,
    type: NFT_MSG.DELCHAIN,
    flags: 0,
    body: () => identify(chain),
  };
}

/** A chain as the kernel has it. */
export interface ListedChain {
  readonly name: string;
  readonly isBase: boolean;
  /** A base chain's: what happens to packets that no rule decides on. */
  readonly policy?: 'accept' | 'drop';
  /** How many things hold it: its own rules, and the rules and elements that lead to it. */
  readonly references: number;
  readonly comment?: string;
}

/** Reads one chain, at a cost that does not grow with the ruleset; undefined when chain or table do not exist. Throws NetlinkError. */
export function getChain(connection: Connection, chain: Chain): ListedChain | undefined {
  const frame = readOne(connection, {
    operation: `read chain ${chainText(chain)}`,
    type: NFT_MSG.GETCHAIN,
    body: identify(chain),
  });
  return frame && decodeChain(layout.decode(frame.body).attributes);
}

/**
 * The table's chains; undefined when the table does not exist. The kernel knows no filter but the family
 * (nf_tables_dump_chains, nf_tables_api.c), so it costs as much as all tables of the family have. Throws NetlinkError.
 */
export function listChains(connection: Connection, table: Table): ListedChain[] | undefined {
  const frames = readAll(connection, {
    operation: `list chains of table ${tableText(table)}`,
    type: NFT_MSG.GETCHAIN,
    body: layout.encode({ family: familyNumbers[table.family] }, {}),
  });
  const found = (frames ?? [])
    .map((frame) => layout.decode(frame.body).attributes)
    .filter((values) => values.table === table.name);
  if (found.length === 0 && getTable(connection, table) === undefined) return undefined;
  return found.map(decodeChain);
}

function decodeChain(values: LayoutValues<typeof layout>): ListedChain {
  const { name, hook, policy, references = 0, userdata } = values;
  if (name === undefined) throw new CodecError('nftables: a chain without name');
  const comment = decodeComment(userdata);
  return {
    name,
    isBase: hook !== undefined,
    ...(policy === undefined ? {} : { policy: policy === NF_DROP ? 'drop' : 'accept' }),
    references,
    ...(comment === undefined ? {} : { comment }),
  };
}
