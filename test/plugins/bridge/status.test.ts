/** STATUS and VERSION: whether ADD can work, and what the plugin speaks. */
import { afterEach, expect, test } from 'bun:test';
import { failure, runPlugin, status, successful } from '../../support/plugin.ts';
import { attach, detachAll, network } from './network.ts';

afterEach(detachAll);

test('nothing is said where ADD can work: before the first one, after it, on layer 2', async () => {
  const config = network();
  await status({ plugin: 'bridge', config });
  await attach(config);
  await status({ plugin: 'bridge', config });
  await status({ plugin: 'bridge', config: network({ ipam: undefined }) });
});

test('50 where another kind of link has the name of the bridge', async () => {
  const config = network();
  await Bun.$`ip link add ${config.bridge} type ifb`;
  const error = await failure({ plugin: 'bridge', command: 'STATUS', config });
  expect(error).toMatchObject({ code: 50 });
  expect(error.msg).toContain(`"${config.bridge}" is a link of kind ifb, not a bridge`);
});

test('50 where the IPAM plugin cannot give an address any more', async () => {
  const config = network({ ipam: { type: 'host-local', ranges: [[{ subnet: '10.251.0.0/30' }]] } });
  await status({ plugin: 'bridge', config });
  await attach(config);
  const error = await failure({ plugin: 'bridge', command: 'STATUS', config });
  expect(error).toMatchObject({ code: 50 });
});

test('an error where there is no such IPAM plugin', async () => {
  const config = network({ ipam: { type: 'none' } });
  const error = await failure({ plugin: 'bridge', command: 'STATUS', config });
  expect(error.msg).toContain('none');
});

test('STATUS and GC are refused in a version that has them not', async () => {
  for (const command of ['STATUS', 'GC']) {
    const error = await failure({ plugin: 'bridge', command, config: network({ cniVersion: '1.0.0' }) });
    expect(error).toMatchObject({ code: 1, cniVersion: '1.0.0' });
  }
});

test('VERSION: every version of the specification', async () => {
  const { json } = await successful({
    plugin: 'bridge',
    command: 'VERSION',
    config: { cniVersion: '1.0.0' },
  });
  expect(json).toEqual({
    cniVersion: '1.0.0',
    supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
  });
});

test('a version that there is none of is refused with code 1', async () => {
  const { json, exitCode } = await runPlugin({
    plugin: 'bridge',
    command: 'ADD',
    config: network({ cniVersion: '9.0.0' }),
    containerId: 'a',
    netns: '/run/netns/a',
    ifname: 'eth0',
  });
  expect(exitCode).toBe(1);
  expect(json).toMatchObject({ code: 1 });
});
