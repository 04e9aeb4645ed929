/**
 * What stands for `bun:test` when the tests of src/lib and src/cni run on Node: node:test, and Jest's `expect`, whose
 * matchers are the ones that Bun took over. Only what those tests use.
 */
import * as node from 'node:test';
import { format } from 'node:util';

export { expect } from 'expect';

type Body = (...values: readonly unknown[]) => unknown;

interface Each {
  (name: string, body: Body, timeoutMs?: number): void;
  skip(name: string, body?: Body): void;
  skipIf(condition: boolean): (name: string, body: Body) => void;
  each(rows: readonly unknown[]): (name: string, body: Body) => void;
}

/** Fills `%s`, `%j`, … of a table's test name from its row, as Jest does. */
function fill(name: string, row: readonly unknown[]): string {
  const places = [...name.replaceAll('%%', '').matchAll(/%[sdifjoOp]/g)].length;
  return format(name.replaceAll('%p', '%o'), ...row.slice(0, places));
}

function withTables(run: (name: string, body: Body, skip: boolean) => void): Each {
  const each = (rows: readonly unknown[]) => (name: string, body: Body) => {
    for (const row of rows) {
      const values: readonly unknown[] = Array.isArray(row) ? row : [row];
      run(fill(name, values), () => body(...values), false);
    }
  };
  const call = (name: string, body: Body) => run(name, body, false);
  return Object.assign(call, {
    each,
    skip: (name: string, body: Body = () => undefined) => run(name, body, true),
    skipIf: (condition: boolean) => (name: string, body: Body) => run(name, body, condition),
  });
}

/** bun:test's `test`. */
export const test = withTables((name, body, skip) => {
  void node.test(name, { skip }, async () => {
    await body();
  });
});

/** bun:test's `describe`. */
export const describe = withTables((name, body, skip) => {
  void node.describe(name, { skip }, () => {
    body();
  });
});

/** Bun's hooks outside a group hold for the file, and so do Node's. */
export const beforeAll = (body: () => unknown) => node.before(async () => void (await body()));
export const afterAll = (body: () => unknown) => node.after(async () => void (await body()));
export const beforeEach = (body: () => unknown) => node.beforeEach(async () => void (await body()));
export const afterEach = (body: () => unknown) => node.afterEach(async () => void (await body()));
