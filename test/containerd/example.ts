/** The configuration lists in examples/, which the documentation shows. */
import { readFileSync } from 'node:fs';

/** A configuration list as JSON. */
export interface Conflist {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly Readonly<Record<string, unknown>>[];
}

/** Reads examples/NAME.conflist. */
export function example(name: string): Conflist {
  return JSON.parse(readFileSync(new URL(`../../examples/${name}.conflist`, import.meta.url), 'utf8'));
}

/**
 * What may differ on a node after a Pod has gone: link-local routes, which come a while after the bridge; the files that
 * remember the last address given out; and the empty files of host-local's index.
 */
export const lasting =
  /^route .*"fe80:|^file \/var\/lib\/cni\/networks\/(\w+\/(last_reserved_ip|lock)|.*\/owners\/..? 600 ""$)/;
