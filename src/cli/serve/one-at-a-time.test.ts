import { expect, test } from 'bun:test';
import { tmpdir } from 'node:os';
import { oneAtATime } from './one-at-a-time.ts';

test('in their order, and one that waits keeps nobody waiting', async () => {
  const inOrder = oneAtATime();
  const log: string[] = [];
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const first = inOrder(async () => {
    log.push('first');
    await end;
    log.push('first ends');
  });
  const second = inOrder(async () => {
    log.push('second');
  });
  log.push('asked');
  await second;
  expect(log).toEqual(['asked', 'first', 'second']);
  resolve();
  await first;
  expect(log.at(-1)).toBe('first ends');
  expect(await inOrder(async () => 3)).toBe(3);
  await expect(inOrder(() => Promise.reject(new Error('wrong')))).rejects.toThrow('wrong');
  expect(await inOrder(async () => 4)).toBe(4);
});

test('what comes while one keeps the process busy is seen before the next', async () => {
  const log: string[] = [];
  const unix = `${tmpdir()}/fairlead-one-at-a-time-${crypto.randomUUID()}`;
  using _server = Bun.listen({ unix, socket: { data: () => void log.push('somebody came') } });
  const client = await Bun.connect({ unix, socket: { data() {} } });
  const inOrder = oneAtATime();
  const first = inOrder(async () => {
    client.write('x');
    Bun.sleepSync(20);
    log.push('first');
  });
  await Promise.all([first, inOrder(async () => void log.push('second'))]);
  client.end();
  expect(log).toEqual(['first', 'somebody came', 'second']);
});
