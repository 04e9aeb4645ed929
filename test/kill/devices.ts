/** Devices of the node's for host-device to give away: `card0`, and `card1` for the neighbour. */
import { beforeAll } from 'bun:test';
import { type Container, ip } from '../support/container.ts';
import { output } from '../support/program.ts';
import { given } from './networks.ts';
import type { Peculiarities } from './recovery.ts';

/** Makes them, with a far end each. */
export function makeDevices(): void {
  beforeAll(async () => {
    for (const name of ['card0', 'card1'])
      await output(['ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', `far-${name}`]);
  });
}

/** A device with hardware comes back to the node where a namespace ends, under the name that it had there. These have none and would end too. */
async function comeBack({ netns }: Container): Promise<void> {
  const moved = (await ip(netns, 'link')).find(({ ifname }) => ifname !== 'lo');
  if (moved !== undefined) await ip(netns, 'link', 'set', String(moved.ifname), 'netns', String(process.pid));
}

/** Each device is there once. */
export const peculiarities: Peculiarities = { neighbour: given('card1'), end: comeBack };
