import { describe, expect, test } from 'bun:test';
import * as s from './index.ts';

const bridge = s
  .object({
    bridge: s.string().default('cni0'),
    vlan: s.integer({ min: 0, max: 4094 }).default(0),
    hairpinMode: s.boolean().default(false),
    promiscMode: s.boolean().default(false),
    mtu: s.integer({ min: 68 }).optional(),
    backend: s.enumeration('iptables', 'nftables').optional(),
    trunk: s.array(s.object({ id: s.integer({ min: 1, max: 4094 }) })).default([]),
    sysctl: s.record(s.string()).optional(),
  })
  .notTogether('hairpinMode', 'promiscMode')
  .notTogether('vlan', 'trunk');

function messages(schema: s.Schema<unknown>, value: unknown): string[] {
  const problems: s.Problem[] = [];
  const read = schema.read(value, [], problems);
  if (problems.length > 0) expect(read).toBeUndefined();
  return problems.map((problem) => s.describeProblem(problem, 'bridge'));
}

function read<T>(schema: s.Schema<T>, value: unknown): T | undefined {
  expect(messages(schema, value)).toEqual([]);
  return schema.read(value, [], []);
}

test('a schema gives the type', () => {
  const config: s.Infer<typeof bridge> = {
    bridge: 'b',
    vlan: 1,
    hairpinMode: true,
    promiscMode: false,
    trunk: [{ id: 1 }],
  };
  expect(config.mtu).toBeUndefined();
});

test('absent keys get their defaults or stay absent; null is absent; unknown keys are ignored', () => {
  const defaults = { bridge: 'cni0', vlan: 0, hairpinMode: false, promiscMode: false, trunk: [] };
  expect(read(bridge, {})).toEqual(defaults);
  expect(read(bridge, { vlan: null, mtu: null, sysctl: null, more: [1] })).toEqual(defaults);
  expect(Object.keys(read(bridge, {}) ?? {})).not.toContain('mtu');
});

test('a default is not shared between readings', () => {
  expect(read(bridge, {})?.trunk).not.toBe(read(bridge, {})?.trunk as never);
});

test('keys are found in other letters, as Go’s decoder does; the exact spelling wins', () => {
  expect(read(bridge, { VLAN: 5, HairpinMode: true })).toMatchObject({ vlan: 5, hairpinMode: true });
  expect(read(bridge, { VLAN: 5, vlan: 6 })).toMatchObject({ vlan: 6 });
});

describe('messages', () => {
  test.each([
    [{ vlan: 5000 }, '`vlan` of plugin `bridge` must be 0–4094, got 5000'],
    [{ vlan: '5' }, '`vlan` of plugin `bridge` must be 0–4094, got "5"'],
    [{ vlan: 1.5 }, '`vlan` of plugin `bridge` must be 0–4094, got 1.5'],
    [{ mtu: 2 ** 53 }, '`mtu` of plugin `bridge` must be a whole number, 68 or more, got 9007199254740992'],
    [{ mtu: 67 }, '`mtu` of plugin `bridge` must be a whole number, 68 or more, got 67'],
    [{ hairpinMode: 1 }, '`hairpinMode` of plugin `bridge` must be true or false, got 1'],
    [{ backend: 'nft' }, '`backend` of plugin `bridge` must be "iptables" or "nftables", got "nft"'],
    [{ bridge: {} }, '`bridge` of plugin `bridge` must be a text, got an object'],
    [{ trunk: [{ id: 1 }, { id: 0 }] }, '`trunk[1].id` of plugin `bridge` must be 1–4094, got 0'],
    [{ trunk: [null] }, '`trunk[0]` of plugin `bridge` must be an object, got nothing'],
    [{ trunk: [{}] }, '`trunk[0].id` of plugin `bridge` is missing: it must be 1–4094'],
    [{ trunk: 'x' }, '`trunk` of plugin `bridge` must be a list, got "x"'],
    [{ sysctl: { 'net.a': 1 } }, '`sysctl.net.a` of plugin `bridge` must be a text, got 1'],
    [{ sysctl: [] }, '`sysctl` of plugin `bridge` must be an object, got an empty list'],
    [
      { hairpinMode: true, promiscMode: true },
      '`promiscMode` of plugin `bridge` cannot be set together with `hairpinMode`',
    ],
    [{ vlan: 5, trunk: [{ id: 1 }] }, '`trunk` of plugin `bridge` cannot be set together with `vlan`'],
    [[], 'the configuration of plugin `bridge` must be an object, got an empty list'],
  ])('%j', (value, message) => {
    expect(messages(bridge, value)).toEqual([message]);
  });

  test('all problems are found, not only the first', () => {
    expect(messages(bridge, { vlan: -1, bridge: 1, trunk: [{ id: 0 }, { id: 'x' }] })).toHaveLength(4);
  });

  test('what is false or 0 is not set', () => {
    expect(messages(bridge, { hairpinMode: true, promiscMode: false, vlan: 0, trunk: [{ id: 1 }] })).toEqual(
      [],
    );
  });

  test('a long value is shortened', () => {
    const [message = ''] = messages(s.integer(), 'x'.repeat(5000));
    expect(message.length).toBeLessThan(200);
  });
});

