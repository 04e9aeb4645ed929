/** What the bench found out, in the shapes that the report and the picture are made of. */

/** Fairlead beside the reference, medians of one run. */
export interface Comparison {
  readonly what: string;
  readonly unit: 'ms' | 'MiB';
  readonly fairlead: number;
  /** Where `fairlead serve` runs. */
  readonly served: number;
  readonly reference: number;
  /** What no implementation on the same runtime gets below: its empty start and the kernel's own time, in ms. */
  readonly floor?: number;
  /** The most that a ratio to the reference may be. */
  readonly goal?: number;
}

/** One contender's own time with a small and a large store. */
export interface Growth {
  readonly what: string;
  readonly contender: string;
  /** Medians in milliseconds. */
  readonly small: number;
  readonly large: number;
  /** The most that large / small may be. */
  readonly goal?: number;
}

/** One plugin alone. */
export interface Alone {
  readonly plugin: string;
  readonly calls: readonly AloneCall[];
  /** The most that it may compute beyond the empty start, in milliseconds. */
  readonly goal: number;
}

/** One verb of it, in milliseconds. */
export interface AloneCall {
  readonly verb: string;
  /** The whole process, medians. */
  readonly fairlead: number;
  readonly reference?: number;
  /** What is more than an empty program: the plugin's own code, and the kernel's work and waiting. */
  readonly beyondStart: number;
  /** Of that, what the processor spent outside the kernel; a mean. */
  readonly computing: number;
  /** The same where `fairlead serve` does it: the whole process, and what both processes computed. */
  readonly served: { readonly ms: number; readonly computing: number };
}

/** A start of the executable with few plugins and with all. */
export interface StartCost {
  readonly what: string;
  readonly unit: 'ms' | 'page faults';
  /** Medians. */
  readonly few: number;
  readonly all: number;
  /** How many plugins are few, and all. */
  readonly counts: readonly [number, number];
  /** The most that all / few may be. */
  readonly goal: number;
}

/** A part of the floor, in milliseconds. */
export interface FloorPart {
  readonly what: string;
  readonly ms: number;
}

/** Everything that one run measured. */
export interface Results {
  /** When, on what: for whoever compares two runs. */
  readonly about: Readonly<Record<string, string | number>>;
  readonly comparisons: readonly Comparison[];
  readonly growths: readonly Growth[];
  readonly alone: readonly Alone[];
  readonly starts: readonly StartCost[];
  readonly floor: readonly FloorPart[];
  /** The largest resident set of a Fairlead plugin process, what it may be, and that of `fairlead serve`, in MiB. */
  readonly memory: { readonly peak: number; readonly goal: number; readonly server: number };
}

/** large / small. */
export function growthOf({ small, large }: Pick<Growth, 'small' | 'large'>): number {
  return large / small;
}
