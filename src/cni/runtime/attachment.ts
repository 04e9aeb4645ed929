import { CniError, type ErrorCodeName } from '../error.ts';
import type { JsonObject } from '../json.ts';
import { identifierProblem, interfaceNameProblem, namespacePathProblem } from '../names.ts';

/** What the runtime's user says of an attachment to any network (libcni's `RuntimeConf`). */
export interface AttachmentParameters {
  /** The container's id: letters, digits, `_`, `.`, `-`; at most 255 characters. */
  readonly containerId: string;
  /** The name of the interface in the container: at most 15 bytes. */
  readonly ifname: string;
  /** The network namespace's absolute path; DEL does without. */
  readonly netns?: string;
  /** What the plugins get in `CNI_ARGS`, in this order. */
  readonly args?: readonly (readonly [key: string, value: string])[];
  /** The capabilities' values. A plugin gets those that it declares; what none declares is not used. */
  readonly capabilityArgs?: JsonObject;
}

/** The longest file name (NAME_MAX, linux/limits.h), which the result cache needs. */
const fileNameMax = 255;

/**
 * Refuses ids that are wrong. Every operation does this first: they become part of a path. Throws a `CniError`: 3
 * for a container id that is missing, otherwise 4 (as `ValidateContainerID`, `ValidateInterfaceName` in pkg/utils).
 */
export function refuseWrongIds(network: string, { containerId, ifname }: AttachmentParameters): void {
  if (containerId === '') throw new CniError('unknownContainer', 'the container id is missing');
  refuseIf('the container id', identifierProblem(containerId));
  refuseIf('the network’s name', identifierProblem(network), 'invalidConfig');
  refuseIf('the interface’s name', interfaceNameProblem(ifname));
  const { length } = new TextEncoder().encode(`${network}-${containerId}-${ifname}`);
  if (length > fileNameMax) {
    throw new CniError(
      'invalidEnvironment',
      `network name, container id and interface name must together have at most ${fileNameMax - 2} bytes, got ${length - 2}`,
    );
  }
}

/**
 * Refuses what is wrong besides the ids: a namespace without an absolute path, arguments that `CNI_ARGS` cannot say.
 * Not for DEL, which must finish whatever an older runtime noted. Throws a `CniError` (4).
 */
export function refuseWrongParameters({ netns = '', args = [] }: AttachmentParameters): void {
  if (netns !== '') refuseIf('the network namespace', namespacePathProblem(netns));
  for (const [key, value] of args) {
    if (/^[^=;\0]+$/.test(key) && /^[^;\0]*$/.test(value)) continue;
    throw new CniError(
      'invalidEnvironment',
      `the argument ${JSON.stringify(`${key}=${value}`)} cannot be said in CNI_ARGS`,
      'a key must not be empty or have "=", ";" or NUL, a value must not have ";" or NUL',
    );
  }
}

function refuseIf(
  what: string,
  problem: string | undefined,
  code: ErrorCodeName = 'invalidEnvironment',
): void {
  if (problem !== undefined) throw new CniError(code, `${what} ${problem}`);
}
