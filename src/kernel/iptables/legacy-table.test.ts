import { describe, expect, test } from 'bun:test';
import { bytesFromText } from '../../lib/bytes.ts';
import { addressToBytes, parseAddress } from '../../lib/ip.ts';
import {
  appendLegacyRule,
  changed,
  createLegacyChain,
  deleteLegacyChain,
  deleteLegacyRule,
  insertLegacyRule,
  type LegacyChange,
} from './legacy-change.ts';
import { type LegacyTable, listed, putTogether, takeApart } from './legacy-table.ts';
import { commentMatch, markMatch } from './match.ts';

/** sizeof(struct ipt_entry), sizeof(struct ip6t_entry), where target_offset, invflags and proto are. */
const sizes = {
  4: { entry: 112, offsets: 88, inverted: 83, protocol: 80, address: '192.0.2.9' },
  6: { entry: 168, offsets: 140, inverted: 132, protocol: 128, address: '2001:db8::9' },
} as const;

/** What an entry does: it goes to another one by its number, has a verdict, or begins a chain. */
interface Written {
  readonly to?: number;
  readonly verdict?: number;
  readonly begins?: string;
  readonly comment?: string;
  /** The match before the comment. */
  readonly mark?: number;
  readonly source?: string;
  readonly destination?: string;
  readonly inverted?: number;
  readonly protocol?: number;
}

const DROP = -1;
const ACCEPT = -2;
const RETURN = -5;

/** A table of these entries, as iptables-legacy writes them, with one built-in chain whose policy is the numbered one. */
function tableOf(family: 4 | 6, written: readonly Written[], policy: number): LegacyTable {
  const { entry, offsets, inverted, protocol } = sizes[family];
  const lengthOf = ({ begins, comment, mark }: Written) =>
    entry +
    (mark === undefined ? 0 : 32 + 16) +
    (comment === undefined ? 0 : 32 + 256) +
    (begins === undefined ? 40 : 64);
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
    for (const [place, text] of [one.source, one.destination].entries()) {
      const address = text === undefined ? undefined : parseAddress(text);
      if (address === undefined) continue;
      const value = addressToBytes(address);
      bytes.set(value, at + place * value.length);
      bytes.fill(255, at + (place + 2) * value.length, at + (place + 3) * value.length);
    }
    bytes[at + inverted] = one.inverted ?? 0;
    bytes[at + protocol] = one.protocol ?? 0;
    let match = at + entry;
    if (one.mark !== undefined) {
      view.setUint16(match, 32 + 16, true);
      bytes.set(bytesFromText('mark'), match + 2);
      bytes[match + 31] = 1;
      view.setUint32(match + 32, one.mark, true);
      view.setUint32(match + 36, one.mark, true);
      match += 32 + 16;
    }
    if (one.comment !== undefined) {
      view.setUint16(match, 32 + 256, true);
      bytes.set(bytesFromText('comment'), match + 2);
      bytes.set(bytesFromText(one.comment), match + 32);
    }
    view.setUint16(target, at + length - target, true);
    if (one.begins !== undefined) {
      bytes.set(bytesFromText('ERROR'), target + 2);
      bytes.set(bytesFromText(one.begins), target + 32);
    } else {
      const to = one.to === undefined ? (one.verdict ?? ACCEPT) : (starts[one.to] ?? 0);
      view.setInt32(target + 32, to, true);
    }
  }
  return { entries: bytes, hooks: [{ hook: 2, entry: 0, underflow: starts[policy] ?? -1 }] };
}

/** FORWARD with three rules and a policy, two chains, and the end. */
const written: readonly Written[] = [
  { to: 5, comment: 'mine' },
  { to: 2 }, // without a target: on to the next one
  { to: 8, comment: 'others', mark: 3 },
  { verdict: DROP },
  { begins: 'doomed' },
  { verdict: ACCEPT },
  { verdict: RETURN },
  { begins: 'kept' },
  { to: 5 },
  { verdict: RETURN },
  { begins: 'ERROR' },
];

