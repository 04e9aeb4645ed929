/**
 * `fairlead/cni/runtime`: what a container runtime does with networks, as libcni does it. Load a network with
 * `loadNetwork`, call its plugins with `createRuntime`. Not part of `fairlead/cni`, so that a plugin's start does
 * not load it.
 */
export { CniError } from '../error.ts';
export type { JsonObject } from '../json.ts';
export type { Attachment, ValidAttachment } from '../plugin.ts';
export { decodeResult, type ResultContext } from '../result-decode.ts';
export type { AttachmentParameters } from './attachment.ts';
export { type CachedAttachment, type CacheReading, decodeCacheFile } from './cache-format.ts';
export type { Caller } from './call.ts';
export {
  inspectNetworkFile,
  type LoadedNetworks,
  loadFirstNetwork,
  loadNetwork,
  loadNetworkFile,
  loadNetworks,
  parseNetwork,
} from './load.ts';
export type { NetworkConfigurationList, PluginConfiguration } from './network.ts';
export { createRuntime, type Runtime, type RuntimeOptions } from './runtime.ts';
export { formatLoadProblem, type LoadProblem } from './source.ts';
export type { PluginProblem, Validation } from './versions.ts';
