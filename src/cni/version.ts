/** The versions of the CNI specification, and what each of them brought. */

/** Every released version of the specification, oldest first. */
export const cniVersions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

/** A released version of the specification. */
export type CniVersion = (typeof cniVersions)[number];

/** The newest version of the specification implemented here; results are kept in its shape. */
export const currentVersion = '1.1.0' satisfies CniVersion;

/** What a configuration means that does not say its version (`version.ParseVersion` of the reference library). */
export const versionWhenAbsent = '0.1.0' satisfies CniVersion;

/**
 * The version that brought each operation (SPEC.md section 2; the change lists of 0.4.0 and 1.1.0). A
 * configuration of an older version cannot be asked for it.
 */
const since = {
  ADD: '0.1.0',
  DEL: '0.1.0',
  VERSION: '0.1.0',
  CHECK: '0.4.0',
  GC: '1.1.0',
  STATUS: '1.1.0',
} as const satisfies Record<string, CniVersion>;

/** An operation, as `CNI_COMMAND` names it. */
export type CniCommand = keyof typeof since;

/** Every operation, as `CNI_COMMAND` names it. */
export const cniCommands = Object.keys(since) as readonly CniCommand[];

/** Whether the text names an operation; upper case only, as the specification writes them. */
export function isCniCommand(text: string): text is CniCommand {
  return Object.hasOwn(since, text);
}

/** Whether the text is a released version of the specification. */
export function isCniVersion(text: string): text is CniVersion {
  return (cniVersions as readonly string[]).includes(text);
}

/** Whether a version is the other one or newer. */
export function isAtLeast(version: CniVersion, other: CniVersion): boolean {
  return cniVersions.indexOf(version) >= cniVersions.indexOf(other);
}

/** The first version that knows the operation. */
export function introducedIn(command: CniCommand): CniVersion {
  return since[command];
}
