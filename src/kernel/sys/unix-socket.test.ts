import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { closeSync } from './file.ts';
import { connectUnix } from './unix-socket.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(`${tmpdir()}/fairlead-unix-`);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** How often somebody connected to a name, as Bun has it. */
async function connections(unix: string, connect: () => void): Promise<number> {
  let count = 0;
  const open = () => {
    count++;
  };
  const server = Bun.listen({ unix, socket: { open, data: () => undefined } });
  connect();
  for (let turn = 0; turn < 50 && count === 0; turn++) await Bun.sleep(5);
  server.stop(true);
  return count;
}

function connected(path: string): void {
  const fd = connectUnix(path);
  expect(fd).toBeGreaterThan(2);
  closeSync(fd);
}

test('a socket in a directory', async () => {
  const path = `${directory}/socket`;
  expect(await connections(path, () => connected(path))).toBe(1);
});

test('a name in the abstract namespace', async () => {
  const name = `fairlead-test-${process.pid}`;
  expect(connectUnix(`@${name}`)).toBe(-constants.errno.ECONNREFUSED);
  expect(await connections(`\0${name}`, () => connected(`@${name}`))).toBe(1);
});

test('nobody listens: no error, and no descriptor stays open', async () => {
  const open = () => readdirSync('/proc/self/fd').length;
  await Bun.write(`${directory}/file`, '');
  const before = open();
  for (const [path, errno] of [
    ['nothing', 'ENOENT'],
    ['file', 'ECONNREFUSED'],
    ['file/below', 'ENOTDIR'],
    ['x'.repeat(200), 'EINVAL'],
  ] as const)
    expect([path, connectUnix(`${directory}/${path}`)]).toEqual([path, -constants.errno[errno]]);
  expect(open()).toBe(before);
});
