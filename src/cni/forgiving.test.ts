import { describe, expect, test } from 'bun:test';
import { readForgiving } from './forgiving.ts';
import * as s from './schema/index.ts';
import type { Problem } from './schema/schema.ts';

const schema = s
  .object({
    master: s.string().optional(),
    vlan: s.integer({ min: 0, max: 4094 }).default(0),
    hairpin: s.boolean().default(false),
    promisc: s.boolean().default(false),
    ranges: s.array(s.object({ subnet: s.string() })).default([]),
    ipam: s.object({ type: s.string(), mtu: s.integer().optional() }).optional(),
  })
  .notTogether('hairpin', 'promisc');

const read = (json: Record<string, unknown>) => {
  const problems: Problem[] = [];
  return { value: readForgiving(schema, json, problems), problems: problems.map(({ message }) => message) };
};

describe('what is wrong counts as not written', () => {
  test.each([
    [
      { vlan: 5000, hairpin: true },
      { vlan: 0, hairpin: true },
    ],
    [{ VLAN: 'x', master: 7 }, { vlan: 0 }],
    [
      { hairpin: true, promisc: true },
      { hairpin: true, promisc: false },
    ],
    [{ ranges: [{ subnet: 'a' }, { subnet: 1 }, 2] }, { ranges: [{ subnet: 'a' }] }],
    [{ ipam: { type: 'static', mtu: 'big' } }, { ipam: { type: 'static' } }],
    [{ ipam: { mtu: 1 } }, {}],
    [{ ipam: 'none', vlan: 3 }, { vlan: 3 }],
  ] as const)('%j', (json, expected) => {
    const { value, problems } = read(json);
    expect(problems).toEqual([]);
    const defaults = { vlan: 0, hairpin: false, promisc: false, ranges: [] };
    expect(value as unknown).toEqual({ ...defaults, ...expected });
  });
});

test('what is right stays as it is', () => {
  expect(read({ vlan: 5 }).value?.vlan).toBe(5);
});

test('what has to be there is still missed', () => {
  const problems: Problem[] = [];
  const strict = s.object({ master: s.string(), vlan: s.integer() });
  expect(readForgiving(strict, { vlan: 'x' }, problems)).toBeUndefined();
  expect(problems.map(({ path }) => path)).toEqual([['master'], ['vlan']]);
});
