import { expect, test } from 'bun:test';
import { firewallSchema } from './config.ts';
import { guardedBy } from './guarded.ts';

const config = (keys: object) => {
  const read = firewallSchema.read(keys, [], []);
  if (read === undefined) throw new Error('wrong keys');
  return read;
};
const isolated = config({ ingressPolicy: 'isolated' });

/** What a node has, by name and by index. */
const links = {
  cni0: { name: 'cni0', kind: 'bridge' },
  veth1: { name: 'veth1', kind: 'veth', parent: 2, parentNetnsId: 0, masterKind: 'bridge' },
  'cni0.5': { name: 'cni0.5', kind: 'veth', parent: 7 },
  7: { name: 'vethgw', kind: 'veth', parent: 6, masterKind: 'bridge' },
  bwp1: { name: 'bwp1', kind: 'ifb' },
} as const;
const look = (link: string | number) =>
  (links as Record<string | number, (typeof links)[keyof typeof links]>)[link] as never;

test('the bridge is the first interface of the node, its ports are the others', () => {
  const interfaces = [
    { name: 'cni0' },
    { name: 'veth1', sandbox: '' },
    { name: 'eth0', sandbox: '/run/netns/x' },
    { name: 'bwp1' },
    { name: 'gone' },
  ];
  expect(guardedBy(config({}), { interfaces }, look)).toBeUndefined();
  expect(guardedBy(isolated, { interfaces }, look)).toEqual({
    policy: 'isolated',
    bridge: 'cni0',
    ports: [
      { name: 'veth1', gateway: 'veth1' },
      { name: 'gone', gateway: 'gone' },
    ],
  });
});

test('the gateway of a vlan is where its packets come in, and has a port of its own', () => {
  const interfaces = [{ name: 'cni0' }, { name: 'veth1' }, { name: 'cni0.5' }];
  expect(guardedBy(isolated, { interfaces }, look)).toEqual({
    policy: 'isolated',
    bridge: 'cni0.5',
    ports: [{ name: 'veth1', gateway: 'vethgw' }],
  });
});

test('a result without an interface of the node', () => {
  const interfaces = [{ name: 'eth0', sandbox: '/run/netns/x' }];
  expect(() => guardedBy(isolated, { interfaces }, look)).toThrow(/names no interface of the node/);
});
