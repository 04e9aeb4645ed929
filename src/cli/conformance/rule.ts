/** What a rule of the specification is, and how a run of one can end. */
import type { CniVersion } from '../../cni/version.ts';
import type { Bench } from './bench.ts';

/** What a plugin does: SPEC.md section 2, "Overview" (interface, chained) and section 4 (ipam). */
export const kinds = ['interface', 'ipam', 'chained'] as const;
export type Kind = (typeof kinds)[number];

/** The groups of the report, in its order. */
export const groups = [
  'VERSION',
  'ADD',
  'result',
  'errors',
  'environment',
  'configuration',
  'DEL',
  'CHECK',
  'prevResult',
  'GC',
  'STATUS',
  'process',
] as const;
export type Group = (typeof groups)[number];

/** One demand of the specification. */
export interface Rule {
  readonly id: string;
  readonly group: Group;
  /** What must hold, in one line. */
  readonly text: string;
  /** Where the specification demands it: a version of SPEC.md, its section, the heading in it. */
  readonly section: string;
  /** The specification's own word for how much it demands it (RFC 2119). */
  readonly level: 'must' | 'should';
  /** Only plugins of these kinds; all if not given. */
  readonly kinds?: readonly Kind[];
  /** Only plugins that support this version or a newer one. */
  readonly since?: CniVersion;
  /** Tries it. Returns if the rule holds; throws `Broken`, `NotTried` or `Hung` otherwise. */
  run(bench: Bench): Promise<void>;
}

/** The rule does not hold. */
export class Broken extends Error {
  override readonly name = 'Broken';
  constructor(
    readonly seen: string,
    readonly expected: string,
  ) {
    super(`${seen}; should be: ${expected}`);
  }
}

/** The rule says nothing about this plugin, or something else has to work first. */
export class NotTried extends Error {
  override readonly name = 'NotTried';
}

/** The plugin did not end in time and was killed. */
export class Hung extends Error {
  override readonly name = 'Hung';
}

/** `SPEC.md 1.1.0, section 2, "ADD"`. */
export function section(number: 1 | 2 | 3 | 4 | 5, heading: string, version: CniVersion = '1.1.0'): string {
  return `SPEC.md ${version}, section ${number}, "${heading}"`;
}
