import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { cli } from '../testing.ts';
import { type Fixture, makeFixture } from './fixture.ts';

let fixture: Fixture;
const write = (name: string, text: string) => fixture.write(name, text);
const findings = (plugins: readonly unknown[], more?: object) => fixture.findings(plugins, more);

beforeEach(() => {
  fixture = makeFixture();
});

afterEach(() => {
  fixture.remove();
});

describe('what plugins take', () => {
  const ipam = { type: 'host-local', subnet: '10.1.0.0/24' };
  test.each([
    [
      'ranges that overlap',
      { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: '10.1.0.0/25' }]] },
      'must not overlap',
    ],
    [
      'an empty range set',
      { type: 'host-local', ranges: [[]] },
      '`ipam.ranges[0]` of plugin `host-local` must have at least one range',
    ],
    ['no range', { type: 'host-local' }, 'must have at least one range set'],
    [
      'families mixed',
      { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }, { subnet: 'fd00::/64' }]] },
      'must not mix',
    ],
    [
      'a relative folder',
      { ...ipam, dataDir: 'here' },
      '`ipam.dataDir` of plugin `host-local` must be an absolute path',
    ],
    ['a range end outside', { ...ipam, rangeEnd: '10.2.0.1' }, '`ipam.rangeEnd` of plugin `host-local`'],
    [
      'a static address',
      { type: 'static', addresses: [{ address: '10.1.0.5' }] },
      '`ipam.addresses[0].address` of plugin `static` must be',
    ],
    ['a key of ipam', { ...ipam, subnets: 1 }, 'hint: `ipam.subnets` is not known to plugin `host-local`'],
    ['ipam that is a text', 'host-local', '`plugins[0].ipam` must be an object'],
  ])('%s', async (_name, section, message) => {
    const found = await findings([{ type: 'bridge', ipam: section }]);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  test('no range where the runtime gives them', async () => {
    expect(
      await findings([{ type: 'bridge', capabilities: { ipRanges: true }, ipam: { type: 'host-local' } }]),
    ).toEqual([]);
  });

  test('plugins that are not ours are taken as they are', async () => {
    expect(await findings([{ type: 'foreign', whatever: 1, ipam: { type: 'foreign-ipam', x: 1 } }])).toEqual(
      [],
    );
    expect(await findings([{ type: 'bridge', ipam: { type: 'foreign-ipam', x: 1 } }])).toEqual([]);
  });

  test('keys that every plugin has, and records, are known', async () => {
    const common = {
      dns: { nameservers: ['10.1.0.1'] },
      args: { cni: { anything: 1 } },
      runtimeConfig: { more: 1 },
    };
    expect(await findings([{ type: 'bridge', ipam, ...common, prevResult: {} }])).toEqual([]);
    expect(await findings([{ type: 'bridge', ipam, dns: { nameserver: [] } }])).toEqual([
      expect.stringMatching(
        /hint: `dns.nameserver` is not known to plugin `bridge`; did you mean `nameservers`\?$/,
      ),
    ]);
  });
});

describe('plugins', () => {
  test('that are missing, of ipam too, each where it is named', async () => {
    const found = await findings([{ type: 'absent', ipam: { type: 'gone' } }]);
    expect(found).toEqual([
      '6:4: error: cannot find an executable for plugin type `absent`: not in bin',
      '8:5: error: cannot find an executable for plugin type `gone`: not in bin',
    ]);
  });

  test('that do not support the version of the network', async () => {
    expect(await findings([{ type: 'old' }])).toEqual([
      '6:4: error: plugin `old` does not support CNI version 1.1.0; supported are 0.3.1, 0.4.0',
    ]);
    expect(await findings([{ type: 'old' }], { cniVersion: '0.4.0' })).toEqual([]);
  });

  test('no directory of plugins at all', async () => {
    const path = write('a.conflist', '{"cniVersion":"1.1.0","name":"a","plugins":[{"type":"bridge"}]}');
    const { exitCode, stdout } = await cli(['validate', path, '--plugin-path', '/nowhere:/no-other']);
    expect(stdout).toContain(
      'a.conflist:1:46: error: cannot find an executable for plugin type `bridge`: not in /nowhere, /no-other\n',
    );
    expect(exitCode).toBe(1);
  });
});
