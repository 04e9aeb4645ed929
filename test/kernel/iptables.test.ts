/** The tables of iptables-legacy: what is removed, and that everything else stays as that program shows it. */
// packages: iptables
import { afterEach, describe, expect, test } from 'bun:test';
import { legacyTableNames, removeLegacyChains } from '../../src/kernel/iptables/index.ts';
import { output } from '../support/program.ts';

const programs = { 4: 'iptables', 6: 'ip6tables' } as const;
const networks = { 4: '192.0.2.0/24', 6: '2001:db8::/32' } as const;

describe.each([4, 6] as const)('IPv%d', (family) => {
  const iptables = (line: string) => output([`${programs[family]}-legacy`, '-t', 'nat', ...line.split(' ')]);

  /** All rules with their counters. */
  async function saved(): Promise<string[]> {
    const text = await output([`${programs[family]}-legacy-save`, '-c', '-t', 'nat']);
    return text.split('\n').filter((line) => !line.startsWith('#'));
  }

  afterEach(async () => {
    for (const flag of ['-F', '-X']) await iptables(flag);
  });

  test('a table that nobody used has no chains, and is not made by asking', async () => {
    if (legacyTableNames(family).includes('nat')) return; // another test was first
    await removeLegacyChains(family, 'nat', () => ['none']);
    expect(legacyTableNames(family)).not.toContain('nat');
  });

  /** Chains and rules of all kinds: jumps, gotos, without target, with matches; counters that are not zero. */
  async function others(): Promise<void> {
    for (const line of [
      '-N first',
      '-N second',
      '-A first -m comment --comment kept -j second',
      '-A first -p tcp --dport 80',
      '-A first -g second',
      `-A second -s ${networks[family]} -j RETURN`,
      '-A POSTROUTING -c 5 600 -j first',
      '-A POSTROUTING -p udp -m multiport --dports 53,67 -c 7 800',
      '-A OUTPUT -c 1 99',
    ])
      await iptables(line);
  }

  async function doomed(): Promise<void> {
    for (const line of [
      '-N doomed',
      '-A doomed -p tcp --dport 8080',
      '-A doomed -j ACCEPT',
      '-I POSTROUTING -m comment --comment mine -j doomed',
      '-A POSTROUTING -m comment --comment mine -j doomed',
      '-I first 2 -j doomed',
    ])
      await iptables(line);
  }

  test('what is removed is gone with what leads to it, and the rest is as it was, with its counters', async () => {
    await others();
    const before = await saved();
    await doomed();
    await iptables('-N last');
    await removeLegacyChains(family, 'nat', ({ chains, builtIn }) => {
      const { rules = [] } = chains.find(({ name }) => name === 'doomed') ?? {};
      expect(chains.map(({ name }) => name).sort()).toEqual(['doomed', 'first', 'last', 'second']);
      expect(rules).toHaveLength(3); // and the return at its end
      expect(chains.find(({ name }) => name === 'first')?.rules).toMatchObject([
        { jump: 'second', comment: 'kept' },
        { jump: 'doomed' },
        {},
        { jump: 'second' },
        {},
      ]);
      const found = builtIn.filter(({ comment }) => comment === 'mine');
      expect(found).toEqual([
        { jump: 'doomed', comment: 'mine' },
        { jump: 'doomed', comment: 'mine' },
      ]);
      return ['doomed', 'last'];
    });
    expect(await saved()).toEqual(before);
    expect(before.join('\n')).toContain('[5:600] -A POSTROUTING -j first');
  });

  test('nothing chosen: nothing is written', async () => {
    await others();
    const before = await saved();
    await removeLegacyChains(family, 'nat', () => []);
    await removeLegacyChains(family, 'nat', () => ['not there']);
    await removeLegacyChains(family, 'raw', () => ['doomed']);
    expect(await saved()).toEqual(before);
  });

  test('a lock that another one holds is waited for', async () => {
    await others();
    const before = await saved();
    await doomed();
    const holder = Bun.spawn(['flock', '/run/xtables.lock', 'sh', '-c', 'echo held; sleep 0.3'], {
      stdout: 'pipe',
    });
    await holder.stdout.getReader().read();
    await removeLegacyChains(family, 'nat', () => ['doomed']);
    await holder.exited;
    expect(await saved()).toEqual(before);
  });
});
