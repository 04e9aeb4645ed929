/** Real packets between namespaces, as `fairlead/testing` sends them, and SCTP besides. */
// packages: iputils-ping
import * as testing from '../../src/testing/traffic.ts';

export { type Answer, type AskOptions, ping, type Server, stopServers } from '../../src/testing/traffic.ts';
export { kernelHasSctp } from './sctp.ts';

/** What a server listens with. IPv4 and IPv6 alike. */
export type Protocol = testing.Protocol | 'sctp';

const echoFile = new URL('echo.ts', import.meta.url).pathname;

/** As `serve` of `fairlead/testing`. */
export const serve = testing.servedBy<Protocol>(echoFile);

/** As `ask` of `fairlead/testing`. */
export const ask = testing.askedBy<Protocol>(echoFile);
