/**
 * CNI_NETNS that is the plugin's own namespace: refused with code 8 unless CNI_NETNS_OVERRIDE allows it, as the reference
 * library's skel does, only before anything was done.
 */
import { afterEach, describe, expect, test } from 'bun:test';
import { plugin as pointToPoint } from '../../examples/plugins/point-to-point.ts';
import { testPlugin } from '../../src/testing/index.ts';
import { ip, removeContainers } from '../support/container.ts';
import { diff, snapshot } from '../support/node.ts';
import { failure, type PluginCall, runPlugin } from '../support/plugin.ts';

afterEach(removeContainers);

const own = '/proc/self/ns/net';
const config = { cniVersion: '1.0.0', name: 'n', bridge: 'br-own' };
const prevResult = { cniVersion: '1.0.0', interfaces: [], ips: [] };
/** host-local's lock is made by looking. */
const lasting = /^file \/var\/lib\/cni/;

describe.each(['bridge', 'loopback'])('%s', (plugin) => {
  test.each(['ADD', 'DEL', 'CHECK'])('%s is refused, and nothing changes', async (command) => {
    // What has the interface's name here is the node's: a DEL in the wrong place would take it away.
    await ip(undefined, 'link', 'add', 'eth7', 'type', 'veth', 'peer', 'eth8');
    const before = await snapshot();
    const call = { plugin, command, containerId: 'c', ifname: 'eth7', netns: own };
    const error = await failure({ ...call, config: { ...config, type: plugin, prevResult } });
    expect(error).toMatchObject({
      code: 8,
      msg: `CNI_NETNS ${own} is the network namespace that the plugin itself runs in, not a container's`,
      details: 'a runtime that means it sets CNI_NETNS_OVERRIDE=1',
    });
    expect(diff(before, await snapshot(), lasting)).toEqual([]);
    await ip(undefined, 'link', 'delete', 'eth7');
  });
});

function addWithOverride(value: string): PluginCall {
  return {
    plugin: 'loopback',
    command: 'ADD',
    containerId: 'c',
    ifname: 'lo',
    netns: own,
    config: { ...config, type: 'loopback' },
    env: { CNI_NETNS_OVERRIDE: value },
  };
}

test.each(['1', 'true', 'TRUE'])('CNI_NETNS_OVERRIDE=%s allows it', async (value) => {
  expect(await runPlugin(addWithOverride(value))).toMatchObject({ exitCode: 0 });
});

test.each(['0', 'yes', ''])('CNI_NETNS_OVERRIDE=%s does not', async (value) => {
  expect(await failure(addWithOverride(value))).toMatchObject({ code: 8 });
});

test('of an author’s plugin too', async () => {
  const container = { id: 'c', netns: own, remove: () => {}, [Symbol.dispose]: () => {} };
  const ipam = { type: 'static', addresses: [{ address: '10.30.0.2/24', gateway: '10.30.0.1' }] };
  await expect(testPlugin(pointToPoint, { config: { ipam } }).add(container)).rejects.toMatchObject({
    code: 8,
  });
});
