/** Whose a port is: two containers that want the same, ADD and DEL again and again, DEL that knows less than ADD, GC. */
import { afterEach, expect, test } from 'bun:test';
import { gc, runPlugin } from '../../support/plugin.ts';
import { serve } from '../../support/traffic.ts';
import {
  answers,
  attach,
  call,
  cleanUp,
  createWorld,
  detach,
  elements,
  imagine,
  nft,
  node4,
  node6,
  publish,
  publishImagined,
  ruleset,
  unpublish,
} from './network.ts';

afterEach(cleanUp);

const mappings = [
  { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
  { hostPort: 8080, containerPort: 80, protocol: 'udp' },
  { hostPort: 8443, containerPort: 443, protocol: 'tcp', hostIP: node4 },
  { hostPort: 8443, containerPort: 443, protocol: 'tcp', hostIP: node6 },
];
/** Where, target, policy, index: for two ports of two families and two of one. */
const elementCount = 3 * (2 * 2 + 2);

const owners = async () =>
  [...new Set((await elements()).map((line) => /comment "([^"]*)"/.exec(line)?.[1]))].sort();

test('the last one wins; DEL of the first leaves the second’s port, in either order', async () => {
  const world = await createWorld();
  const one = await attach('one', { mappings });
  await serve(one.netns, 'tcp', 80, 'one');
  expect(await answers(world, 'tcp', node4, 8080)).toBe('one');
  const two = await attach('two', { mappings });
  await serve(two.netns, 'tcp', 80, 'two');
  for (const address of [node4, node6]) expect(await answers(world, 'tcp', address, 8080)).toBe('two');
  const checked = await call('CHECK', one, one.config);
  expect(checked.json).toMatchObject({ code: 102 });
  expect((checked.json as { msg: string }).msg).toMatch(
    /^host port 8080\/tcp \(IPv4\): map inet fairlead portmap-target4 \{ 6 \. 8080 : .* belongs to container two \(network cni0, interface eth0\)$/,
  );
  await unpublish(one);
  for (const address of [node4, node6]) expect(await answers(world, 'tcp', address, 8080)).toBe('two');
  await publish(one, { mappings });
  expect(await answers(world, 'tcp', node4, 8080)).toBe('one');
  await unpublish(two);
  expect(await answers(world, 'tcp', node4, 8080)).toBe('one');
  await detach(one);
  await detach(two);
  expect(await elements()).toEqual([]);
});

test('a port taken over from a container that was never removed, with another policy: no trace of the old one', async () => {
  const one = await publishImagined('gone', 1, { mappings });
  await publishImagined('next', 2, { mappings, portmap: { snat: false } });
  const left = await elements();
  expect(left.filter((line) => line.includes(' gone ')).every((line) => line.startsWith('"'))).toBe(true);
  expect(left.filter((line) => line.includes(': jump '))).toEqual([]);
  expect(await nft('list', 'chains')).not.toContain('portmap-mark-');
  await unpublish(one);
  expect(await owners()).toEqual(['cni0 next eth0']);
});

test('ADD twice is the same as once', async () => {
  const one = await publishImagined('one', 1, { mappings });
  const once = await ruleset('-a');
  expect((await elements()).length).toBe(elementCount);
  await publishImagined('one', 1, { mappings });
  expect(await ruleset('-a')).toBe(once);
  await unpublish(one);
  expect(await elements()).toEqual([]);
});

test('ADD again with other ports and another address: DEL removes both', async () => {
  await publishImagined('one', 1, { mappings });
  const again = await publishImagined('one', 2, {
    mappings: [...mappings.slice(0, 1), { hostPort: 1, containerPort: 2 }],
  });
  expect((await elements()).length).toBe(elementCount + 6);
  await unpublish(again);
  expect(await elements()).toEqual([]);
});

test.each([
  ['as ADD', (config: object) => config],
  ['without prevResult', (config: object) => ({ ...config, prevResult: undefined })],
  ['without runtimeConfig', (config: object) => ({ ...config, runtimeConfig: undefined })],
  [
    'with other ports',
    (config: object) => ({ ...config, runtimeConfig: { portMappings: [{ hostPort: 1, containerPort: 1 }] } }),
  ],
  [
    'with ports that are none',
    (config: object) => ({ ...config, runtimeConfig: { portMappings: [{ hostPort: -1 }] } }),
  ],
  ['with another policy', (config: object) => ({ ...config, snat: false, conditionsV4: ['-m', 'owner'] })],
  ['in an older version', (config: object) => ({ ...config, cniVersion: '0.3.1', prevResult: undefined })],
])('DEL %s, and once more', async (_, change) => {
  await publishImagined('other', 7, { mappings: [{ hostPort: 9999, containerPort: 1 }] });
  const before = await ruleset();
  const one = await publishImagined('one', 1, { mappings });
  for (const netns of [one.netns, '', '/run/netns/gone']) {
    const ended = await call('DEL', { ...one, netns }, change(one.config));
    expect(ended).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await ruleset()).toBe(before);
  }
});

test('DEL on a node that has no table of Fairlead’s does nothing', async () => {
  const before = await ruleset();
  expect(before).toBe('');
  await unpublish(imagine('one', 1, { mappings }));
  expect(await ruleset()).toBe('');
});

test('the network, the container and the interface are the owner: DEL of another one removes nothing', async () => {
  const one = await publishImagined('one', 1, { mappings });
  const others = [{ config: { ...one.config, name: 'cni1' } }, { containerId: 'on' }, { ifname: 'eth1' }];
  for (const other of others) {
    const ended = await runPlugin({
      plugin: 'portmap',
      command: 'DEL',
      container: one,
      config: one.config,
      ifname: 'eth0',
      ...other,
    });
    expect(ended.exitCode).toBe(0);
    expect((await elements()).length).toBe(elementCount);
  }
});

test('GC removes what this network’s containers have that are not valid any more, and nothing else', async () => {
  const port = (hostPort: number) => ({ mappings: [{ hostPort, containerPort: 80, protocol: 'tcp' }] });
  await publishImagined('kept', 1, port(1));
  await publishImagined('gone', 2, port(2));
  await publishImagined('gone-too', 3, { ...port(3), portmap: { masqAll: true, markMasqBit: 5 } });
  await publishImagined('elsewhere', 4, { ...port(4), network: 'cni' });
  await publishImagined('elsewhere-too', 5, { ...port(5), network: 'cni00' });
  await nft('add element inet fairlead portmap-target4 { tcp . 77 comment "not an owner" : 192.0.2.7 . 77 }');
  const config = {
    cniVersion: '1.1.0',
    name: 'cni0',
    type: 'portmap',
    'cni.dev/valid-attachments': [{ containerID: 'kept', ifname: 'eth0' }],
  };
  for (const _ of [1, 2]) {
    await gc({ plugin: 'portmap', config });
    expect(await owners()).toEqual([
      'cni elsewhere eth0',
      'cni0 kept eth0',
      'cni00 elsewhere-too eth0',
      'not an owner',
    ]);
  }
  expect(await nft('list', 'chains')).not.toContain('portmap-masquerade-5');
  expect(await nft('list', 'chains')).toContain('portmap-masquerade-13');
});

test('GC finds what the index does not know', async () => {
  await publishImagined('gone', 2, { mappings });
  await nft('flush map inet fairlead portmap-owners');
  await gc({
    plugin: 'portmap',
    config: { cniVersion: '1.1.0', name: 'cni0', type: 'portmap', 'cni.dev/valid-attachments': [] },
  });
  expect(await elements()).toEqual([]);
});

test('long names: a digest stands for them, and they are told apart', async () => {
  const network = 'n'.repeat(200);
  const names = ['a', 'b'].map((end) => 'c'.repeat(200) + end);
  const [one, two] = [
    await publishImagined(names[0] ?? '', 1, { network, mappings: [{ hostPort: 1, containerPort: 1 }] }),
    await publishImagined(names[1] ?? '', 2, { network, mappings: [{ hostPort: 2, containerPort: 2 }] }),
  ];
  expect((await elements()).length).toBe(12);
  await unpublish(one);
  expect((await elements()).length).toBe(6);
  await unpublish(two);
  expect(await elements()).toEqual([]);
});
