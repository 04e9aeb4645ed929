/** macvlan, killed in DEL and GC. */
// packages: strace iproute2
import { beforeAll } from 'bun:test';
import { output } from '../support/program.ts';
import { onMaster } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

beforeAll(() => output(['ip', 'link', 'add', 'up0', 'up', 'type', 'veth', 'peer', 'name', 'down0']));

testKilledRemoval(onMaster('macvlan'));
