/** vrf after bridge, killed in ADD. */
// kernels: second
// packages: strace
import { separate } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(separate);
