/**
 * The numbers in src/kernel, held against the kernel's own headers. They are read from the source, so that none is
 * forgotten: a constant or an attribute that is new in the source and not named here is a failure.
 */
// packages: linux-libc-dev
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { errnoName } from '../../src/lib/errno.ts';
import { readHeaders } from './headers.ts';
import { attributes, elsewhere, tables } from './kernel-names.ts';

const kernel = new URL('../../src/kernel', import.meta.url).pathname;
const source = (path: string) => readFileSync(`${kernel}/${path}`, 'utf8');
const files = [...new Bun.Glob('**/*.ts').scanSync({ cwd: kernel })]
  .filter((path) => !path.endsWith('.test.ts'))
  .sort();

const headers = readHeaders([
  'linux/netlink.h',
  'linux/rtnetlink.h',
  'linux/if.h',
  'linux/if_link.h',
  'linux/if_tun.h',
  'linux/if_addr.h',
  'linux/if_bridge.h',
  'linux/neighbour.h',
  'linux/fib_rules.h',
  'linux/pkt_sched.h',
  'linux/pkt_cls.h',
  'linux/tc_act/tc_mirred.h',
  'linux/veth.h',
  'linux/netfilter.h',
  'linux/netfilter_arp.h',
  'linux/netfilter_ipv4/ip_tables.h',
  'linux/netfilter/nfnetlink.h',
  'linux/netfilter/nf_tables.h',
  'linux/netfilter/nf_nat.h',
  'linux/netfilter/nf_tables_compat.h',
  'linux/netfilter/nfnetlink_conntrack.h',
  'linux/magic.h',
  'linux/io_uring.h',
  'linux/sched.h',
  'linux/mount.h',
  'linux/fcntl.h',
  'linux/stat.h',
  'asm-generic/fcntl.h',
  'asm-generic/socket.h',
]);

function header(name: string): number {
  const value = headers.get(name);
  if (value === undefined) throw new Error(`the headers have no ${name}`);
  return value;
}

const constants = files.flatMap((path) =>
  [...source(path).matchAll(/\bconst ([A-Z][A-Z0-9]*_[A-Z0-9_]+) = ([^;{]+);/g)].map(
    ([, name = '', value = '']) => [name, value, path] as const,
  ),
);

describe('constants by their names', () => {
  test.each(constants)('%s = %s in %s', (name, value) => {
    if (elsewhere[name] !== undefined) return;
    expect(Number(value.replaceAll('_', ''))).toBe(header(name));
  });

  test('those that are elsewhere are in the source, and not in the headers', () => {
    const names = constants.map(([name]) => name);
    expect(Object.keys(elsewhere).filter((name) => !names.includes(name) || headers.has(name))).toEqual([]);
  });

  test('there are some', () => {
    expect(constants.length).toBeGreaterThan(60);
  });
});

/** Every attribute that a file declares, as `name=number`, sorted. */
function declared(path: string): string[] {
  return [...source(path).matchAll(/\b(\w+): attribute\(\s*(\d+)/g)]
    .map(([, name, number]) => `${name}=${number}`)
    .sort();
}

describe('attributes', () => {
  test('every file that declares some is named here', () => {
    expect(Object.keys(attributes).sort()).toEqual(files.filter((path) => declared(path).length > 0));
  });

  test.each(Object.keys(attributes))('%s', (path) => {
    const wanted = Object.entries(attributes[path] ?? {}).flatMap(([name, names]) =>
      [names].flat().map((each) => `${name}=${header(each)}`),
    );
    expect(declared(path)).toEqual(wanted.sort());
  });
});

test.each(tables)('%s, %s', (path, table, names) => {
  const [, body = ''] = new RegExp(`const ${table}\\b[^={]*= \\{([^}]*)\\}`).exec(source(path)) ?? [];
  const withoutComments = body.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\.\.\..*$/gm, '');
  const found = [...withoutComments.matchAll(/(?:'([^']+)'|(\w+)): (-?[\w]+)/g)].map(
    ([, quoted, plain, number = '']) => `${quoted ?? plain}=${Number(number.replaceAll('_', ''))}`,
  );
  expect(found.sort()).toEqual(
    Object.entries(names)
      .map(([word, name]) => `${word}=${header(name)}`)
      .sort(),
  );
});

test('nf_tables messages', () => {
  const found = [
    ...source('nftables/operation.ts').matchAll(/^ {2}(\w+): nfnetlinkType\(NFNL_SUBSYS_NFTABLES, (\d+)\)/gm),
  ];
  expect(found.length).toBeGreaterThan(15);
  for (const [, name, number] of found)
    expect(`${name} ${number}`).toBe(`${name} ${header(`NFT_MSG_${name}`)}`);
});

test('error numbers', () => {
  const errors = [...readHeaders(['asm-generic/errno-base.h', 'asm-generic/errno.h'])].filter(
    ([name]) => /^E[A-Z]/.test(name) && name !== 'EWOULDBLOCK' && name !== 'EDEADLOCK',
  );
  expect(errors.length).toBeGreaterThan(100);
  const known = errors.map(([name, number]) => [errnoName(number), name] as const);
  const named = known.filter(([ours]) => !/^E\d/.test(ours));
  expect(named.length).toBeGreaterThan(50);
  for (const [ours, name] of named) expect(ours as string).toBe(name);
});

describe('the reader of headers', () => {
  test('numbers, shifts, enums that go on counting, and names for names', () => {
    expect(header('NLM_F_DUMP')).toBe(0x300);
    expect(header('IFLA_UNSPEC')).toBe(0);
    expect(header('IFLA_ADDRESS')).toBe(1);
    expect(header('NFT_JUMP')).toBe(-3);
    expect(header('IFF_LOWER_UP')).toBe(1 << 16);
    expect(() => header('NO_SUCH_NAME')).toThrow('NO_SUCH_NAME');
  });
});
