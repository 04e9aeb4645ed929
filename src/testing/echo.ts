/** The far ends of traffic.ts: a program, run by Bun in a namespace. */
import { runEcho } from './echo-ends.ts';

runEcho(process.argv.slice(2));
