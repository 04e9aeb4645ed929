/** Transactions: all or nothing, errors that say which operation, and the generation check against other writers. */
// packages: nftables
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { type Connection, nftables as n } from '../../src/kernel/index.ts';
import { limit } from '../support/sandbox.ts';
import { nft } from './nft.ts';

let connection: Connection;
beforeAll(() => {
  connection = n.openNftables();
});
afterEach(async () => {
  await nft('flush ruleset\n');
});
afterAll(() => connection.close());

const table: n.Table = { family: 'inet', name: 'work' };
const chain: n.Chain = { table, name: 'c' };
const ports = n.defineMap({ table, name: 'ports', key: [n.inetService], data: [n.inetService] });
const skeleton = [n.addTable(table), n.addChain(chain), n.addSet(ports)];
const element = (port: number, comment?: string) =>
  ({ key: [port], data: [port], ...(comment === undefined ? {} : { comment }) }) as const;
const keys = () =>
  (n.listElements(connection, ports) ?? []).map(({ key: [port] }) => port).sort((a, b) => a - b);

function failureOf(call: () => unknown): n.TransactionError {
  try {
    call();
  } catch (error) {
    if (error instanceof n.TransactionError) return error;
    throw error;
  }
  throw new Error('no failure');
}

describe('all or nothing', () => {
  test('nothing of a transaction stays whose last operation fails', () => {
    const failure = failureOf(() =>
      n.commit(connection, [...skeleton, n.deleteChain({ table, name: 'none' })]),
    );
    expect(failure).toMatchObject({ code: 'ENOENT', operation: 'delete chain inet work none' });
    expect(n.getTable(connection, table)).toBeUndefined();
  });

  test('nothing stays whose first fails, and every failure is named', () => {
    n.commit(connection, skeleton);
    const other = { table: { family: 'inet', name: 'none' }, name: 'c' } as const;
    const failure = failureOf(() =>
      n.commit(connection, [
        n.addChain(other),
        ...n.addElements(ports, [element(1)]),
        ...n.deleteElements(ports, [{ key: [2] }]),
        ...n.addElements(ports, [element(3)]),
      ]),
    );
    expect(failure.failures.map(({ operation, code }) => `${operation}: ${code}`)).toEqual([
      'add chain inet none c: ENOENT',
      'delete element inet work ports { 2 }: ENOENT',
    ]);
    expect(failure.operations.map(({ text }) => text)).toEqual([
      'add chain inet none c',
      'delete element inet work ports { 2 }',
    ]);
    expect(keys()).toEqual([]);
  });

  test('after a failure the connection goes on', () => {
    n.commit(connection, skeleton);
    for (let round = 0; round < 20; round++) {
      failureOf(() => n.commit(connection, n.deleteElements(ports, [{ key: [99] }])));
      n.commit(connection, n.addElements(ports, [element(round)]));
    }
    expect(keys()).toHaveLength(20);
  });

  test(
    'a transaction of a thousand operations with one failure in the middle',
    () => {
      n.commit(connection, skeleton);
      const operations = Array.from({ length: 1000 }, (_, port) =>
        n.addElements(ports, [element(port)]),
      ).flat();
      const failing = [
        ...operations.slice(0, 500),
        ...n.createElements(ports, [element(7)]),
        ...operations.slice(500),
      ];
      expect(failureOf(() => n.commit(connection, failing))).toMatchObject({
        operation: 'create element inet work ports { 7 : 7 }',
        code: 'EEXIST',
      });
      expect(keys()).toEqual([]);
      n.commit(connection, operations);
      expect(keys()).toHaveLength(1000);
    },
    limit(20),
  );

  test('an empty transaction is none: the generation stays', () => {
    const before = n.getGeneration(connection);
    n.commit(connection, []);
    expect(n.getGeneration(connection)).toBe(before);
  });
});

describe('errors', () => {
  test.each([
    ['a chain that a rule jumps to', 'EBUSY', () => n.deleteChain(chain)],
    ['an element with other data', 'EEXIST', () => n.addElements(ports, [{ key: [1], data: [2] }])[0]],
    ['a set with another type', 'EEXIST', () => n.addSet({ ...ports, key: [n.ipv4Addr] })],
    ['a set that a rule uses', 'EBUSY', () => n.deleteSet(ports)],
    [
      'an expression that the kernel does not know',
      'ENOENT',
      () => n.addRule(chain, { expressions: [{ name: 'wonder', data: new Uint8Array() }] }),
    ],
    [
      'nat in a chain of another type',
      'EOPNOTSUPP',
      () => n.addRule({ table, name: 'filter' }, { expressions: [n.masq()] }),
    ],
    [
      'a jump to a chain that is not there',
      'ENOENT',
      () => n.addRule(chain, { expressions: [n.immediateVerdict({ verdict: 'jump', chain: 'none' })] }),
    ],
    [
      'a loop', // since Linux 6.3 found by its depth
      /^(ELOOP|EMLINK)$/,
      () => n.addRule(chain, { expressions: [n.immediateVerdict({ verdict: 'jump', chain: 'c' })] }),
    ],
  ] as const)('%s: %s', (_, code, operation) => {
    const used = { type: 'filter', hook: 'forward', priority: 0 } as const;
    n.commit(connection, [
      ...skeleton,
      n.addChain({ table, name: 'filter', base: used }),
      n.addRule(
        { table, name: 'filter' },
        { expressions: [n.immediateVerdict({ verdict: 'jump', chain: 'c' })] },
      ),
      n.addRule(chain, {
        expressions: [n.payload('transport', 2, 2, 1), n.lookupMap('ports', 1, 1)],
      }),
      ...n.addElements(ports, [element(1)]),
    ]);
    const wrong = operation();
    if (wrong === undefined) throw new Error('no operation');
    const failure = failureOf(() => n.commit(connection, [wrong]));
    expect(failure.operation).toBe(wrong.text);
    expect(failure.code).toMatch(code);
    expect(failure.operations).toEqual([wrong]);
  });

  test('the place of the fault is in the error', () => {
    n.commit(connection, skeleton);
    const failure = failureOf(() => n.commit(connection, [n.deleteChain({ table, name: 'none' })]));
    // After the header (16 bytes), struct nfgenmsg (4) and NFTA_CHAIN_TABLE `work` (4 + 5, padded to 12).
    expect(failure.offset).toBe(16 + 4 + 12);
  });

  test('names that the kernel would cut or refuse are refused before', () => {
    for (const name of ['', 'x'.repeat(256), 'a\0b']) {
      expect(() => n.commit(connection, [n.addTable({ family: 'ip', name })])).toThrow(RangeError);
      expect(() => n.commit(connection, [n.addChain({ table, name })])).toThrow(RangeError);
    }
    const longest: n.Table = { family: 'ip', name: 'x'.repeat(255) };
    n.commit(connection, [n.addTable(longest)]);
    expect(n.getTable(connection, longest)).toEqual(longest);
  });
});

