import { isJsonObject, type JsonObject } from '../json.ts';
import type { Attachment } from '../plugin.ts';
import { goJson } from './go-json.ts';

/** One attachment as libcni keeps it (`cachedInfo` in libcni/api.go). */
export interface CachedAttachment extends Attachment {
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
  | { readonly kind: 'entry'; readonly entry: CachedAttachment }
  /** A bare result, as libcni kept it before version 0.8: it does not say whose it is. */
  | { readonly kind: 'legacy'; readonly result: JsonObject }
  /** Another attachment's entry: the ids joined with '-' give the same file name. */
  | { readonly kind: 'foreign'; readonly owner: Attachment }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** `CNICacheV1` in libcni/api.go. */
const cacheKind = 'cniCacheV1';

/** The file of an entry, byte for byte as libcni writes it (`cacheAdd`): what is empty is left out. */
export function encodeCacheFile(entry: CachedAttachment): string {
  const { containerId, ifname, network, netns, args, capabilityArgs, result } = entry;
  const members: [name: string, value: unknown, isThere: boolean][] = [
    ['kind', cacheKind, true],
    ['containerId', containerId, true],
    ['config', Buffer.from(entry.config).toString('base64'), true],
    ['ifName', ifname, true],
    ['networkName', network, true],
    ['netns', netns, netns !== ''],
    ['cniArgs', args, args.length > 0],
    ['capabilityArgs', capabilityArgs, Object.keys(capabilityArgs).length > 0],
    ['result', result, result !== undefined],
  ];
  const written = members.filter(([, , isThere]) => isThere);
  return `{${written.map(([name, value]) => `"${name}":${goJson(value)}`).join(',')}}`;
}

/** Reads what libcni or `encodeCacheFile` wrote, of any age. Never throws. */
export function decodeCacheFile(bytes: Uint8Array): CacheReading {
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (!isJsonObject(json)) return { kind: 'unreadable', reason: 'it holds no JSON object' };
    if (json.kind === undefined) return { kind: 'legacy', result: json };
    if (json.kind === cacheKind) return { kind: 'entry', entry: decodeEntry(json) };
    return { kind: 'unreadable', reason: `its kind is ${JSON.stringify(json.kind)}, not "${cacheKind}"` };
  } catch (error) {
    return { kind: 'unreadable', reason: (error as Error).message };
  }
}

/** Throws an Error that names the member. Members that Go leaves out or writes as null when empty may be so. */
function decodeEntry(json: JsonObject): CachedAttachment {
  const result = object(json, 'result');
  return {
    network: id(json, 'networkName'),
    containerId: id(json, 'containerId'),
    ifname: id(json, 'ifName'),
    // libcni before 1.2 (containerd 1.6 and 1.7) kept no `netns`; the result names it as its interface's sandbox.
    netns: string(json, 'netns') || sandboxOf(result),
    config: Buffer.from(string(json, 'config'), 'base64'),
    args: pairs(json, 'cniArgs'),
    capabilityArgs: object(json, 'capabilityArgs') ?? {},
    result,
  };
}

/** The container's namespace as a result of version 0.3.0 or later gives it; empty where it does not. */
function sandboxOf(result: JsonObject | undefined): string {
  const interfaces = Array.isArray(result?.interfaces) ? result.interfaces.filter(isJsonObject) : [];
  for (const { sandbox } of interfaces) {
    // It may also be the name of a virtual machine.
    if (typeof sandbox === 'string' && sandbox.startsWith('/')) return sandbox;
  }
  return '';
}

function id(json: JsonObject, name: string): string {
  return string(json, name) || wrong(json, name, 'a string that is not empty');
}

function string(json: JsonObject, name: string): string {
  const value = json[name] ?? '';
  return typeof value === 'string' ? value : wrong(json, name, 'a string');
}

function object(json: JsonObject, name: string): JsonObject | undefined {
  const value = json[name] ?? undefined;
  return value === undefined || isJsonObject(value) ? value : wrong(json, name, 'an object');
}

function pairs(json: JsonObject, name: string): (readonly [string, string])[] {
  const value = json[name] ?? [];
  if (!Array.isArray(value)) return wrong(json, name, 'a list of pairs');
  return value.map((pair) => {
    const [key, text, ...more] = Array.isArray(pair) ? pair : [];
    if (typeof key !== 'string' || typeof text !== 'string' || more.length > 0)
      return wrong(json, name, 'pairs of strings');
    return [key, text];
  });
}

function wrong(json: JsonObject, name: string, right: string): never {
  throw new Error(`its member "${name}" is ${JSON.stringify(json[name])?.slice(0, 80)}, not ${right}`);
}