test('exactlyOne', () => {
  const device = s.object({ device: s.string().optional(), hwaddr: s.string().optional() });
  const schema = device.exactlyOne('device', 'hwaddr');
  expect(messages(schema, {})).toEqual([
    'the configuration of plugin `bridge` must have one of `device`, `hwaddr`',
  ]);
  expect(messages(schema, { device: '' })).toHaveLength(1);
  expect(messages(schema, { device: 'a' })).toEqual([]);
  expect(messages(schema, { device: 'a', hwaddr: 'b' })).toEqual([
    '`hwaddr` of plugin `bridge` cannot be set together with `device`',
  ]);
});

test('refine reports below the value; map turns it into another', () => {
  const even = s.object({ n: s.integer() }).refine(({ n }, report) => {
    if (n % 2 !== 0) report('must be even', 'n');
  });
  expect(messages(even, { n: 3 })).toEqual(['`n` of plugin `bridge` must be even']);
  const length = s.string().map((text) => (text === '' ? undefined : text.length), 'a name');
  expect(read(length, 'abc')).toBe(3);
  expect(messages(length, '')).toEqual(['the configuration of plugin `bridge` must be a name, got ""']);
});

test.each([
  [s.address(), 'FD00:0::1', 'fd00::1'],
  [s.prefix(), '10.1.0.5/16', '10.1.0.5/16'],
  [s.mac(), 'AA-BB-CC-DD-EE-FF', 'aa:bb:cc:dd:ee:ff'],
])('addresses are read into their canonical form', (schema, text, canonical) => {
  expect(read(schema, text)).toBe(canonical);
  expect(messages(schema, `${text}x`)).toHaveLength(1);
  expect(messages(schema, 7)).toHaveLength(1);
});

test('a key such as __proto__ is data', () => {
  const value: unknown = JSON.parse('{"__proto__": "x", "a": "y"}');
  expect(Object.entries(read(s.record(s.string()), value) ?? {})).toEqual([
    ['__proto__', 'x'],
    ['a', 'y'],
  ]);
  expect(read(bridge, JSON.parse('{"__proto__": {"vlan": 7}}'))).toMatchObject({ vlan: 0 });
});

describe('a schema that contradicts itself throws when it is made', () => {
  test.each<[string, () => unknown, string]>([
    ['min over max', () => s.integer({ min: 5, max: 4 }), 'at least 5 and at most 4'],
    ['text lengths', () => s.string({ minLength: 2, maxLength: 1 }), '2 to 1'],
    ['list lengths', () => s.array(s.string(), { minItems: 2, maxItems: 1 }), '2 to 1'],
    ['no choice', () => s.enumeration(), 'a choice among nothing'],
    ['a choice twice', () => s.enumeration('a', 'a'), 'twice'],
    ['a default out of bounds', () => s.integer({ max: 4094 }).default(5000), 'the default must be'],
    [
      'a default of the wrong type',
      () => s.object({ a: s.string() }).default({ a: 1 }),
      'the default `a` must be a text',
    ],
    [
      'a default that a rule refuses',
      () =>
        s
          .string()
          .refine((_, report) => report('is wrong'))
          .default('x'),
      'is wrong',
    ],
    ['an optional item', () => s.array(s.string().optional()), 'cannot be absent'],
    ['twins', () => s.object({ mtu: s.integer(), MTU: s.integer() }), 'differ only in case'],
    ['a pattern nobody can read', () => s.string({ pattern: /x/ }), 'needs `expected`'],
    ['a pattern with memory', () => s.string({ pattern: /x/g, expected: 'x' }), 'remembers'],
    ['an unknown key', () => s.object({ a: s.string() }).notTogether('a', 'b' as 'a'), 'no key `b`'],
    ['one key alone', () => s.object({ a: s.string() }).notTogether('a', 'a'), 'two or more'],
    ['both required', () => s.object({ a: s.string(), b: s.string() }).exactlyOne('a', 'b'), 'always set'],
  ])('%s', (_name, make, message) => {
    expect(make).toThrow(s.SchemaError);
    expect(make).toThrow(message);
  });
});

test('a schema tells its parts, whatever is added to it', () => {
  const port = s.object({ port: s.integer() }).refine(() => {});
  const whole = s
    .object({ ports: s.array(port).default([]), labels: s.record(s.string()).optional() })
    .map((value) => value, 'an object');
  const members = whole.structure?.kind === 'object' ? whole.structure.members : {};
  expect(Object.keys(members)).toEqual(['ports', 'labels']);
  expect(members.ports?.structure).toEqual({ kind: 'list', item: port });
  expect(members.labels?.structure?.kind).toBe('record');
  expect(port.structure?.kind).toBe('object');
  expect(s.string().structure).toBeUndefined();
});
