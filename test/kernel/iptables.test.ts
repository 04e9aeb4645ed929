/** The tables of iptables-legacy: what is read and written, held against that program, and that everything else stays. */
// packages: iptables
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  appendLegacyRule,
  changeLegacyTable,
  commentMatch,
  createLegacyChain,
  deleteLegacyChain,
  deleteLegacyRule,
  insertLegacyRule,
  type LegacyChange,
  legacyTableNames,
  listLegacyChains,
  markMatch,
} from '../../src/kernel/iptables/index.ts';
import { formatAddress } from '../../src/lib/ip.ts';
import { output } from '../support/program.ts';

const programs = { 4: 'iptables-legacy', 6: 'ip6tables-legacy' } as const;
const networks = { 4: '192.0.2.0/24', 6: '2001:db8::/32' } as const;
const addresses = { 4: '192.0.2.7', 6: '2001:db8::7' } as const;

describe.each([4, 6] as const)('IPv%d', (family) => {
  const program = programs[family];

  async function run(table: string, lines: readonly string[]): Promise<void> {
    for (const line of lines) await output([program, '-t', table, ...line.split(' ')]);
  }

  /** All that there is, with counters, as the program writes it; without the lines that have the time. */
  async function saved(table: string): Promise<string> {
    const text = await output([`${program}-save`, '-c', '-t', table]);
    return text.replaceAll(/^#.*\n/gm, '');
  }

  const deleteChains = (table: string, ...names: readonly string[]) =>
    changeLegacyTable(family, table, () => names.map(deleteLegacyChain));

  afterEach(async () => {
    for (const table of ['nat', 'filter']) await run(table, ['-F', '-X']);
    await run('filter', ['-P FORWARD ACCEPT', '-Z']);
  });

  test('a table that nobody used has no chains, and is not made by asking', async () => {
    if (legacyTableNames(family).includes('raw')) return; // another test was first
    expect(listLegacyChains(family, 'raw')).toEqual([]);
    await changeLegacyTable(family, 'raw', () => {
      throw new Error('there is nothing to plan');
    });
    expect(legacyTableNames(family)).not.toContain('raw');
  });

  /** Chains and rules of all kinds: jumps, gotos, without target, with matches; counters that are not zero. */
  const others = () =>
    run('nat', [
      '-N first',
      '-N second',
      '-A first -m comment --comment kept -j second',
      '-A first -p tcp --dport 80',
      '-A first -g second',
      `-A second -s ${networks[family]} -j RETURN`,
      '-A POSTROUTING -c 5 600 -j first',
      '-A POSTROUTING -p udp -m multiport --dports 53,67 -c 7 800',
      '-A OUTPUT -c 1 99',
    ]);

  const doomed = () =>
    run('nat', [
      '-N doomed',
      '-A doomed -p tcp --dport 8080',
      '-A doomed -j ACCEPT',
      '-I POSTROUTING -m comment --comment mine -j doomed',
      '-A POSTROUTING -m comment --comment mine -j doomed',
      '-I first 2 -j doomed',
    ]);

  test('what rules ask for and where they lead, by chains', async () => {
    const [address, network] = [addresses[family], networks[family]];
    await run('filter', [
      '-P FORWARD DROP',
      '-N OWN',
      '-N LAST',
      '-N EMPTY',
      `-A INPUT -s ${address} -j ACCEPT`,
      '-A FORWARD -m comment --comment words -j OWN',
      '-A FORWARD -p tcp --dport 80 -j REJECT',
      '-A FORWARD -g LAST',
      `-A OWN -d ${address} -m conntrack --ctstate ESTABLISHED -j ACCEPT`,
      `-A OWN -s ${address} -i eth0 -j DROP`,
      `-A OWN -s ${network} -j LAST`,
      `-A OWN ! -s ${address} -p udp -m mark --mark 1`,
    ]);
    const shown = listLegacyChains(family, 'filter').map(({ rules, ...chain }) => ({
      ...chain,
      rules: rules.map(({ source, destination, ...rule }) => ({
        ...rule,
        ...(source && { source: formatAddress(source) }),
        ...(destination && { destination: formatAddress(destination) }),
      })),
    }));
    const plain = { accepts: false, asksMore: false, matches: [] };
    expect(shown).toEqual([
      {
        name: 'INPUT',
        policy: 'accept',
        rules: [{ ...plain, number: 1, accepts: true, source: address }],
      },
      {
        name: 'FORWARD',
        policy: 'drop',
        rules: [
          { ...plain, number: 1, jump: 'OWN', comment: 'words', matches: ['comment'] },
          { ...plain, number: 2, asksMore: true, matches: ['tcp'] },
          // A goto is a flag beside the protocol.
          { ...plain, number: 3, asksMore: true, jump: 'LAST' },
        ],
      },
      { name: 'OUTPUT', policy: 'accept', rules: [] },
      // In the order of their names.
      { name: 'EMPTY', rules: [] },
      { name: 'LAST', rules: [] },
      {
        name: 'OWN',
        rules: [
          { ...plain, number: 1, accepts: true, destination: address, matches: ['conntrack'] },
          { ...plain, number: 2, asksMore: true, source: address },
          { ...plain, number: 3, jump: 'LAST' },
          { ...plain, number: 4, asksMore: true, matches: ['mark'] },
        ],
      },
    ]);
  });

  /** The same changes, for us and for the program. */
  const jump = (chain: string, comment: string) => ({
    matches: [commentMatch(comment)],
    target: { jump: chain },
  });
  const changes: readonly LegacyChange[] = [
    createLegacyChain('CNI-FORWARD'),
    createLegacyChain('ADMIN'),
    createLegacyChain('first'),
    appendLegacyRule('CNI-FORWARD', {
      matches: [markMatch(0x1000), commentMatch('marked by us')],
      target: 'accept',
    }),
    insertLegacyRule('CNI-FORWARD', jump('ADMIN', 'the administrator’s')),
    insertLegacyRule('FORWARD', jump('CNI-FORWARD', 'rules of ours')),
    appendLegacyRule('first', { matches: [], target: { jump: 'ADMIN' } }),
    deleteLegacyRule('OUTPUT', 1),
    deleteLegacyRule('zone', 2),
  ];
  const lines = [
    '-N CNI-FORWARD',
    '-N ADMIN',
    '-N first',
    '-A CNI-FORWARD -m mark --mark 0x1000/0x1000 -m comment --comment "marked by us" -j ACCEPT',
    '-I CNI-FORWARD 1 -m comment --comment "the administrator’s" -j ADMIN',
    '-I FORWARD 1 -m comment --comment "rules of ours" -j CNI-FORWARD',
    '-A first -j ADMIN',
    '-D OUTPUT 1',
    '-D zone 2',
  ];

  test('what is written is what iptables-legacy-restore writes, to the byte, counters of others too', async () => {
    const begin = async () => {
      await run('filter', [
        '-P FORWARD DROP',
        '-N Docker',
        '-N zone',
        `-A FORWARD -s ${networks[family]} -c 3 400 -j zone`,
        '-A FORWARD -p tcp --dport 80 -c 1 50',
        '-A OUTPUT -o nowhere -j Docker',
        '-A OUTPUT -o nowhere -p udp -c 5 60 -g zone',
        '-A zone -c 8 90 -j RETURN',
        '-A zone -i nowhere -j ACCEPT',
        '-A zone -m conntrack --ctstate NEW -c 6 70',
      ]);
      return saved('filter');
    };
    const before = await begin();
    const input = ['*filter', ...lines, 'COMMIT', ''].join('\n');
    await output([`${program}-restore`, '--noflush'], { stdin: input });
    const expected = await saved('filter');
    await run('filter', ['-F', '-X', '-Z']);
    expect(await begin()).toBe(before);
    await changeLegacyTable(family, 'filter', () => changes);
    expect(await saved('filter')).toBe(expected);
    expect(expected).toContain('[8:90] -A zone -j RETURN');
    expect(expected).toContain('[0:0] -A FORWARD -m comment --comment "rules of ours" -j CNI-FORWARD');
    // The program can go on from there.
    await run('filter', ['-D CNI-FORWARD 1', '-A CNI-FORWARD -j ADMIN', '-E ADMIN renamed']);
    expect(await saved('filter')).toContain('[0:0] -A CNI-FORWARD -j renamed\n');
  });

  test('what cannot be written leaves everything as it was', async () => {
    await others();
    const before = await saved('nat');
    const change = (...all: LegacyChange[]) => changeLegacyTable(family, 'nat', () => all);
    await expect(change(createLegacyChain('more'), createLegacyChain('first'))).rejects.toThrow('already');
    await expect(change(insertLegacyRule('more', jump('first', '')))).rejects.toThrow('no chain more');
    // A loop is what the kernel finds.
    await expect(change(appendLegacyRule('second', jump('first', 'round')))).rejects.toThrow(
      `write table nat of ${program}: `,
    );
    expect(await saved('nat')).toBe(before);
  });

  test('deleted chains are gone with what leads to them, and the rest is as it was, with its counters', async () => {
    await others();
    const before = await saved('nat');
    await doomed();
    await run('nat', ['-N last']);
    const found = listLegacyChains(family, 'nat').flatMap(({ rules }) => rules);
    expect(found.filter(({ comment }) => comment === 'mine').map(({ jump: to }) => to)).toEqual([
      'doomed',
      'doomed',
    ]);
    await deleteChains('nat', 'doomed', 'last');
    expect(await saved('nat')).toBe(before);
    expect(before).toContain('[5:600] -A POSTROUTING -j first');
  });

  test('nothing to change: nothing is written', async () => {
    await others();
    const before = await saved('nat');
    await changeLegacyTable(family, 'nat', () => []);
    await deleteChains('nat', 'not there');
    await deleteChains('raw', 'doomed');
    expect(await saved('nat')).toBe(before);
  });

  test('a lock that another one holds is waited for, and the plan is made of what is there then', async () => {
    await others();
    const before = await saved('nat');
    await doomed();
    const command = `echo held; sleep 0.3; ${program} -t nat -N late`;
    // Without the lock of its own: flock's is the same file.
    const holder = Bun.spawn(['flock', '/run/xtables.lock', 'sh', '-c', command], {
      stdout: 'pipe',
      env: { ...process.env, XTABLES_LOCKFILE: '/run/another.lock' },
    });
    await holder.stdout.getReader().read();
    await changeLegacyTable(family, 'nat', (chains) =>
      chains
        .filter(({ name }) => ['doomed', 'late'].includes(name))
        .map(({ name }) => deleteLegacyChain(name)),
    );
    expect(await holder.exited).toBe(0);
    expect(await saved('nat')).toBe(before);
  });
});

describe('at once', () => {
  beforeEach(() => output(['iptables-legacy', '-t', 'filter', '-S']));
  afterEach(async () => {
    for (const flag of ['-F', '-X']) await output(['iptables-legacy', flag]);
  });

  test('we and the program: nothing of either is lost', async () => {
    const numbers = Array.from({ length: 12 }, (_, number) => number);
    const theirs = numbers.map(async (number) => {
      await output(['iptables-legacy', '--wait', '10', '-N', `their-${number}`]);
    });
    const ours = numbers.map((number) =>
      changeLegacyTable(4, 'filter', () => [createLegacyChain(`our-${number}`)]),
    );
    await Promise.all([...theirs, ...ours]);
    const names = listLegacyChains(4, 'filter').map(({ name }) => name);
    expect(names.filter((name) => name.includes('-')).sort()).toEqual(
      numbers.flatMap((number) => [`our-${number}`, `their-${number}`]).sort(),
    );
  });
});
