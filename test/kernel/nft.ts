/** nft(8) as the oracle: what a table looks like to it, however the table was written. */
import { type Connection, nftables } from '../../src/kernel/index.ts';
import { output } from '../support/program.ts';
import { requireSandbox } from '../support/sandbox.ts';

/** Runs nft with commands on its standard input. @throws Error with nft's message */
export async function nft(commands: string, ...options: string[]): Promise<string> {
  requireSandbox();
  return await output(['nft', ...options, '-f', '-'], { stdin: commands });
}

/** A table in nft's three forms. All of it counts, so what is missing at the end differs like everything else. */
export interface Listing {
  /** The bytecode of rules and the raw bytes of elements and comments: `--debug=netlink`. */
  readonly bytecode: string;
  readonly json: unknown;
  readonly text: string;
}

/** What nft says of a table; it must say something. */
export async function list(table: nftables.Table): Promise<Listing> {
  const what = `list table ${table.family} ${table.name}\n`;
  const [debug, json] = await Promise.all([nft(what, '--debug=netlink'), nft(what, '-j')]);
  const start = debug.indexOf(`table ${table.family} ${table.name} {`);
  if (start < 0) throw new Error(`nft lists no table: ${debug}`);
  return {
    bytecode: withSortedElements(debug.slice(0, start)),
    json: JSON.parse(json, withoutChance),
    text: debug
      .slice(start)
      .replace(/(?<=elements = \{)[^}]*/g, (list) => list.split(/,\s+/).sort().join(',\n')),
  };
}

/** nft sorts plain keys only; handles go on counting in a table's life. */
function withoutChance(key: string, value: unknown): unknown {
  if (key === 'handle') return undefined;
  if (key !== 'elem' || !Array.isArray(value)) return value;
  return value.map((each) => JSON.stringify(each)).sort();
}

/**
 * A hash table's elements come in an order that depends on a random seed, and rules are preceded by handles, which
 * go on counting in a table's life.
 */
function withSortedElements(bytecode: string): string {
  const blocks = bytecode.split(/\n(?!\t)/).map((block) => {
    const [head = '', ...elements] = block.split('\n');
    return [head.replace(/^(\w+ \S+ \S+)( \d+)+ *$/, '$1'), ...elements.sort()].join('\n');
  });
  return blocks.join('\n');
}

/** Writes a table with nft, looks at it, and takes it away. */
export async function writtenByNft(table: nftables.Table, commands: string): Promise<Listing> {
  await nft(commands);
  try {
    return await list(table);
  } finally {
    await nft(`delete table ${table.family} ${table.name}`);
  }
}

/** Writes a table with Fairlead's code, in one transaction, looks at it, and takes it away. */
export async function writtenByUs(
  connection: Connection,
  table: nftables.Table,
  operations: readonly nftables.Operation[],
): Promise<Listing> {
  nftables.commit(connection, [nftables.addTable(table), ...operations]);
  try {
    return await list(table);
  } finally {
    nftables.commit(connection, [nftables.deleteTable(table)]);
  }
}
