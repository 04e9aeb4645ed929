/** The container's hardware address: asked for in three places, or following from the attachment. */
import { afterEach, expect, test } from 'bun:test';
import { createContainer } from '../../support/container.ts';
import { add, failure } from '../../support/plugin.ts';
import { attach, detachAll, link, network } from './network.ts';

afterEach(detachAll);

const macOf = async (netns: string) => String((await link(netns, 'eth0'))?.['address']);

const [first, second, third] = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'];
const runtimeConfig = { runtimeConfig: { mac: first } };
const args = { args: { cni: { mac: second } } };
const cniArgs = { args: `IgnoreUnknown=1;MAC=${third}` };

test.each([
  ['runtimeConfig', { ...runtimeConfig, ...args }, cniArgs, first],
  ['args.cni', args, cniArgs, second],
  ['CNI_ARGS', {}, cniArgs, third],
  [
    'CNI_ARGS where the others are empty',
    { runtimeConfig: { mac: '' }, args: { cni: { mac: '' } } },
    cniArgs,
    third,
  ],
])('from %s', async (_what, keys, call, expected) => {
  const { container, result } = await attach(network(keys), call);
  expect(await macOf(container.netns)).toBe(expected);
  expect(result.interfaces?.[2]?.mac).toBe(expected);
});

test('in another spelling, it is told as the kernel spells it', async () => {
  const { result } = await attach(network({ runtimeConfig: { mac: '02-AB-CD-EF-00-01' } }));
  expect(result.interfaces?.[2]?.mac).toBe('02:ab:cd:ef:00:01');
});

test('otherwise it follows from the attachment: the same again, another for another', async () => {
  const config = network();
  const container = createContainer();
  const one = await attach(config, { container });
  const other = await attach(config, { container, ifname: 'eth1' });
  expect(other.result.interfaces?.[2]?.mac).not.toBe(one.result.interfaces?.[2]?.mac);
  await Bun.$`ip link delete ${one.hostName}`;
  const again = await add({ plugin: 'bridge', config: { ...config, ipam: undefined }, container });
  expect(again.interfaces?.slice(1)).toEqual(one.result.interfaces?.slice(1) ?? []);
});

test.each([
  ['multicast', { runtimeConfig: { mac: '01:00:00:00:00:01' } }, {}, 7, 'runtimeConfig.mac'],
  ['no address', { args: { cni: { mac: '02:00:00:00:00' } } }, {}, 7, 'args.cni.mac'],
  ['all zeros', {}, { args: 'MAC=00:00:00:00:00:00' }, 4, 'CNI_ARGS'],
])('%s is refused with the place named', async (_what, keys, call, code, place) => {
  const container = createContainer();
  const config = network(keys);
  const error = await failure({
    plugin: 'bridge',
    command: 'ADD',
    config,
    container,
    ifname: 'eth0',
    ...call,
  });
  expect(error).toMatchObject({ code });
  expect(error.msg).toContain(place);
  expect(await link(undefined, config.bridge)).toBeUndefined();
});
