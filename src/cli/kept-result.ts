import type { Result } from '../cni/index.ts';
import { decodeResult, type JsonObject } from '../cni/runtime/index.ts';
import { isCniVersion } from '../cni/version.ts';

/** A result of ADD of any version. Throws a `CniError` if it is none. */
export function decodeKeptResult(json: JsonObject): Result {
  const { cniVersion } = json;
  const version = typeof cniVersion === 'string' && isCniVersion(cniVersion) ? cniVersion : '0.1.0';
  return decodeResult(json, { version, subject: 'the result of ADD' });
}
