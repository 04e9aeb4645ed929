/** ipvlan, vlan and dummy on a kernel that has none: a clear error, and nothing left. */
// packages: iproute2
import { afterEach, describe, expect } from 'bun:test';
import { createContainer, ip } from '../../support/container.ts';
import { failure } from '../../support/plugin.ts';
import { runProgram } from '../../support/program.ts';
import { configOf, makeSegment, removeSegment } from '../../support/segment.ts';
import { testUnless } from '../../support/unless.ts';

afterEach(removeSegment);

/** Whether the kernel has links of a kind: one is asked for. */
async function has(kind: string): Promise<boolean> {
  const argv = ['ip', 'link', 'add', 'probe', ...(kind === 'dummy' ? [] : ['link', 'lo']), 'type', kind];
  const { stderr } = await runProgram([...argv, ...(kind === 'vlan' ? ['id', '1'] : [])]);
  await runProgram(['ip', 'link', 'delete', 'probe']);
  return !/Unknown device type|not supported/.test(stderr);
}

describe.each(['ipvlan', 'vlan', 'dummy'] as const)('%s', async (plugin) => {
  const test = testUnless((await has(plugin)) ? `this kernel has ${plugin}` : undefined);
  test('is refused with code 2', async () => {
    await makeSegment();
    const config = {
      ...configOf({ plugin: 'ipvlan', keys: {}, many: true, damages: [], wrong: [] }),
      type: plugin,
    };
    const container = createContainer();
    const error = await failure({ plugin, command: 'ADD', config, container, ifname: 'eth0' });
    expect(error.code).toBe(2);
    expect(error.msg).toContain(`this kernel has no links of kind ${plugin}`);
    expect(error.details).toContain(`CONFIG_${plugin.toUpperCase()}`);
    expect((await ip(container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
  });
});
