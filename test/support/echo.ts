/** The far ends of traffic.ts for SCTP, which no runtime has: as those of `fairlead/testing`, a process each. */
import { runEcho } from '../../src/testing/echo-ends.ts';
import { askSctp, serveSctp } from './sctp.ts';

runEcho(process.argv.slice(2), { serve: serveSctp, ask: askSctp });
