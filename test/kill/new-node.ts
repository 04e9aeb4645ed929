/** The first ADD of a node, killed: nothing that containers share is there yet, so half of it may be left. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Container, createContainer, ip, removeContainers } from '../support/container.ts';
import { diff, type Snapshot } from '../support/node.ts';
import { output } from '../support/program.ts';
import { limit } from '../support/sandbox.ts';
import { addUpToLast, attach, detach, type Network } from './chain.ts';
import { facts } from './facts.ts';
import { killAtEachCall } from './killed.ts';

const forwarding = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'].map((name) => `/proc/sys/net/${name}`);
const atFirst = forwarding.map((file) => [file, readFileSync(file, 'utf8')] as const);

/** Takes away all that the plugins share. */
async function makeNew(): Promise<void> {
  const links = await ip(undefined, 'link', 'show', 'type', 'bridge');
  for (const { ifname } of links) await ip(undefined, 'link', 'delete', String(ifname));
  await output(['nft', 'flush', 'ruleset']);
  for (const name of readdirSync('/var/lib/cni')) rmSync(`/var/lib/cni/${name}`, { recursive: true });
  for (const [file, value] of atFirst) writeFileSync(file, value);
}

/** The node without what is another one for each bridge, and without the addresses of its link, which come later. */
async function lasting(container: Container): Promise<Snapshot> {
  return (await facts(container))
    .filter((line) => !/fe80:|ff00:/.test(line))
    .map((line) => line.replace(/"ifindex":\d+|\b(8000\.)?fa(:?[0-9a-f]{1,2}){5}\b/g, '…'));
}

/** A bridge may be without what it gets after it was made. */
const ofBridge = /^[+-] (link br0 |address br0 |route .*"dev":"br0"|sysctl net\/ipv\d\/conf\/br0\/)/;

/** Tests that DEL leaves nothing but what stays by design, and that the next ADD makes the rest of that. */
export function testFirstAdd(network: Network): void {
  let nothing: Snapshot = [];
  let shared: Snapshot = [];
  beforeAll(async () => {
    using container = createContainer('victim');
    await makeNew();
    nothing = await lasting(container);
    await detach(network, container, await attach(network, container));
    shared = await lasting(container);
    await makeNew();
  }, limit(30));
  afterAll(removeContainers);

  test(
    'the first ADD of a node killed at each kernel call, then DEL: nothing but what containers share, and that gets whole',
    async () => {
      const problems = await killAtEachCall({
        prepare: (container) => addUpToLast(network, container),
        async recover(container) {
          const byDesign = diff(nothing, shared);
          await detach(network, container);
          const left = diff(nothing, await lasting(container));
          const strange = left.filter((line) => !byDesign.includes(line) && !ofBridge.test(line));
          await detach(network, container, await attach(network, container));
          const missing = diff(shared, await lasting(container));
          await makeNew();
          if (strange.length + missing.length === 0) return;
          throw new Error(['after DEL:', ...strange, 'after ADD and DEL:', ...missing].join('\n  '));
        },
      });
      expect(problems).toEqual([]);
    },
    limit(200),
  );
}
