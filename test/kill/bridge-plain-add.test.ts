/** bridge that gives addresses and no more, killed in ADD. */
// packages: strace
// seconds: 300
import { plain } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(plain);
