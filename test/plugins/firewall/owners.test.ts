/** Whose an element is: ADD twice, DEL that knows less than ADD, addresses that are given again, GC, long names. */
// packages: strace
import { afterEach, expect, test } from 'bun:test';
import { del, failure, gc, runPlugin, status } from '../../support/plugin.ts';
import { addImagined, call, cleanUp, elements, imagine, nft, patience, release, ruleset } from './network.ts';

afterEach(cleanUp, patience);

const isolated = { ingressPolicy: 'isolated' };
/** Of an isolated container: address, policy and index entry for each family, the port and its entry, the bridge. */
const elementCount = 3 * 2 + 2 + 1;

test('ADD twice is the same as once', async () => {
  const one = await addImagined('one', 1, isolated);
  const once = await ruleset('-a');
  expect(await elements()).toHaveLength(elementCount);
  await addImagined('one', 1, isolated);
  expect(await ruleset('-a')).toBe(once);
  await release(one);
  expect(await elements()).toEqual([]);
});

test('the result goes through as it came, with what this plugin does not know', async () => {
  const { config, ...one } = imagine('one', 1);
  const prevResult = { ...(config.prevResult as object), dns: { nameservers: ['192.0.2.53'] } };
  const { json } = await call('ADD', one, { ...config, prevResult });
  expect(json).toEqual(prevResult);
});

test.each([
  ['as ADD', (config: object) => config],
  ['without prevResult', (config: object) => ({ ...config, prevResult: undefined })],
  ['with another policy', (config: object) => ({ ...config, ingressPolicy: 'open' })],
  ['with a policy that is none', (config: object) => ({ ...config, ingressPolicy: 'closed' })],
  ['with another backend', (config: object) => ({ ...config, backend: 'iptables' })],
  ['with a firewalld that does not run', (config: object) => ({ ...config, backend: 'firewalld' })],
  ['in the oldest version', (config: object) => ({ ...config, cniVersion: '0.4.0', prevResult: undefined })],
])('DEL %s, and once more', async (_, change) => {
  await addImagined('other', 7, isolated);
  const before = await ruleset();
  const one = await addImagined('one', 1, isolated);
  for (const netns of [one.netns, '', '/run/netns/gone']) {
    const ended = await call('DEL', { ...one, netns }, change(one.config));
    expect(ended).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await ruleset()).toBe(before);
  }
});

test('DEL on a node that has no table of Fairlead’s does nothing', async () => {
  await release(imagine('one', 1));
  expect(await ruleset()).toBe('');
});

test('an address that another container was given: the first one’s DEL leaves it', async () => {
  const first = await addImagined('first', 1, isolated);
  const second = { ...imagine('second', 1, isolated), address4: first.address4 };
  await call('ADD', second, second.config);
  const owned = async () => (await elements()).filter((line) => line.includes('10.99.0.1 comment'));
  for (const _ of [1, 2]) {
    await release(first);
    expect(await owned()).toEqual([
      'firewall-allowed4 10.99.0.1 comment "cni0 second eth0"',
      'firewall-guarded4 10.99.0.1 comment "cni0 second eth0" : jump firewall-isolated-cni0',
    ]);
  }
  await release(second);
  expect(await elements()).toEqual([]);
});

test('GC removes what this network’s containers have that are not valid any more, and nothing else', async () => {
  await addImagined('kept', 1, isolated);
  await addImagined('elsewhere', 4, isolated, 'cni');
  const before = await ruleset();
  await addImagined('gone', 2, isolated);
  await addImagined('gone-too', 3, { ingressPolicy: 'same-bridge' });
  await nft('add element inet fairlead firewall-allowed4 { 10.99.0.77 comment "not an owner" }');
  const config = {
    cniVersion: '1.1.0',
    name: 'cni0',
    type: 'firewall',
    'cni.dev/valid-attachments': [{ containerID: 'kept', ifname: 'eth0' }],
  };
  for (const _ of [1, 2]) {
    await gc({ plugin: 'firewall', config });
    await nft('delete element inet fairlead firewall-allowed4 { 10.99.0.77 }');
    expect(await ruleset()).toBe(before);
    await nft('add element inet fairlead firewall-allowed4 { 10.99.0.77 comment "not an owner" }');
  }
});

test('GC finds what the index does not know', async () => {
  await addImagined('gone', 2, isolated);
  await nft('flush map inet fairlead firewall-owners; flush map bridge fairlead firewall-owners');
  await gc({
    plugin: 'firewall',
    config: { cniVersion: '1.1.0', name: 'cni0', type: 'firewall', 'cni.dev/valid-attachments': [] },
  });
  expect(await elements()).toEqual([]);
});

