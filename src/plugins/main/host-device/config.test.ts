import { describe, expect, test } from 'bun:test';
import type { Problem } from '../../../cni/schema/schema.ts';
import { type HostDeviceConfig, hostDeviceSchema, selectorOf } from './config.ts';
import { oldNameOf } from './move.ts';

function read(config: object) {
  const problems: Problem[] = [];
  const value = hostDeviceSchema.read(config, [], problems);
  return { value, problems: problems.map(({ path, message }) => `${path.join('.')} ${message}`) };
}

function selected(config: object) {
  return selectorOf(read(config).value as HostDeviceConfig);
}

const twenty = '80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0a:0b:0c';

describe('hwaddr', () => {
  // The forms in the documentation of Go's net.ParseMAC.
  test.each([
    ['00:00:5e:00:53:01', '00:00:5e:00:53:01'],
    ['00-00-5E-00-53-01', '00:00:5e:00:53:01'],
    ['0000.5e00.5301', '00:00:5e:00:53:01'],
    ['02:00:5e:10:00:00:00:01', '02:00:5e:10:00:00:00:01'],
    ['0200.5e10.0000.0001', '02:00:5e:10:00:00:00:01'],
    [twenty, twenty],
    [twenty.replaceAll(':', '-'), twenty],
    ['8000.0208.fe80.0000.0000.0000.0002.c903.000a.0b0c', twenty],
    ['', ''],
  ])('%s', (text, hwaddr) =>
    expect(read({ hwaddr: text })).toMatchObject({ value: { hwaddr }, problems: [] }),
  );

  test.each([
    '00:00:5e:00:53',
    '00:00:5e:00:53:01:',
    '00:00:5e-00:53:01',
    '00:00:5e:00:53:0g',
    '00:00:5e:00:53:01:02',
    '0000.5e00',
    '0000.5e00.5301.',
    '00005e005301',
    `${twenty}:00`,
  ])('not %s', (hwaddr) => expect(read({ hwaddr }).problems).toHaveLength(1));
});

test.each([
  ['pciBusID', '0000:1F:00.2', '0000:1f:00.2'],
  ['pciBusID', '10000:e1:00.0', '10000:e1:00.0'],
  ['kernelpath', '/sys/devices/pci0000:00/0000:00:1f.6', '/sys/devices/pci0000:00/0000:00:1f.6'],
])('%s %s', (key, text, value) => expect(selected({ [key]: text })).toMatchObject({ key, value }));

test.each(['0000:1f:00', '1f:00.2', '0000:1f:00.8', '0000:1f:00.2/../..', '0000:1f:00.2\n'])(
  'not pciBusID %j',
  (pciBusID) => expect(read({ pciBusID }).problems).toHaveLength(1),
);

test.each(['..', '.', 'a/b', 'x\n', '\0', 'x'.repeat(256)])('not runtimeConfig.deviceID %j', (deviceID) =>
  expect(read({ runtimeConfig: { deviceID } }).problems).toHaveLength(1),
);

test('the runtime goes before the configuration; an empty text is as none', () => {
  const config = { device: 'eth1', runtimeConfig: { deviceID: '0000:1f:00.2' } };
  expect(selected(config)).toEqual({
    key: 'runtimeConfig.deviceID',
    value: '0000:1f:00.2',
  });
  expect(selected({ device: 'eth1', runtimeConfig: { deviceID: '' } })?.key).toBe('device');
  expect(selected({ device: '', hwaddr: '', kernelpath: '', pciBusID: '' })).toBeUndefined();
});

test('a name that an alias tells', () => {
  expect(
    ['eth1', 'enp3s0f0np0', 'a b', 'a/b', '', '..', 'dev%d', 'x'.repeat(16)].map((alias) =>
      oldNameOf({ alias }),
    ),
  ).toEqual(['eth1', 'enp3s0f0np0', undefined, undefined, undefined, undefined, undefined, undefined]);
  expect(oldNameOf({})).toBeUndefined();
});
