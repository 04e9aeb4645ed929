/** Qdiscs and filters: made as tc(8) makes them, and what tc made is read. */
// packages: iproute2
import { afterEach, expect, test } from 'bun:test';
import { rtnetlink as r } from '../../src/kernel/index.ts';
import { output } from '../support/program.ts';
import { iproute } from './iproute.ts';
import { connection, link, removeLinks } from './links.ts';

afterEach(removeLinks);

const tc = (command: string) => output(['tc', ...command.split(' ')]);

async function twoLinks(): Promise<{ from: r.Link; to: r.Link }> {
  await iproute('ip link add tested type veth peer name tpeer');
  await iproute('ip link add tifb type ifb');
  return { from: link('tested'), to: link('tifb') };
}

test.each([
  ['rate 8mbit burst 10000 latency 25ms', { rate: 1_000_000, limit: 35_000, buffer: 156_250 }],
  ['rate 80gbit burst 1000000 latency 25ms', { rate: 10_000_000_000, limit: 251_000_000, buffer: 1562 }],
])('a token bucket, %s', async (words, bucket) => {
  const { from } = await twoLinks();
  await tc(`qdisc add dev tested root handle 1: tbf ${words}`);
  const shown = await tc('qdisc show dev tested');
  const read = r.listQdiscs(connection, from);
  expect(read).toEqual([{ linkIndex: from.index, kind: 'tbf', at: 'root', tokenBucket: bucket }]);
  connection.request(r.deleteQdiscRequest(from, 'root'));
  expect(await tc('qdisc show dev tested')).not.toContain('tbf');
  connection.request(r.addTokenBucketRequest(from, bucket));
  expect(await tc('qdisc show dev tested')).toBe(shown);
  expect(r.listQdiscs(connection, from)).toEqual(read);
  expect(() => connection.request(r.addTokenBucketRequest(from, bucket))).toThrow(
    `add a token bucket of ${bucket.rate} bytes a second to link tested`,
  );
});

test('everything that arrives by a link, redirected to another one', async () => {
  const { from, to } = await twoLinks();
  expect(r.listRedirections(connection, from)).toEqual([]);
  await tc('qdisc add dev tested ingress');
  await tc(
    'filter add dev tested parent ffff: protocol all prio 1 u32 match u32 0 0 classid 1:1 action mirred egress redirect dev tifb',
  );
  // The kernel counts actions on, and says how long each is there.
  const show = async () => (await tc('filter show dev tested ingress')).replaceAll(/index \d+/g, 'index N');
  const shown = await show();
  expect(shown).toContain('tifb');
  expect(r.listRedirections(connection, from)).toEqual([to.index]);
  connection.request(r.deleteQdiscRequest(from, 'ingress'));
  expect(r.listRedirections(connection, from)).toEqual([]);
  connection.request(r.addIngressRequest(from));
  expect(r.listQdiscs(connection, from)).toContainEqual({
    linkIndex: from.index,
    kind: 'ingress',
    at: 'ingress',
    tokenBucket: undefined,
  });
  connection.request(r.redirectArrivingRequest(from, to));
  expect(await show()).toBe(shown);
  expect(r.listRedirections(connection, from)).toEqual([to.index]);
});
