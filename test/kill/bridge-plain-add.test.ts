/** bridge that gives addresses and no more, killed in ADD. */
// packages: strace
import { plain } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(plain);
