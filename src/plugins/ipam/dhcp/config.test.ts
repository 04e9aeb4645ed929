import { describe, expect, test } from 'bun:test';
import { clientIdOf, clientOptionsOf, type DhcpConfig, dhcpSchema, optionCode } from './config.ts';

function read(ipam: object): { config: DhcpConfig | undefined; problems: readonly string[] } {
  const problems: { path: readonly (string | number)[]; message: string }[] = [];
  const config = dhcpSchema.read({ ipam: { type: 'dhcp', ...ipam } }, [], problems as never);
  return { config, problems: problems.map(({ path, message }) => `${path.join('.')} ${message}`) };
}

function optionsOf(ipam: object, args = '') {
  const { config } = read(ipam);
  if (config === undefined) throw new Error('the configuration is wrong');
  return clientOptionsOf(config, args);
}

test.each<[string, number | undefined]>([
  ['host-name', 12],
  ['user-class', 77],
  ['vendor-class-identifier', 60],
  ['dhcp-client-identifier', 61],
  ['routers', 3],
  ['subnet-mask', 1],
  ['121', 121],
  ['012', 12],
  ['0', 0],
  ['255', 255],
  ['256', undefined],
  ['-1', undefined],
  ['Host-Name', undefined],
  ['', undefined],
])('option %p: %p', (text, code) => {
  expect(optionCode(text)).toBe(code);
});

describe('what is requested', () => {
  test.each<[string, object[], number[]]>([
    ['routers and the mask', [], [3, 1]],
    ['more', [{ option: '121' }, { option: 'routers' }], [121, 3, 1]],
    ['others', [{ skipDefault: true }, { option: '6' }], [6]],
    ['nothing: what the reference’s library asks for', [{ skipDefault: true }], [1, 3, 15, 6]],
  ])('%s', (_what, request, codes) => {
    expect(optionsOf({ request }).requested).toEqual(codes);
  });
});

test('what is provided: texts, and arguments in their place; what is empty or not given is not', () => {
  const provide = [
    { option: '12', value: 'a', fromArg: 'NAME' },
    { option: '60', fromArg: 'NONE' },
    { option: '77', value: '' },
    { option: '61', fromArg: 'WITH' },
  ];
  expect(optionsOf({ provide }, 'NAME=b;WITH=x=y;EMPTY').provided).toEqual([
    [12, 'a'],
    [12, 'b'],
    [61, 'x=y'],
  ]);
});

test.each<[object, string]>([
  [{ request: [{ option: 'nonsense' }] }, 'ipam.request.0.option must be one of "dhcp-client-identifier"'],
  [{ provide: [{ option: 'nonsense', value: 'x' }] }, 'ipam.provide.0.option must be one of'],
  [{ provide: [{ value: 'x' }] }, 'ipam.provide.0.option is missing'],
  [{ provide: [{ option: '53', value: 'x' }] }, 'ipam.provide.0.option must not be 53'],
  [
    { provide: [{ option: '12', value: 'ä'.repeat(128) }] },
    'ipam.provide.0.value must have at most 255 bytes, got 256',
  ],
  [{ priority: -1 }, 'ipam.priority must be 0–4294967295, got -1'],
])('%p is wrong', (ipam, problem) => {
  expect(read(ipam).problems[0]).toStartWith(problem);
});

test("the client's identity is cut as the reference cuts it", () => {
  expect(clientIdOf('blue', 'net', 'eth0')).toBe('blue/net/eth0');
  expect(clientIdOf('x'.repeat(300), 'net', 'eth0').length).toBe(254);
});
