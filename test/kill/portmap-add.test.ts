/** portmap after bridge, killed in ADD. */
// packages: strace
// seconds: 300
import { published } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

testKilledAdd(published);