describe('the generation', () => {
  test('a commit at the generation that was read', () => {
    n.commit(connection, skeleton);
    const generation = n.getGeneration(connection);
    expect(n.commitAt(connection, generation, n.addElements(ports, [element(1)]))).toBe('committed');
    expect(keys()).toEqual([1]);
  });

  test("another program's change in between: moved on, and nothing is done", async () => {
    n.commit(connection, skeleton);
    const generation = n.getGeneration(connection);
    await nft('add table ip elsewhere\n');
    const operations = [...n.addElements(ports, [element(1)]), n.deleteChain(chain)];
    expect(n.commitAt(connection, generation, operations)).toBe('moved on');
    expect(keys()).toEqual([]);
    expect(n.getChain(connection, chain)).toBeDefined();
    expect(n.commitAt(connection, n.getGeneration(connection), operations)).toBe('committed');
  });

  test('withGeneration reads again after a change, and commits what follows from it', async () => {
    n.commit(connection, skeleton);
    const other = n.openNftables();
    let attempts = 0;
    const done = n.withGeneration(connection, () => {
      const next = Math.max(0, ...keys()) + 1;
      if (attempts++ < 3) n.commit(other, n.addElements(ports, [element(next)]));
      return n.createElements(ports, [element(next)]);
    });
    other.close();
    expect(attempts).toBe(4);
    expect(keys()).toEqual([1, 2, 3, 4]);
    expect(done.map(({ text }) => text)).toEqual(['create element inet work ports { 4 : 4 }']);
  });

  test('a plan that finds nothing to do is no commit', () => {
    const before = n.getGeneration(connection);
    expect(n.withGeneration(connection, () => [])).toEqual([]);
    expect(n.getGeneration(connection)).toBe(before);
  });

  test(
    'somebody who writes without pause: an error in the end, and no change',
    () => {
      n.commit(connection, skeleton);
      const other = n.openNftables();
      let count = 0;
      const plan = () => {
        n.commit(other, n.addElements(ports, [element(++count % 60_000)]));
        return [n.deleteChain(chain)];
      };
      expect(() => n.withGeneration(connection, plan)).toThrow(n.RulesetBusyError);
      other.close();
      expect(n.getChain(connection, chain)).toBeDefined();
    },
    limit(20),
  );

  test(
    'eight processes that each take fifty free numbers by what they read: four hundred different ones',
    async () => {
      n.commit(connection, skeleton);
      const script = `
      import { nftables as n } from '${new URL('../../src/kernel/index.ts', import.meta.url).pathname}';
      const table = { family: 'inet', name: 'work' };
      const ports = n.defineMap({ table, name: 'ports', key: [n.inetService], data: [n.inetService] });
      const connection = n.openNftables();
      for (let round = 0; round < 50; round++) {
        n.withGeneration(connection, () => {
          const taken = n.listElements(connection, ports).map(({ key }) => key[0]);
          const free = Math.max(0, ...taken) + 1;
          return n.addElements(ports, [{ key: [free], data: [free], comment: process.argv.at(-1) }]);
        });
      }`;
      const writers = Array.from({ length: 8 }, (_, index) =>
        Bun.spawn([process.execPath, '-e', script, `writer${index}`], {
          stdio: ['ignore', 'inherit', 'inherit'],
        }),
      );
      expect(await Promise.all(writers.map((writer) => writer.exited))).toEqual(new Array(8).fill(0));
      expect(keys()).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
      const owners = Map.groupBy(n.listElements(connection, ports) ?? [], ({ comment }) => comment);
      expect([...owners.values()].map((owned) => owned.length)).toEqual(new Array(8).fill(50));
    },
    limit(60),
  );

  test(
    'of eight processes that create the same chain exactly one writes its rules',
    async () => {
      const script = `
      import { nftables as n } from '${new URL('../../src/kernel/index.ts', import.meta.url).pathname}';
      const table = { family: 'inet', name: 'work' };
      const chain = { table, name: 'once' };
      const rule = n.addRule(chain, { expressions: [n.counter()] });
      console.log(n.commitUnlessExists(n.openNftables(), [n.addTable(table), n.createChain(chain), rule]));`;
      const writers = Array.from({ length: 8 }, () =>
        Bun.spawn([process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] }),
      );
      const said = await Promise.all(writers.map((writer) => writer.stdout.text()));
      expect(said.sort()).toEqual(['committed\n', ...new Array(7).fill('existed\n')]);
      expect(n.listRules(connection, { table, name: 'once' })).toHaveLength(1);
    },
    limit(60),
  );
});
