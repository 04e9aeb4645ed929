/**
 * `fairlead/cni`: what the author of a CNI plugin needs. Define a plugin with `definePlugin`, run it with
 * `runPlugin(plugin, nodeHost())`; docs/write-a-plugin.md shows one. No dependency and nothing of Linux; works on
 * Node, Bun and Deno. Calling plugins is `fairlead/cni/runtime`.
 */
export type { CommonConfig } from './config.ts';
export { CniError, type ErrorCodeName, errorCodes, messageOf, toCniError } from './error.ts';
export { runPlugin } from './harness.ts';
export type { Environment, Host, Resolve } from './host.ts';
export type { JsonObject } from './json.ts';
export { identifierProblem, interfaceNameProblem } from './names.ts';
export { nodeHost } from './node-host.ts';
export {
  type AddRequest,
  type Attachment,
  type AttachmentInNamespace,
  type AttachmentToRemove,
  type CheckRequest,
  type Delegate,
  type DelegateOptions,
  type DelRequest,
  definePlugin,
  type GcRequest,
  type Ipam,
  type Plugin,
  type PluginDefinition,
  type Request,
  type StatusRequest,
  type ValidAttachment,
} from './plugin.ts';
export { type ProcessFiles, processHost } from './process-host.ts';
export type { Dns, Interface, IpConfig, Result, Route } from './result.ts';
export { type ResultBuilder, result } from './result-builder.ts';
export { decodeResult, type ResultContext } from './result-decode.ts';
export { encodeResult } from './result-encode.ts';
export { type RuntimeSources, runtimeValue } from './runtime-values.ts';
export {
  type ArrayLimits,
  address,
  array,
  boolean,
  enumeration,
  type Infer,
  type IntegerLimits,
  integer,
  mac,
  type ObjectSchema,
  object,
  prefix,
  type Report,
  record,
  type Schema,
  SchemaError,
  type StringLimits,
  string,
  unknown,
} from './schema/index.ts';
export { type CniCommand, type CniVersion, cniVersions, currentVersion, isAtLeast } from './version.ts';
export { type Seen, type Watch, watchProcess } from './watch.ts';
