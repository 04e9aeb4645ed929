/** Which tables of iptables-legacy are in use: apart from what reads them, since on most nodes none is. */
import type { IpFamily } from '../../lib/ip.ts';
import { readFileSync } from '../sys/file.ts';
import { SystemError } from '../sys/libc.ts';

const files = { 4: '/proc/net/ip_tables_names', 6: '/proc/net/ip6_tables_names' } as const;

/** The tables that have been used since the node started: `nat`. To ask for another would make it. Throws SystemError. */
export function legacyTableNames(family: IpFamily): readonly string[] {
  try {
    return readFileSync(files[family], 'utf8')
      .split('\n')
      .filter((name) => name !== '');
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return [];
    throw error;
  }
}
