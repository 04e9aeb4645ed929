/** CHECK names whatever is not as ADD left it. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  type Attached,
  addImagined,
  checked,
  cleanUp,
  dropForwarded,
  elements,
  iptables,
  nft,
  patience,
  saved,
  variants,
} from './network.ts';

let one: Attached;
const keys = { ingressPolicy: 'isolated' };

beforeEach(async () => {
  await cleanUp();
  one = await addImagined('one', 1, keys);
}, patience);
afterEach(cleanUp, patience);

test('all is well, also beside others', async () => {
  await addImagined('two', 2, keys);
  expect(await checked(one)).toBe('');
});

test(
  'every element taken away is named',
  async () => {
    const all = await elements();
    expect(all).toHaveLength(9);
    for (const line of all) {
      const [, set = '', key = ''] = /^(\S+) (.*?)(?: comment .*)?$/.exec(line) ?? [];
      const family = /firewall-ports|"veth1"$/.test(line) ? 'bridge' : 'inet';
      await nft(`delete element ${family} fairlead ${set} { ${key} }`);
      const said = await checked(one);
      expect(said).toContain(` ${family} fairlead ${set} { `);
      expect(said).toContain('is missing');
      await cleanUp();
      one = await addImagined('one', 1, keys);
      expect(await checked(one)).toBe('');
    }
  },
  patience,
);

interface Listed {
  readonly rule?: {
    readonly family: string;
    readonly chain: string;
    readonly comment: string;
    readonly handle: number;
  };
}

const rules = async () =>
  (JSON.parse(await nft('-j', 'list', 'ruleset')) as { nftables: Listed[] }).nftables.flatMap(
    ({ rule }) => rule ?? [],
  );

test(
  'every rule taken away is named, and every chain',
  async () => {
    const count = (await rules()).length;
    expect(count).toBe(2 + 6 + 1 + 1 + 4);
    for (let index = 0; index < count; index++) {
      const { family = '', chain = '', comment, handle } = (await rules())[index] ?? {};
      await nft(`delete rule ${family} fairlead ${chain} handle ${handle}`);
      expect(await checked(one)).toContain(`102: chain ${family} fairlead ${chain} has no rule "${comment}"`);
      await cleanUp();
      one = await addImagined('one', 1, keys);
    }
    for (const chain of [
      'inet fairlead firewall-forward',
      'inet fairlead firewall-accepted',
      'bridge fairlead firewall-forward',
    ]) {
      await nft(`delete chain ${chain}`);
      expect(await checked(one)).toContain(`chain ${chain} is missing`);
      await cleanUp();
      one = await addImagined('one', 1, keys);
    }
  },
  patience,
);

test('an element of somebody else, the version, everything; the next ADD writes the rules again', async () => {
  await nft(
    'delete element inet fairlead firewall-allowed4 { 10.99.0.1 }; add element inet fairlead firewall-allowed4 { 10.99.0.1 comment "cni0 two eth0" }',
  );
  expect(await checked(one)).toBe(
    '102: the address 10.99.0.1: set inet fairlead firewall-allowed4 { 10.99.0.1 } belongs to container two (network cni0, interface eth0)',
  );
  await nft('delete chain inet fairlead firewall-v1');
  expect(await checked(one)).toContain('table inet fairlead has no rules for firewall of version 1');
  await addImagined('one', 1, keys);
  expect(await checked(one)).toBe('');
  await nft('flush ruleset');
  expect(await checked(one)).toContain('table inet fairlead has no rules for firewall of version 1');
});

describe.each(variants)('iptables-%s', (variant) => {
  const where =
    variant === 'nft'
      ? ['table ip filter of iptables-nft', 'table ip6 filter of iptables-nft']
      : ['table filter of iptables-legacy', 'table filter of ip6tables-legacy'];

  test(
    'every rule and chain taken away is named, for each family, and the next ADD makes it again',
    async () => {
      await dropForwarded(variant);
      expect(await checked(one)).toContain(`${where[0]} has no chain CNI-FORWARD`);
      const again = async () => {
        await addImagined('one', 1, keys);
        expect(await checked(one)).toBe('');
        return saved(variant);
      };
      const whole = await again();
      const taken = async (message: string, ...args: readonly string[]) => {
        await iptables(variant, ...args);
        expect(await checked(one)).toBe(`102: ${where[0]} ${message}; ${where[1]} ${message}`);
        expect(await again()).toEqual(whole);
      };
      await taken('has no rule in FORWARD that leads to CNI-FORWARD', '-D', 'FORWARD', '1');
      await taken('has no rule in CNI-FORWARD that leads to CNI-ADMIN', '-D', 'CNI-FORWARD', '1');
      await taken(
        'has no rule in CNI-FORWARD that accepts what has the mark 0x1000',
        '-D',
        'CNI-FORWARD',
        '2',
      );
      await iptables(variant, '-F', 'CNI-FORWARD');
      await iptables(variant, '-X', 'CNI-ADMIN');
      expect(await checked(one)).toContain(`${where[1]} has no chain CNI-ADMIN`);
      expect(await again()).toEqual(whole);
    },
    patience,
  );

  test('where FORWARD accepts and is empty, nothing is missed', async () => {
    await iptables(variant, '-P', 'FORWARD', 'ACCEPT');
    expect(await checked(one)).toBe('');
  });
});
