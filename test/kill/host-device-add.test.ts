/** host-device, killed in ADD. */
// packages: strace iproute2
import { makeDevices, peculiarities } from './devices.ts';
import { given } from './networks.ts';
import { testKilledAdd } from './recovery.ts';

makeDevices();
testKilledAdd(given('card0'), peculiarities);
