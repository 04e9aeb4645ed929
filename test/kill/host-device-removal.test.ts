/** host-device, killed in DEL and GC. */
// packages: strace iproute2
import { makeDevices, peculiarities } from './devices.ts';
import { given } from './networks.ts';
import { testKilledRemoval } from './recovery.ts';

makeDevices();
testKilledRemoval(given('card0'), peculiarities);
