/**
 * Beside the reference's dhcp: its plugin with our daemon, our plugin with its daemon, in both directions through the life
 * of an attachment; and the same results. With FAIRLEAD_REFERENCE another release than Debian's is tried.
 */
// packages: containernetworking-plugins dnsmasq-base iproute2
import { afterEach, beforeEach, expect } from 'bun:test';
import { createContainer } from '../../support/container.ts';
import { add, binDirectory, check, del, gc, status } from '../../support/plugin.ts';
import { reference, testWithReference } from '../../support/reference.ts';
import { limit } from '../../support/sandbox.ts';
import { makeSegment, removeSegment } from '../../support/segment.ts';
import { startDaemon, startDnsmasq, stopAll, until } from './servers.ts';

const test = testWithReference('dhcp');

beforeEach(() => makeSegment());
afterEach(async () => {
  await stopAll();
  await removeSegment();
});

const routes = '--dhcp-option=121,192.0.2.0/24,10.50.0.7,0.0.0.0/0,10.50.0.1';
/** The reference of Debian's time knows routes without a scope only, and no CNI version above 1.0.0. */
const config = {
  cniVersion: '1.0.0',
  name: 'both',
  type: 'macvlan',
  master: 'eth0',
  ipam: {
    type: 'dhcp',
    request: [{ option: '121' }],
    provide: [{ option: 'host-name', fromArg: 'NAME' }],
  },
};

async function newInterface(name: string) {
  const container = createContainer(name);
  await Bun.$`ip link add link eth0 name eth0 netns ${name} type macvlan mode bridge`.quiet();
  return container;
}

const pairs = [
  ['our plugin, our daemon', binDirectory, binDirectory],
  ['our plugin, the reference’s daemon', binDirectory, reference],
  ['the reference’s plugin, our daemon', reference, binDirectory],
  ['the reference’s plugin and daemon', reference, reference],
] as const;

for (const [what, directory, ofDaemon] of pairs) {
  test(
    `${what}: ADD, CHECK, DEL`,
    async () => {
      const server = await startDnsmasq([routes]);
      await startDaemon([], { directory: ofDaemon });
      const container = await newInterface('blue');
      const call = { plugin: 'dhcp', binDirectory: directory, container, config, args: 'NAME=blue-1' };
      // The older library prints an empty `dns`.
      const { ips, dns: _, ...result } = await add(call);
      expect(result).toEqual({
        cniVersion: '1.0.0',
        routes: [
          { dst: '192.0.2.0/24', gw: '10.50.0.7' },
          { dst: '0.0.0.0/0', gw: '10.50.0.1' },
        ],
      });
      expect(ips?.[0]?.address).toMatch(/^10\.50\.0\.\d+\/24$/);
      expect(server.log()).toContain('client provides name: blue-1');
      const after = { ...call, config: { ...config, prevResult: { ...result, ips } } };
      await check(after);
      await del(after);
      // That of the reference's 1.9.1 comes from 0.0.0.0 to the server's own address, and the kernel there throws it away.
      if (ofDaemon === binDirectory)
        await until('the server saw the release', () => server.count(/DHCPRELEASE/) === 1);
      await del(after);
    },
    limit(30),
  );
}

test(
  'our plugin, the reference’s daemon: GC and STATUS do no harm',
  async () => {
    await startDaemon([], { directory: reference });
    const newest = { ...config, cniVersion: '1.1.0' };
    await status({ plugin: 'dhcp', config: newest });
    await gc({ plugin: 'dhcp', config: { ...newest, 'cni.dev/valid-attachments': [] } });
  },
  limit(20),
);
