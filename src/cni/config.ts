/** The keys that every plugin's configuration may have: SPEC.md section 1, "Plugin configuration objects". */
import type { Dns } from './result.ts';

/** The keys that every plugin's configuration may have, validated. */
export interface CommonConfig {
  /** The network's name. */
  readonly name: string;
  /** The type of the plugin that the runtime called; a delegated plugin sees its caller's. */
  readonly type: string;
  /** What the plugin is given by the runtime in `runtimeConfig`. */
  readonly capabilities: Readonly<Record<string, boolean>>;
  /** The capabilities' values for this attachment (CONVENTIONS.md, "Dynamic plugin specific fields"). */
  readonly runtimeConfig: Readonly<Record<string, unknown>>;
  /** `args.cni`: values by convention, given by the runtime's user (CONVENTIONS.md, "args"). */
  readonly cniArgs: Readonly<Record<string, unknown>>;
  /** The IPAM plugin to delegate to. Its other keys are that plugin's business. */
  readonly ipam?: { readonly type?: string };
  readonly dns?: Dns;
}
