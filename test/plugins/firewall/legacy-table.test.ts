/** iptables-legacy's table as the kernel gives it, against what iptables-legacy was told. */
import { afterEach, expect, test } from 'bun:test';
import { formatAddress } from '../../../src/lib/ip.ts';
import { readFilter } from '../../../src/plugins/meta/firewall/legacy-table.ts';
import { output } from '../../support/program.ts';
import { cleanUp, patience, programsOf } from './network.ts';

afterEach(cleanUp, patience);

const cases = [
  [4, programsOf.legacy[0], '10.1.2.3', '10.1.0.0/16'],
  [6, programsOf.legacy[1], 'fd00::3', 'fd00::/64'],
] as const;

test.each(cases)('IPv%d', async (family, program = '', address, network) => {
  const rules = [
    '-P FORWARD DROP',
    '-N EMPTY',
    '-N OWN',
    '-N LAST',
    `-A INPUT -s ${address} -j ACCEPT`,
    `-A OUTPUT -s ${address} -j DROP`,
    '-A FORWARD -m comment --comment words -j OWN',
    '-A FORWARD -p tcp --dport 80 -j REJECT',
    '-A FORWARD -g LAST',
    `-A OWN -d ${address} -m conntrack --ctstate ESTABLISHED -j ACCEPT`,
    `-A OWN -s ${address} -j DROP`,
    `-A OWN -s ${network} -j LAST`,
    '-A OWN -m mark --mark 1',
  ];
  for (const rule of rules) await output([program, ...rule.split(' ')]);
  const { drops, chains } = readFilter(family);
  expect(drops).toBe(true);
  const shown = [...chains].map(([name, all]) => [
    name,
    ...all.map(({ source, destination, ...rule }) => ({
      ...rule,
      source: source && formatAddress(source),
      destination: destination && formatAddress(destination),
    })),
  ]);
  const plain = {
    accepts: false,
    source: undefined,
    destination: undefined,
    jump: undefined,
    comment: undefined,
    matches: [],
  };
  expect(shown).toEqual([
    [
      'FORWARD',
      { ...plain, jump: 'OWN', comment: 'words', matches: ['comment'] },
      { ...plain, matches: ['tcp'] },
      { ...plain, jump: 'LAST' },
    ],
    // The kernel has them in the order of their names.
    ['EMPTY'],
    ['LAST'],
    [
      'OWN',
      { ...plain, accepts: true, destination: address, matches: ['conntrack'] },
      { ...plain, source: address },
      { ...plain, jump: 'LAST' },
      { ...plain, matches: ['mark'] },
    ],
  ]);
});
