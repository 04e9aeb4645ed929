/** vlans on a kernel whose bridges have no vlan filtering: a clear error, and nothing left. */
import { afterEach, expect } from 'bun:test';
import { createContainer, ip } from '../../support/container.ts';
import { failure } from '../../support/plugin.ts';
import { testUnless } from '../../support/unless.ts';
import { detachAll, network } from './network.ts';

afterEach(detachAll);

/** Whether bridges of this kernel filter vlans: one is asked. */
async function filtersVlans(): Promise<boolean> {
  await Bun.$`ip link add probe type bridge`;
  const { exitCode } = await Bun.$`ip link set probe type bridge vlan_filtering 1`.nothrow().quiet();
  await Bun.$`ip link delete probe`;
  return exitCode === 0;
}

const test = testUnless((await filtersVlans()) ? 'this kernel has vlan filtering' : undefined);

for (const [key, value] of Object.entries({ vlan: 5, vlanTrunk: [{ id: 7 }] })) {
  test(`${key} is refused with code 2`, async () => {
    const config = network({ [key]: value, isGateway: true });
    const container = createContainer();
    const error = await failure({ plugin: 'bridge', command: 'ADD', config, container, ifname: 'eth0' });
    expect(error).toMatchObject({
      code: 2,
      details: expect.stringContaining('CONFIG_BRIDGE_VLAN_FILTERING'),
    });
    expect(error.msg).toContain(`\`${key}\` of plugin \`bridge\`: ${JSON.stringify(value)}`);
    expect(await ip(container.netns, 'link', 'show', 'type', 'veth')).toEqual([]);
    const left = new Bun.Glob('{10.,fd}*').scanSync(`/var/lib/cni/networks/${config.name}`);
    expect([...left]).toEqual([]);
  });
}
