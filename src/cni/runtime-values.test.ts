import { expect, test } from 'bun:test';
import { runPlugin } from './harness.ts';
import { array, definePlugin, mac, prefix, runtimeValue } from './index.ts';

/** What a plugin finds for `mac` and `ips`, or the error. */
async function find(config: object, CNI_ARGS = ''): Promise<unknown> {
  let found: unknown;
  let stdout = '';
  const plugin = definePlugin({
    name: 'p',
    add: (request) => {
      found = {
        mac: runtimeValue(request, mac(), { runtimeConfig: 'mac', cniArgs: 'mac', env: 'MAC' }),
        ips: runtimeValue(request, array(prefix()), { runtimeConfig: 'ips', env: 'IP', envSeparator: ',' }),
      };
      return {};
    },
    del: () => {},
    check: () => {},
  });
  const exitCode = await runPlugin(plugin, {
    env: { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c', CNI_NETNS: '/n', CNI_IFNAME: 'e', CNI_ARGS },
    stdinIsTerminal: () => false,
    readStdin: () => JSON.stringify({ cniVersion: '1.1.0', name: 'n', type: 'p', ...config }),
    writeStdout: (text) => {
      stdout += text;
    },
    writeStderr: () => {},
  });
  return exitCode === 0 ? found : JSON.parse(stdout);
}

const a = '02:00:00:00:00:0a';
const b = '02:00:00:00:00:0b';
const c = '02:00:00:00:00:0c';

test.each<[string, object, string, unknown]>([
  ['nothing', {}, '', undefined],
  ['CNI_ARGS', {}, `MAC=${c}`, c],
  ['args.cni over CNI_ARGS', { args: { cni: { mac: b } } }, `MAC=${c}`, b],
  ['runtimeConfig over all', { runtimeConfig: { mac: a }, args: { cni: { mac: b } } }, `MAC=${c}`, a],
  ['null is absent', { runtimeConfig: { mac: null }, args: { cni: { mac: b } } }, '', b],
])('%s', async (_name, config, args, expected) => {
  expect(await find(config, args)).toEqual({ mac: expected, ips: undefined });
});

test('a list in CNI_ARGS is split', async () => {
  expect(await find({}, 'IP=10.0.0.1/24, fd00::1/64')).toEqual({
    mac: undefined,
    ips: ['10.0.0.1/24', 'fd00::1/64'],
  });
});

test.each<[object, string, number, string]>([
  [{ runtimeConfig: { mac: 'x' } }, '', 7, '`runtimeConfig.mac` of plugin `p` must be a hardware address'],
  [{ args: { cni: { mac: 1 } } }, '', 7, '`args.cni.mac` of plugin `p` must be a hardware address'],
  [{}, 'MAC=x', 4, '`CNI_ARGS.MAC` of plugin `p` must be a hardware address'],
  [{}, 'IP=x', 4, '`CNI_ARGS.IP[0]` of plugin `p` must be an IP address'],
])('%j %s', async (config, args, code, message) => {
  const error = await find(config, args);
  expect(error).toMatchObject({ code });
  expect((error as { msg: string }).msg).toContain(message);
});
