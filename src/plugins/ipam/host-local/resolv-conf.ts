/** Reading a resolver's configuration file (resolv.conf(5)) into a result's `dns`. */
import type { Dns } from '../../../cni/index.ts';
import { readFileSync } from '../../../kernel/sys/file.ts';

/** The file's nameservers, domain, search list and options. Throws the file's errors. */
export function readResolvConf(path: string): Dns {
  return parseResolvConf(readFileSync(path, 'utf8'));
}

/** Takes what the reference takes: every `nameserver`, `search` and `options`, the last `domain`. */
export function parseResolvConf(text: string): Dns {
  const [nameservers, search, options]: string[][] = [[], [], []];
  let domain = '';
  for (const line of text.split('\n')) {
    const [key = '', first, ...more] = line.trim().split(/\s+/);
    if (key.startsWith('#') || key.startsWith(';') || first === undefined) continue;
    if (key === 'nameserver') nameservers?.push(first);
    if (key === 'domain') domain = first;
    if (key === 'search') search?.push(first, ...more);
    if (key === 'options') options?.push(first, ...more);
  }
  return {
    ...(nameservers?.length ? { nameservers } : {}),
    ...(domain === '' ? {} : { domain }),
    ...(search?.length ? { search } : {}),
    ...(options?.length ? { options } : {}),
  };
}
