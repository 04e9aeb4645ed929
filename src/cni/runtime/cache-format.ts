import { Buffer } from 'node:buffer';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { AttachmentKey } from './cache.ts';

/** One attachment as libcni keeps it (`cachedInfo` in libcni/api.go). */
export interface CacheEntry extends AttachmentKey {
  readonly netns: string;
  readonly args: readonly (readonly [key: string, value: string])[];
  readonly capabilityArgs: JsonObject;
  /** The bytes of the network configuration list that ADD was called with. */
  readonly config: Uint8Array;
  /** The result of ADD's last plugin, in the version it was given in; undefined where none was kept. */
  readonly result: JsonObject | undefined;
}

/** What was found under an attachment's name. */
export type CacheReading =
  | { readonly kind: 'none' }
  | { readonly kind: 'entry'; readonly entry: CacheEntry }
  /** A bare result, as libcni kept it before version 0.8: it does not say whose it is. */
  | { readonly kind: 'legacy'; readonly result: JsonObject }
  /** Another attachment's entry: the ids joined with '-' give the same file name. */
  | { readonly kind: 'foreign'; readonly owner: AttachmentKey }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** `CNICacheV1` in libcni/api.go. */
const cacheKind = 'cniCacheV1';

/** The file of an entry: libcni's member names and order, members that are empty left out as there. */
export function encodeCacheFile(entry: CacheEntry): string {
  return JSON.stringify({
    kind: cacheKind,
    containerId: entry.containerId,
    config: Buffer.from(entry.config).toString('base64'),
    ifName: entry.ifName,
    networkName: entry.network,
    netns: entry.netns || undefined,
    cniArgs: entry.args.length > 0 ? entry.args : undefined,
    capabilityArgs: Object.keys(entry.capabilityArgs).length > 0 ? entry.capabilityArgs : undefined,
    result: entry.result,
  });
}

/** Reads what libcni or `encodeCacheFile` wrote, of any age. Never throws. */
export function decodeCacheFile(bytes: Uint8Array): CacheReading {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    return { kind: 'unreadable', reason: `it is not JSON: ${(error as Error).message}` };
  }
  if (!isJsonObject(json)) return { kind: 'unreadable', reason: 'it is not a JSON object' };
  if (json['kind'] === undefined) return { kind: 'legacy', result: json };
  if (json['kind'] !== cacheKind) {
    return { kind: 'unreadable', reason: `its kind is ${JSON.stringify(json['kind'])}, not "${cacheKind}"` };
  }
  return decodeEntry(json);
}

function decodeEntry(json: JsonObject): CacheReading {
  const { containerId, ifName, networkName, config, netns, cniArgs, capabilityArgs, result } = json;
  for (const [name, value] of Object.entries({ containerId, ifName, networkName })) {
    if (typeof value !== 'string' || value === '')
      return wrongMember(name, value, 'a string that is not empty');
  }
  if (typeof config !== 'string') return wrongMember('config', config, 'base64');
  if (netns !== undefined && typeof netns !== 'string') return wrongMember('netns', netns, 'a path');
  if (!isPairs(cniArgs ?? [])) return wrongMember('cniArgs', cniArgs, 'pairs of strings');
  if (!isJsonObject(capabilityArgs ?? {})) return wrongMember('capabilityArgs', capabilityArgs, 'an object');
  if (!isJsonObject(result ?? {})) return wrongMember('result', result, 'an object');
}
