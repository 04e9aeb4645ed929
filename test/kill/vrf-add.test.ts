/** vrf after bridge, killed in ADD. */
// kernels: second
// packages: strace
// seconds: 300
import { separate } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(separate);
