import { describe, expect, test } from 'bun:test';
import { formatPrefix } from '../../../lib/ip.ts';
import { prefix } from '../../../lib/ip-literal.ts';
import type { PortMapping, PortmapConfig } from './config.ts';
import { portIndex } from './index-entry.ts';
import { publish, targetsOf, wantedFor } from './mapping.ts';

const config: PortmapConfig = { snat: true, masqAll: false, conditionsV4: [], conditionsV6: [] };
const targets = ['10.1.0.5/16', 'fd00::5/64'].map(prefix);
const http: PortMapping = { hostPort: 8080, containerPort: 80, protocol: 'tcp' };

describe('targetsOf', () => {
  test('the first address of each family that the interface has', () => {
    const result = {
      interfaces: [{ name: 'eth0' }, { name: 'net1', sandbox: '/n' }, { name: 'eth0', sandbox: '/n' }],
      ips: [
        { address: '10.1.0.1/16', interface: 0 },
        { address: '10.1.0.2/16', interface: 1 },
        { address: 'fd00::3/64', interface: 2 },
        { address: '10.1.0.4/16', interface: 2 },
        { address: '10.1.0.5/16', interface: 2 },
      ],
    };
    expect(targetsOf(result, 'eth0').map(formatPrefix)).toEqual(['10.1.0.4/16', 'fd00::3/64']);
  });

  test('addresses of which no interface is known, or one that is not in the list', () => {
    const ips = [{ address: '10.1.0.1/16' }, { address: 'fd00::1/64', interface: 7 }];
    expect(targetsOf({ ips }, 'eth0').map(formatPrefix)).toEqual(['10.1.0.1/16', 'fd00::1/64']);
    expect(targetsOf({}, 'eth0')).toEqual([]);
  });
});

describe('publish', () => {
  const families = (mapping: PortMapping) =>
    publish([mapping], targets).map(({ target }) => target.address.family);

  test.each([
    [undefined, [4, 6]],
    ['0.0.0.0', [4]],
    ['::', [6]],
    ['192.0.2.1', [4]],
    ['::ffff:192.0.2.1', [4]],
    ['2001:db8::1', [6]],
  ] as const)('hostIP %p: families %p', (hostIP, expected) => {
    expect(families({ ...http, ...(hostIP !== undefined && { hostIP }) })).toEqual([...expected]);
  });

  test('the same port once, also where it is said differently; a contradiction is an error', () => {
    expect(publish([http, http, { ...http, hostIP: '0.0.0.0' }], targets)).toHaveLength(2);
    expect(
      publish([http, { ...http, protocol: 'udp' }, { ...http, hostIP: '192.0.2.1' }], targets),
    ).toHaveLength(5);
    expect(() => publish([http, { ...http, hostIP: '::', containerPort: 81 }], targets)).toThrow(
      'maps host port 8080/tcp, which `portMappings[0]` maps to container port 80',
    );
    expect(publish([http, { ...http, hostIP: '::', containerPort: 81 }], targets.slice(0, 1))).toHaveLength(
      1,
    );
  });
});

describe('wantedFor', () => {
  test('elements are at the places of their entry in the index, or DEL would not find them', () => {
    const mappings = [undefined, '192.0.2.1', '2001:db8::1', '::'].map((hostIP, index) => ({
      ...http,
      hostPort: 8080 + index,
      ...(hostIP !== undefined && { hostIP }),
    }));
    const { holdings } = wantedFor(publish(mappings, targets), config);
    expect(holdings).toHaveLength(5);
    for (const { entry, elements } of holdings) {
      const places = portIndex.places(entry).map(({ set, key }) => [set.name, key]);
      expect<unknown>(elements.map(({ set, key }) => [set.name, [...key]])).toEqual(
        places.map(([name, key]) => [name, [...(key ?? [])]]),
      );
    }
  });

  test('ports of one policy share its chain', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({ ...http, hostPort: 1000 + index }));
    const names = wantedFor(publish(many, targets), config).chains.map(({ chain }) => chain.name);
    expect(names).toEqual([
      'portmap-masquerade-13',
      'portmap-mark-13-10.1.0.0/16',
      'portmap-mark-13-fd00__/64',
    ]);
  });

  test('without snat and conditions there is no chain', () => {
    const { chains, holdings } = wantedFor(publish([http], targets), { ...config, snat: false });
    expect(chains).toEqual([]);
    expect(holdings.map(({ elements }) => elements.length)).toEqual([1, 1]);
  });
});
