/** ipvlan, killed in ADD. */
// kernels: second
// by name: minutes on the second kernel, where each of a hundred kills starts a process; npm test -- test/kill/ipvlan-add.test.ts
// packages: strace iproute2
// seconds: 300
import { beforeAll } from 'bun:test';
import { output } from '../support/program.ts';
import { onMaster } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

beforeAll(() => output(['ip', 'link', 'add', 'up0', 'up', 'type', 'veth', 'peer', 'name', 'down0']));

testKilledAdd(onMaster('ipvlan'));
