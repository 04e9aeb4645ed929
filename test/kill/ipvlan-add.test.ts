/** ipvlan, killed in ADD. */
// kernels: second
// packages: strace iproute2
import { beforeAll } from 'bun:test';
import { output } from '../support/program.ts';
import { onMaster } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

beforeAll(() => output(['ip', 'link', 'add', 'up0', 'up', 'type', 'veth', 'peer', 'name', 'down0']));

testKilledAdd(onMaster('ipvlan'));
