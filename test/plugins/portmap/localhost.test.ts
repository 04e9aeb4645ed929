/** `route_localnet`: set where it is needed only, and no way to what listens on the node's 127.0.0.1 only. */
import { afterEach, expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { inNetns } from '../../support/container.ts';
import { serve } from '../../support/traffic.ts';
import { answers, attach, cleanUp, nft } from './network.ts';

afterEach(cleanUp);

function routeLocalnet(link: string): string {
  const file = `/proc/sys/net/ipv4/conf/${link}/route_localnet`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : 'no such link';
}

const tcp80 = { hostPort: 8080, containerPort: 80, protocol: 'tcp' };

test.each([
  ['no port', {}, '0'],
  ['a port', { mappings: [tcp80] }, '1'],
  ['a port of 127.0.0.1', { mappings: [{ ...tcp80, hostIP: '127.0.0.1' }] }, '1'],
  ['a port of another address', { mappings: [{ ...tcp80, hostIP: '192.0.2.1' }] }, '0'],
  ['a port of IPv6', { mappings: [{ ...tcp80, hostIP: '::' }] }, '0'],
  ['a port, `snat` false', { mappings: [tcp80], portmap: { snat: false } }, '0'],
] as const)('route_localnet of the bridge: %s', async (_, options, expected) => {
  await attach('one', options);
  expect(routeLocalnet('cni0')).toBe(expected);
  expect(routeLocalnet('all')).toBe('0');
});

test('a container does not reach the node’s 127.0.0.1, though route_localnet would let it', async () => {
  const one = await attach('one', { mappings: [tcp80] });
  await serve(undefined, 'tcp', 9999, 'on the node');
  writeFileSync('/proc/sys/net/ipv4/conf/cni0/rp_filter', '0');
  const script = [
    'sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1',
    'ip route flush table local',
    'ip route add table local local 10.88.1.2 dev eth0',
    'ip route add 127.0.0.1/32 via 10.88.1.1 src 10.88.1.2',
  ];
  const ended = await inNetns(one.netns, ['sh', '-ec', script.join('\n')]);
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await answers(one, 'tcp', '127.0.0.1', 9999, { timeoutSeconds: 1 })).toBe('-');
  // Without the rule it would: the test can fail.
  await nft('flush', 'chain', 'inet', 'fairlead', 'portmap-localnet');
  expect(await answers(one, 'tcp', '127.0.0.1', 9999, { timeoutSeconds: 1 })).toBe('on the node');
});