describe.each([4, 6] as const)('IPv%d', (family) => {
  const table = tableOf(family, written, 3);
  const { address } = sizes[family];
  const after = (...changes: readonly LegacyChange[]) =>
    putTogether(family, changed(family, takeApart(family, table), changes));
  const rulesOf = (entries: readonly Written[]) => {
    const all = [...entries, { verdict: ACCEPT }, { begins: 'ERROR' }];
    return listed(family, takeApart(family, tableOf(family, all, entries.length)))[0]?.rules;
  };

  test('chains, and who leads where', () => {
    const plain = { accepts: false, asksMore: false, matches: [] };
    expect(listed(family, takeApart(family, table))).toEqual([
      {
        name: 'FORWARD',
        policy: 'drop',
        rules: [
          { ...plain, number: 1, jump: 'doomed', comment: 'mine', matches: ['comment'] },
          { ...plain, number: 2 },
          { ...plain, number: 3, jump: 'kept', comment: 'others', matches: ['mark', 'comment'] },
        ],
      },
      { name: 'doomed', rules: [{ ...plain, number: 1, accepts: true }] },
      { name: 'kept', rules: [{ ...plain, number: 1, jump: 'doomed' }] },
    ]);
  });

  test('what a rule asks for: an address, or more', () => {
    const one = parseAddress(address);
    const [source, destination] = [8, 16];
    expect(
      rulesOf([
        { source: address },
        { destination: address },
        { source: address, destination: address, inverted: source },
        { source: address, destination: address, inverted: destination },
        { source: address, protocol: 6 },
        { verdict: DROP },
      ]),
    ).toMatchObject([
      { source: one, accepts: true, asksMore: false },
      { destination: one, asksMore: false },
      { destination: one, asksMore: true },
      { source: one, asksMore: true },
      { source: one, asksMore: true },
      { accepts: false, asksMore: false },
    ]);
    const [first, second, third] = rulesOf([
      { source: address },
      { destination: address },
      { source: address, inverted: source },
    ]) as object[];
    expect(first).not.toHaveProperty('destination');
    expect(second).not.toHaveProperty('source');
    expect(third).not.toHaveProperty('source');
  });

  test('nothing changed: the same table', () => {
    const same = { table, was: [0, 1, 2, 3, undefined, 5, 6, undefined, 8, 9, undefined] };
    expect(after()).toEqual(same);
    expect(after(deleteLegacyChain('not there'), deleteLegacyChain('FORWARD'))).toEqual(same);
    expect(after(deleteLegacyRule('FORWARD', 4), deleteLegacyRule('kept', 0))).toEqual(same);
  });

  test('a chain is deleted with what leads to it, and all distances are right again', () => {
    const expected: readonly Written[] = [
      { to: 1 },
      { to: 4, comment: 'others', mark: 3 },
      { verdict: DROP },
      { begins: 'kept' },
      { verdict: RETURN },
      { begins: 'ERROR' },
    ];
    expect(after(deleteLegacyChain('doomed'))).toEqual({
      table: tableOf(family, expected, 2),
      was: [1, 2, 3, undefined, 9, undefined],
    });
  });

  test('rules are deleted by the numbers that they had', () => {
    const expected: readonly Written[] = [
      { to: 1 },
      { verdict: DROP },
      { begins: 'doomed' },
      { verdict: RETURN },
      { begins: 'kept' },
      { to: 3 },
      { verdict: RETURN },
      { begins: 'ERROR' },
    ];
    const changes = [
      deleteLegacyRule('FORWARD', 1),
      deleteLegacyRule('doomed', 1),
      deleteLegacyRule('FORWARD', 3),
      deleteLegacyRule('FORWARD', 3),
    ];
    expect(after(...changes)).toEqual({
      table: tableOf(family, expected, 1),
      was: [1, 3, undefined, 6, undefined, 8, 9, undefined],
    });
  });

  test('new chains and rules: chains in the order of their names, rules before and behind others', () => {
    const marked = [markMatch(0x1000), commentMatch('what for')];
    const expected: readonly Written[] = [
      { to: 6, comment: 'first' },
      { to: 8, comment: 'mine' },
      { to: 3 },
      { to: 11, comment: 'others', mark: 3 },
      { verdict: DROP },
      { begins: 'a' },
      { verdict: RETURN },
      { begins: 'doomed' },
      { verdict: ACCEPT },
      { verdict: RETURN },
      { begins: 'kept' },
      { to: 6 },
      { to: 8 },
      { verdict: ACCEPT, mark: 0x1000, comment: 'what for' },
      { verdict: RETURN },
      { begins: 'z' },
      { verdict: RETURN },
      { begins: 'ERROR' },
    ];
    const changes = [
      createLegacyChain('z'),
      createLegacyChain('a'),
      appendLegacyRule('kept', { matches: marked, target: 'accept' }),
      insertLegacyRule('kept', { matches: [], target: { jump: 'a' } }),
      insertLegacyRule('FORWARD', { matches: [commentMatch('first')], target: { jump: 'a' } }),
    ];
    const none = undefined;
    expect(after(...changes)).toEqual({
      table: tableOf(family, expected, 4),
      was: [none, 0, 1, 2, 3, none, none, none, 5, 6, none, none, 8, none, 9, none, none, none],
    });
  });

  test('what cannot be is refused', () => {
    const rule = { matches: [], target: { jump: 'nowhere' } };
    expect(() => after(createLegacyChain('kept'))).toThrow('there is a chain kept already');
    expect(() => after(createLegacyChain('FORWARD'))).toThrow('there is a chain FORWARD already');
    expect(() => after(createLegacyChain('a'.repeat(30)))).toThrow('has more than 29 bytes');
    expect(() => after(insertLegacyRule('nowhere', rule))).toThrow('there is no chain nowhere');
    expect(() => after(insertLegacyRule('kept', rule))).toThrow('leads to chain nowhere, which is not there');
    expect(() => commentMatch('ä'.repeat(128))).toThrow('has more than 255 bytes');
  });

  test('what is no table is refused', () => {
    const { entries } = table;
    const broken = (change: (view: DataView) => void) => () => {
      const copy = entries.slice();
      change(new DataView(copy.buffer));
      return takeApart(family, { ...table, entries: copy });
    };
    const { entry, offsets } = sizes[family];
    expect(broken((view) => view.setUint16(offsets + 2, 0, true))).toThrow('an entry of 0 bytes');
    expect(broken((view) => view.setUint16(offsets + 2, 60_000, true))).toThrow('an entry of 60000 bytes');
    expect(broken((view) => view.setUint16(offsets, 4, true))).toThrow('an entry of');
    expect(broken((view) => view.setUint16(entry, 0, true))).toThrow('a match of 0 bytes');
    expect(broken((view) => view.setUint16(entry, 999, true))).toThrow('a match of 999 bytes');
    expect(() => takeApart(family, { ...table, entries: entries.slice(0, -8) })).toThrow('an entry of');
    const of = (some: readonly Written[], policy: number) => () =>
      takeApart(family, tableOf(family, some, policy));
    const end = { begins: 'ERROR' };
    expect(of([{ verdict: 7 }, { verdict: ACCEPT }, end], 1)).toThrow('a rule leads to 7');
    expect(of([{ to: 4 }, { verdict: ACCEPT }, { begins: 'a' }, {}, {}, end], 1)).toThrow('a rule leads to');
    expect(of([{ verdict: ACCEPT }], 0)).toThrow('a table without an end');
    expect(of([], 0)).toThrow('a table without an end');
    expect(of([{ verdict: ACCEPT }, { begins: 'a' }, end], 0)).toThrow('chain a without an end');
    expect(of(written, 2)).toThrow('chain FORWARD without an end');
    expect(() => takeApart(family, { ...table, hooks: [] })).toThrow('a rule in no chain');
  });
});
