import { describe, expect, test } from 'bun:test';
import { bytesFromText } from '../../lib/bytes.ts';
import { builtInRules, chainsIn, type LegacyTable, withoutChains } from './legacy-table.ts';

/** sizeof(struct ipt_entry), sizeof(struct ip6t_entry), and where target_offset is. */
const sizes = { 4: { entry: 112, offsets: 88 }, 6: { entry: 168, offsets: 140 } } as const;

/** What an entry does: it goes to another one by its number, has a verdict, or begins a chain. */
interface Written {
  readonly to?: number;
  readonly verdict?: number;
  readonly begins?: string;
  readonly comment?: string;
}

const ACCEPT = -2;
const RETURN = -5;

/** A table of these entries, as iptables-legacy writes them; the first hook begins with the first one. */
function tableOf(family: 4 | 6, written: readonly Written[]): LegacyTable {
  const { entry, offsets } = sizes[family];
  const lengthOf = ({ begins, comment }: Written) =>
    entry + (comment === undefined ? 0 : 32 + 256) + (begins === undefined ? 40 : 64);
  const starts = written.map((_, index) =>
    written.slice(0, index).reduce((sum, one) => sum + lengthOf(one), 0),
  );
  const bytes = new Uint8Array(written.reduce((sum, one) => sum + lengthOf(one), 0));
  const view = new DataView(bytes.buffer);
  for (const [index, one] of written.entries()) {
    const at = starts[index] ?? 0;
    const length = lengthOf(one);
    const target = at + length - (one.begins === undefined ? 40 : 64);
    view.setUint16(at + offsets, target - at, true);
    view.setUint16(at + offsets + 2, length, true);
    if (one.comment !== undefined) {
      view.setUint16(at + entry, 32 + 256, true);
      bytes.set(bytesFromText('comment'), at + entry + 2);
      bytes.set(bytesFromText(one.comment), at + entry + 32);
    }
    view.setUint16(target, at + length - target, true);
    if (one.begins !== undefined) {
      bytes.set(bytesFromText('ERROR'), target + 2);
      bytes.set(bytesFromText(one.begins), target + 32);
    } else {
      view.setInt32(
        target + 32,
        one.to === undefined ? (one.verdict ?? ACCEPT) : (starts[one.to] ?? 0),
        true,
      );
    }
  }
  return { entries: bytes, hookEntries: [0], underflows: [starts[3] ?? 0] };
}

/** A built-in chain with three rules and a policy, two chains, and the end. */
const written: readonly Written[] = [
  { to: 5, comment: 'mine' },
  { to: 2 }, // without a target: on to the next one
  { to: 8, comment: 'others' },
  { verdict: ACCEPT },
  { begins: 'doomed' },
  { verdict: ACCEPT },
  { verdict: RETURN },
  { begins: 'kept' },
  { to: 5 },
  { verdict: RETURN },
  { begins: 'ERROR' },
];

/** The same without the chain `doomed`. */
const remaining: readonly Written[] = [
  { to: 1 },
  { to: 4, comment: 'others' },
  { verdict: ACCEPT },
  { begins: 'kept' },
  { verdict: RETURN },
  { begins: 'ERROR' },
];

describe.each([4, 6] as const)('IPv%d', (family) => {
  const table = tableOf(family, written);

  test('chains, and who leads where', () => {
    expect(chainsIn(family, table)).toEqual([
      { name: 'doomed', rules: [{}, {}] },
      { name: 'kept', rules: [{ jump: 'doomed' }, {}] },
    ]);
    expect(builtInRules(family, table)).toEqual([
      { jump: 'doomed', comment: 'mine' },
      {},
      { jump: 'kept', comment: 'others' },
      {},
    ]);
  });

  test('a chain is left out with what leads to it, and all distances are right again', () => {
    const { table: rest, kept } = withoutChains(family, table, new Set(['doomed']));
    const expected = tableOf(family, remaining);
    expect(rest.entries).toEqual(expected.entries);
    expect(kept).toEqual([1, 2, 3, 7, 9, 10]);
    expect(rest.hookEntries).toEqual([0]);
    const policy = tableOf(family, remaining.slice(0, 2)).entries.length;
    expect(rest.underflows).toEqual([policy]);
  });

  test('nothing left out: nothing changes', () => {
    const { table: rest, kept } = withoutChains(family, table, new Set(['not there']));
    expect(rest).toEqual(table);
    expect(kept).toHaveLength(written.length);
  });

  test('what is no table is refused', () => {
    const { entries } = table;
    const broken = (change: (view: DataView) => void): LegacyTable => {
      const copy = entries.slice();
      change(new DataView(copy.buffer));
      return { ...table, entries: copy };
    };
    const { entry, offsets } = sizes[family];
    const without = broken((view) => view.setUint16(offsets + 2, 0, true));
    expect(() => chainsIn(family, without)).toThrow('an entry of 0 bytes');
    const beyond = broken((view) => view.setUint16(offsets + 2, 60_000, true));
    expect(() => chainsIn(family, beyond)).toThrow('an entry of 60000 bytes');
    const match = broken((view) => view.setUint16(entry, 0, true));
    expect(() => chainsIn(family, match)).toThrow('a match of 0 bytes');
    const astray = tableOf(family, [{ verdict: 7 }, { begins: 'kept' }, { begins: 'ERROR' }]);
    expect(() => withoutChains(family, astray, new Set(['kept']))).toThrow('a rule leads to 7');
  });
});
