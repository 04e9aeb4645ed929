import type { CliIo } from './io.ts';
import type { Option } from './option.ts';
import type { Style } from './text/style.ts';

/** An argument that is given by its place. */
export interface Parameter {
  /** In capitals, as the help shows it. */
  readonly name: string;
  readonly about: string;
  /** Once if not given; `repeated` is once or more, `rest` any number of times. */
  readonly presence?: 'optional' | 'repeated' | 'rest';
}

/** A command of `fairlead`. */
export interface Command {
  readonly name: string;
  /** What it does, in a few words, for the list of commands. */
  readonly summary: string;
  /** What it does, in a paragraph of lines that fit a terminal. */
  readonly about: string;
  readonly parameters: readonly Parameter[];
  /** Besides `--json` and `--help`, which every command has. */
  readonly options: readonly Option[];
  /** What follows the first parameter is another program's command line: its options are its own. */
  readonly passesOn?: true;
  /** Lines for a shell. */
  readonly examples: readonly string[];
  /** What exit code 1 means here, where it is not only a CNI error. */
  readonly whenFailed?: string;
  /** Throws a `UsageError`, or whatever `toCniError` makes a CNI error of. */
  run(call: Call): Report | Promise<Report>;
}

/** What a command is called with. */
export interface Call {
  readonly parameters: readonly string[];
  readonly options: OptionValues;
  readonly io: CliIo;
}

/** The options' values: given, or else from the environment, or else the default. */
export interface OptionValues {
  flag(option: Option): boolean;
  text(option: Option): string | undefined;
  /** Every value of an option that may be given several times. */
  list(option: Option): readonly string[];
  /** Where the value comes from, for messages: `--args` or `CNI_ARGS`. */
  source(option: Option): string;
}

/** What a command found or did; it is printed by its caller, in one of the two ways. */
export interface Report {
  /** 0 if not given. */
  readonly exitCode?: number;
  /** For people, with a line feed at its end; empty if there is nothing to say. */
  text(style: Style): string;
  /** For programs. */
  readonly json: unknown;
  /** What people should know besides, one line each, for standard error. */
  readonly warnings?: readonly string[];
}
