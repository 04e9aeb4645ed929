/** An ADD that fails late undoes what it did: links, rules and reservations; what others have stays. */
import { afterEach, expect, test } from 'bun:test';
import { createContainer, ip } from '../../support/container.ts';
import { diff, snapshot } from '../../support/node.ts';
import { check, failure } from '../../support/plugin.ts';
import { attach, detachAll, gatewaySettled, network, staticIpam } from './network.ts';

afterEach(detachAll);

const options = { isDefaultGateway: true, ipMasq: true, macspoofchk: true };

/** A second ADD on a network that works, with other keys: it fails and the first container has everything still. */
async function expectUndone(keys: Record<string, unknown>, container = createContainer()) {
  const config = network(options);
  const first = await attach(config);
  await gatewaySettled(config);
  const before = await snapshot();
  const broken = { ...config, ...keys };
  const error = await failure({
    plugin: 'bridge',
    command: 'ADD',
    config: broken,
    container,
    ifname: 'eth0',
  });
  const changed = diff(before, await snapshot(), /last_reserved_ip|\.fairlead|"fe80:|^file \/run\/netns/);
  expect(changed).toEqual([]);
  expect(await ip(container.netns, 'link', 'show', 'type', 'veth')).toEqual([]);
  await check(first.call);
  return error;
}

const ranges = [[{ subnet: '10.240.0.0/24' }]];

test('a route that the kernel refuses', async () => {
  const routes = [{ dst: '192.0.2.0/24', gw: '198.51.100.1' }];
  const error = await expectUndone({ ipam: { type: 'host-local', ranges, routes } });
  expect(error.msg).toContain('add route 192.0.2.0/24 via 198.51.100.1 dev eth0');
});

test('an address that the kernel refuses', async () => {
  const error = await expectUndone({ ipam: staticIpam(['127.0.0.0/8', 'ff02::5/64']) });
  expect(error.msg).toContain('ff02::5');
});

test("a gateway address that the bridge's others contradict", async () => {
  const error = await expectUndone({ ipam: { type: 'host-local', ranges } });
  expect(error).toMatchObject({ code: 7 });
  expect(error.msg).toContain('the gateway address of this network is 10.240.0.1/24');
});

test('an IPAM result without an address', async () => {
  const error = await expectUndone({ ipam: { type: 'static' } });
  expect(error.msg).toContain('static');
});

test('a disk that is full: the reservation cannot be written', async () => {
  const container = createContainer();
  await Bun.$`mkdir -p /run/full && mount -t tmpfs -o size=4k,nr_inodes=2 none /run/full`;
  try {
    const ipam = { type: 'host-local', ranges, dataDir: '/run/full' };
    const error = await expectUndone({ ipam }, container);
    expect(error).toMatchObject({ code: 5 });
  } finally {
    await Bun.$`umount /run/full`;
  }
});
