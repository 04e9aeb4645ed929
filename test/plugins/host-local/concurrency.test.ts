/** Many at once: addresses stay distinct, nothing is lost, and a lock that is held is waited for. */
// seconds: 240
import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { collect, give, network, refusal, reservationsOf, storeOf, take } from './network.ts';

const both = { ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]] };
const ids = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}${index}`);

test('64 ADDs at once in a network that does not exist yet give 64 different addresses of each family', async () => {
  const config = network(both);
  const given = await Promise.all(ids(64, 'c').map((id) => give(config, id)));
  expect(new Set(given.flat()).size).toBe(128);
  expect(Object.keys(reservationsOf(config)).length).toBe(128);
  await Promise.all(ids(64, 'c').map((id) => take(config, id)));
  expect(readdirSync(storeOf(config)).sort()).toEqual(['last_reserved_ip.0', 'last_reserved_ip.1', 'lock']);
}, 60_000);

test('ADD, DEL and GC in disorder: what remains is what was not deleted', async () => {
  const config = network(both);
  const stay = ids(12, 'stay');
  await Promise.all(stay.map((id) => give(config, id)));
  const storm = ids(24, 'storm').map(async (id) => {
    await give(config, id);
    await take(config, id);
  });
  await Promise.all([...storm, ...stay.map((id) => take(config, `${id}-unknown`))]);
  await Promise.all([
    collect(config, stay),
    collect(config, stay),
    ...stay.slice(6).map((id) => take(config, id)),
  ]);
  const expected = stay.slice(0, 6).map((id) => `${id}/eth0`);
  expect(Object.values(reservationsOf(config)).sort()).toEqual([...expected, ...expected].sort());
}, 60_000);

test('ADDs for fewer addresses than containers: each address once, a clear error for the others', async () => {
  const config = network({ ranges: [[{ subnet: '10.1.0.0/28' }]] });
  const outcomes = await Promise.allSettled(ids(20, 'c').map((id) => give(config, id)));
  const given = outcomes.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
  expect(new Set(given).size).toBe(13);
  expect(refused).toHaveLength(7);
  for (const reason of refused) expect(reason).toContain('error 100: no address left in range set 0');
}, 60_000);

test('one address asked for by many is one container’s', async () => {
  const config = network(both);
  const outcomes = await Promise.allSettled(
    ids(12, 'c').map((id) => give(config, id, { args: 'IP=10.1.0.77' })),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(Object.keys(reservationsOf(config)).filter((address) => address.includes('.'))).toEqual([
    '10.1.0.77',
  ]);
}, 60_000);

test('ADD and ADD of one attachment at once: one succeeds and keeps its addresses', async () => {
  const config = network(both);
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => give(config, 'a')));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(Object.values(reservationsOf(config))).toEqual(['a/eth0', 'a/eth0']);
});

test('a lock that somebody keeps: a bounded wait, and an error that names the process', async () => {
  const config = network(both);
  await give(config, 'a');
  const holder = Bun.spawn(['flock', `${storeOf(config)}/lock`, 'sh', '-c', 'echo held; read line'], {
    stdin: 'pipe',
    stdout: 'pipe',
  });
  await holder.stdout.getReader().read();
  const error = await refusal('DEL', config, 'a', { timeoutSeconds: 90 });
  holder.stdin.end();
  await holder.exited;
  expect(error).toMatchObject({
    code: 11,
    msg: expect.stringMatching(
      /^process \d+ \(flock\) has held the lock \/var\/lib\/cni\/networks\/net\d+\/lock for more than 60 s$/,
    ),
    details: 'reservations can be changed when it frees the lock or ends',
  });
  await take(config, 'a');
}, 120_000);
