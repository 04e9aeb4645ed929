/** portmap after bridge, killed in DEL and GC. */
// packages: strace
import { published } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

testKilledRemoval(published);
