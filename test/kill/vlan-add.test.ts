/** vlan, killed in ADD. */
// kernels: second
// packages: strace iproute2
import { beforeAll } from 'bun:test';
import { output, runProgram } from '../support/program.ts';
import { onMaster } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

beforeAll(() => output(['ip', 'link', 'add', 'up0', 'up', 'type', 'veth', 'peer', 'name', 'down0']));

/** A master has each vlan once, and the one of a namespace that is lost until the kernel has done with that. */
async function untilVlanIsFree(): Promise<void> {
  const add = 'ip link add link up0 name probe type vlan id 0';
  while ((await runProgram(add.split(' '))).exitCode !== 0) await Bun.sleep(20);
  await output(['ip', 'link', 'delete', 'probe']);
}

testKilledAdd(onMaster('vlan'), {
  neighbour: onMaster('vlan', { vlanId: 7 }),
  untilFree: untilVlanIsFree,
});
