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
