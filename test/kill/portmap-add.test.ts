/** portmap after bridge, killed in ADD. */
// packages: strace
import { published } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(published);
