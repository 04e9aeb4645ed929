/** Packets of containers pass a node whose iptables drops what it forwards; nobody else's rules are touched. */
import { afterEach, describe, expect, test } from 'bun:test';
import { add } from '../../support/plugin.ts';
import { runProgram } from '../../support/program.ts';
import {
  attach,
  checked,
  cleanUp,
  connect,
  createWorld,
  dropForwarded,
  elements,
  foreign,
  foreignTables,
  iptables,
  nft,
  patience,
  reach,
  release,
  saved,
  variants,
  world4,
  world6,
} from './network.ts';

afterEach(cleanUp, patience);

const outside = { address4: world4, address6: world6 };

describe.each(variants)('iptables-%s', (variant) => {
  test(
    'FORWARD drops: a container reaches the world only after ADD, and until DEL; the world does not begin',
    async () => {
      const world = await createWorld();
      await dropForwarded(variant);
      await iptables(variant, '-N', 'OTHER');
      await iptables(variant, '-A', 'FORWARD', '-j', 'OTHER');
      await iptables(variant, '-A', 'FORWARD', '-p', 'tcp', '--dport', '99', '-j', 'ACCEPT');
      await iptables(variant, '-A', 'INPUT', '-m', 'comment', '--comment', 'mine', '-j', 'ACCEPT');
      const before = await foreign(variant);
      const one = await connect('one');
      expect(await reach(one, outside)).toBe('-');
      await add({ plugin: 'firewall', container: one, config: one.config });
      expect(await reach(one, outside, 5)).toBe('46');
      expect(await reach(world, one)).toBe('-');
      expect(await checked(one)).toBe('');
      expect(await foreign(variant)).toEqual(before);
      const rules = await saved(variant);
      const two = await attach('two');
      expect(await reach(two, outside, 5)).toBe('46');
      expect(await saved(variant)).toEqual(rules);
      await release(one);
      expect(await reach(one, outside)).toBe('-');
      expect(await reach(two, outside, 5)).toBe('46');
      await release(two);
      expect(await foreign(variant)).toEqual(before);
      expect(await elements()).toEqual([]);
    },
    patience,
  );

  test(
    'a rule of FORWARD that drops is as its policy',
    async () => {
      await createWorld();
      await iptables(variant, '-A', 'FORWARD', '-j', 'DROP');
      const one = await connect('one');
      expect(await reach(one, outside)).toBe('-');
      await add({ plugin: 'firewall', container: one, config: one.config });
      expect(await reach(one, outside, 5)).toBe('46');
      expect((await saved(variant)).filter((line) => line.startsWith('-A FORWARD'))).toEqual([
        '-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD',
        '-A FORWARD -j DROP',
        '-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD',
        '-A FORWARD -j DROP',
      ]);
    },
    patience,
  );

  test(
    'the administrator’s chain decides before: it drops, and it accepts what the world begins',
    async () => {
      const world = await createWorld();
      await dropForwarded(variant);
      const one = await attach('one');
      const named = await attach('named', { iptablesAdminChainName: 'MINE' });
      expect(await reach(one, outside, 5)).toBe('46');
      await iptables(variant, '-A', 'CNI-ADMIN', '-o', 'up0', '-j', 'DROP');
      expect(await reach(one, outside)).toBe('-');
      await iptables(variant, '-F', 'CNI-ADMIN');
      await iptables(variant, '-A', 'CNI-ADMIN', '-i', 'up0', '-j', 'ACCEPT');
      expect(await reach(world, one, 5)).toBe('46');
      await iptables(variant, '-A', 'MINE', '-j', 'DROP');
      expect(await reach(named, outside)).toBe('-');
    },
    patience,
  );

  test(
    'an administrator’s chain that is there before the first container is asked, though FORWARD accepts',
    async () => {
      await createWorld();
      await iptables(variant, '-N', 'CNI-ADMIN');
      await iptables(variant, '-A', 'CNI-ADMIN', '-o', 'up0', '-j', 'DROP');
      const one = await connect('one');
      expect(await reach(one, outside, 5)).toBe('46');
      await add({ plugin: 'firewall', container: one, config: one.config });
      expect(await reach(one, outside)).toBe('-');
    },
    patience,
  );

  test(
    'twenty ADDs at once on a new node: each rule is there once',
    async () => {
      await dropForwarded(variant);
      const { addImagined } = await import('./network.ts');
      const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
      const all = await Promise.all(names.map((name, index) => addImagined(name, index + 1)));
      for (const each of all) expect(await checked(each)).toBe('');
      const ours = (await saved(variant)).filter((line) => /^-A .*CNI-/.test(line));
      expect(new Set(ours).size).toBe(3);
      expect(ours).toHaveLength(6);
    },
    patience,
  );
});

test('iptables-nft understands what is written, and prints it as if it were its own', async () => {
  await dropForwarded('nft');
  const { addImagined } = await import('./network.ts');
  await addImagined('one', 1);
  const before = await saved('nft');
  expect(before.slice(0, 9)).toEqual([
    '*filter',
    ':INPUT ACCEPT',
    ':FORWARD DROP',
    ':OUTPUT ACCEPT',
    ':CNI-ADMIN -',
    ':CNI-FORWARD -',
    '-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD',
    '-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN',
    '-A CNI-FORWARD -m mark --mark 0x1000/0x1000 -m comment --comment "marked by table inet fairlead" -j ACCEPT',
  ]);
  await iptables(
    'nft',
    '-C',
    'FORWARD',
    '-m',
    'comment',
    '--comment',
    'CNI firewall plugin rules',
    '-j',
    'CNI-FORWARD',
  );
  await iptables(
    'nft',
    '-D',
    'CNI-FORWARD',
    '-m',
    'mark',
    '--mark',
    '0x1000/0x1000',
    '-m',
    'comment',
    '--comment',
    'marked by table inet fairlead',
    '-j',
    'ACCEPT',
  );
});

test(
  'a node without iptables gets nothing of it; the packets lose the mark again',
  async () => {
    await createWorld();
    await nft(`table inet late { chain forward { type filter hook forward priority 30; meta mark & 0x1000 == 0x1000 counter; }; }
      table inet early { chain forward { type filter hook forward priority 0; meta mark & 0x1000 == 0x1000 counter; }; }`);
    const before = (await foreignTables()).replaceAll(/packets \d+ bytes \d+/g, '');
    const one = await attach('one');
    expect(await reach(one, outside, 5)).toBe('46');
    const after = await foreignTables();
    expect(after.replaceAll(/packets \d+ bytes \d+/g, '')).toBe(before);
    const counters = [...after.matchAll(/packets (\d+)/g)].map(([, packets]) => Number(packets));
    expect(counters[0]).toBe(0);
    expect(counters[1]).toBeGreaterThanOrEqual(4);
    expect((await runProgram(['nft', 'list', 'table', 'ip', 'filter'])).exitCode).not.toBe(0);
  },
  patience,
);

test(
  'another program’s chain that drops stays the stronger one; one rule in it accepts what is marked',
  async () => {
    await createWorld();
    await nft('table inet mine { chain forward { type filter hook forward priority 0; policy drop; }; }');
    const before = await foreignTables();
    const one = await attach('one');
    expect(await reach(one, outside)).toBe('-');
    expect(await foreignTables()).toBe(before);
    await nft('add rule inet mine forward meta mark & 0x1000 == 0x1000 accept');
    expect(await reach(one, outside, 5)).toBe('46');
  },
  patience,
);