test('long names, and a bridge with a name that is no word of nft’s', async () => {
  const network = 'n'.repeat(200);
  const names = ['a', 'b'].map((end) => 'c'.repeat(200) + end);
  const keys = (bridge: string, name: string) => ({
    ...isolated,
    name: network,
    prevResult: { interfaces: [{ name: bridge }, { name: `v${name}` }], ips: [{ address: '10.1.0.5/24' }] },
  });
  for (const [index, name] of names.entries()) {
    const container = imagine(name, index);
    const config = { ...container.config, ...keys('br@"ü', String(index)) };
    if (index === 1) Object.assign(config.prevResult, { ips: [{ address: '10.1.0.6/24' }] });
    expect((await call('ADD', container, config)).exitCode).toBe(0);
    expect((await call('CHECK', container, config)).exitCode).toBe(0);
  }
  expect(await elements()).toHaveLength(2 * (3 + 2) + 1);
  const config = { cniVersion: '1.1.0', name: network, type: 'firewall' };
  for (const name of names) await del({ plugin: 'firewall', containerId: name, config });
  expect(await elements()).toEqual([]);
  expect(await nft('list', 'chains')).not.toContain('firewall-isolated-');
});

test(
  'with 100 containers on the bridge, ADD and DEL of one more say and hear as much as with one',
  async () => {
    const one = imagine('one', 1, isolated);
    const heard = async (command: string) => {
      const argv = ['strace', '-f', '-qq', '-e', 'trace=sendto,recvfrom', '-o', '/run/trace'];
      const ended = await runPlugin({
        plugin: 'firewall',
        command,
        container: one,
        ifname: 'eth0',
        config: one.config,
        under: argv,
      });
      expect(ended.exitCode).toBe(0);
      return (await Bun.file('/run/trace').text()).split('\n').length;
    };
    await addImagined('first', 2, isolated);
    const few = [await heard('ADD'), await heard('DEL')];
    for (let number = 10; number < 110; number += 10)
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => addImagined(`c${number + index}`, number + index, isolated)),
      );
    expect([await heard('ADD'), await heard('DEL')]).toEqual(few);
  },
  patience,
);

test('a result without addresses: nothing to let pass', async () => {
  const { config, ...one } = imagine('one', 1, isolated);
  const empty = { ...config, prevResult: { interfaces: [{ name: 'cni0' }] } };
  for (const verb of ['ADD', 'CHECK', 'DEL']) expect((await call(verb, one, empty)).exitCode).toBe(0);
});

test('refused: not chained, a policy without a bridge, a firewalld that does not run', async () => {
  const { config, ...one } = imagine('one', 1);
  const refusal = (keys: object) =>
    failure({
      plugin: 'firewall',
      command: 'ADD',
      container: one,
      ifname: 'eth0',
      config: { ...config, ...keys },
    });
  expect(await refusal({ prevResult: undefined })).toMatchObject({
    code: 7,
    msg: '`prevResult` of plugin `firewall` is missing',
  });
  expect(await refusal({ ingressPolicy: 'closed' })).toMatchObject({
    code: 7,
    msg: '`ingressPolicy` of plugin `firewall` must be "open", "same-bridge", "isolated" or "", got "closed"',
  });
  const inside = { interfaces: [{ name: 'eth0', sandbox: one.netns }], ips: [{ address: '10.1.0.5/24' }] };
  expect(await refusal({ ...isolated, prevResult: inside })).toMatchObject({
    code: 7,
    msg: '`ingressPolicy` of plugin `firewall` is "isolated", and the previous result names no interface of the node',
  });
  expect(await refusal({ backend: 'firewalld' })).toMatchObject({
    code: 11,
    msg: '`backend` of plugin `firewall` is "firewalld", and no firewalld runs',
  });
  for (const name of ['CNI-FORWARD', 'FORWARD', 'with space', '-x', '!x', '$(x)', 'x'.repeat(29)]) {
    const { code, msg } = await refusal({ iptablesAdminChainName: name });
    expect({ name, code, msg }).toEqual({
      name,
      code: 7,
      msg: expect.stringContaining(
        '`iptablesAdminChainName` of plugin `firewall` must be the name of a chain',
      ),
    });
  }
  expect(await elements()).toEqual([]);
});

test('STATUS', async () => {
  const config = { cniVersion: '1.1.0', name: 'cni0', type: 'firewall' };
  await status({ plugin: 'firewall', config });
  const error = await failure({
    plugin: 'firewall',
    command: 'STATUS',
    config: { ...config, backend: 'firewalld' },
  });
  expect(error).toMatchObject({
    code: 50,
    msg: '`backend` of plugin `firewall` is "firewalld", and no firewalld runs',
  });
});

test('versions: those of the reference', async () => {
  const ended = await runPlugin({
    plugin: 'firewall',
    command: 'VERSION',
    config: { cniVersion: '1.1.0' },
  });
  expect(ended.json).toMatchObject({ supportedVersions: ['0.4.0', '1.0.0', '1.1.0'] });
});
