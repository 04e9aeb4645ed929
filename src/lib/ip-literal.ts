/** Addresses that stand in a program's own text, as in tests and in the demo: one that cannot be read is the program's mistake. */
import { type IpAddress, type Prefix, parseAddress, parsePrefix } from './ip.ts';

/** The address that a text such as `10.1.0.7` or `fd00::7` says. Throws an Error if it is none. */
export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
}

/** The prefix that a text such as `10.1.0.7/16` says. Throws an Error if it is none. */
export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
}
