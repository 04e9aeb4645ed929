/** firewall where iptables-legacy drops what is forwarded, killed in the first ADD: its table is whole, or as it was. */
// packages: strace iptables
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { removeContainers } from '../support/container.ts';
import { output } from '../support/program.ts';
import { limit } from '../support/sandbox.ts';
import { addUpToLast, attach, attachNeighbour, detach, type Network } from './chain.ts';
import { killAtEachCall } from './killed.ts';
import { fixed } from './networks.ts';

const network: Network = { ifname: 'eth0', plugins: [...fixed.plugins, { type: 'firewall' }] };
const programs = ['iptables-legacy', 'ip6tables-legacy'] as const;

/** The table as it is at first: FORWARD drops, and has a rule of somebody's. */
async function begin(): Promise<void> {
  for (const program of programs)
    for (const line of ['-F', '-X', '-P FORWARD DROP', '-A FORWARD -i other0 -j ACCEPT'])
      await output([program, ...line.split(' ')]);
}

/** Each family's table. */
const tables = () =>
  Promise.all(
    programs.map(async (program) => {
      const text = await output([`${program}-save`, '-t', 'filter']);
      return text.replaceAll(/^#.*\n|\[\d+:\d+\]/gm, '');
    }),
  );

beforeAll(async () => {
  await begin();
  await attachNeighbour(network);
}, limit(30));
afterAll(async () => {
  removeContainers();
  for (const program of programs)
    for (const line of ['-F', '-X', '-P FORWARD ACCEPT']) await output([program, ...line.split(' ')]);
});

test(
  'killed at each kernel call, then DEL; the next ADD makes the rest',
  async () => {
    const whole = await tables();
    await begin();
    const untouched = await tables();
    expect(whole.join('')).toContain('--mark 0x1000/0x1000');
    expect(untouched.join('')).not.toContain('CNI-FORWARD');
    const seen = new Set<string>();
    const problems = await killAtEachCall({
      async prepare(container) {
        await begin();
        return addUpToLast(network, container);
      },
      async recover(container) {
        const found = await tables();
        const states = found.map((table, family) => {
          if (table === untouched[family]) return 'untouched';
          return table === whole[family] ? 'whole' : table;
        });
        seen.add(states.join(', '));
        await detach(network, container);
        await detach(network, container, await attach(network, container));
        expect(await tables()).toEqual(whole);
      },
    });
    expect(problems).toEqual([]);
    expect([...seen].sort()).toEqual(['untouched, untouched', 'whole, untouched', 'whole, whole']);
  },
  limit(100),
);
