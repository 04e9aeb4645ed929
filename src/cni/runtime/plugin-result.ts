/** The results of ADD on their way to the next plugin, to the runtime's user and through the cache. */
import { parseOutput } from '../executable.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { decodeResult, versionOfResult } from '../result-decode.ts';
import { encodeAgain, encodeResult } from '../result-encode.ts';
import type { CniVersion } from '../version.ts';

/**
 * The result that a plugin printed, in the version that it chose (`ExecPluginWithResult` in pkg/invoke/exec.go): one
 * that names none has the configuration's, `null` says nothing. Throws a `CniError` (6).
 */
export function readPrintedResult(stdout: string, version: CniVersion): JsonObject {
  const json = parseOutput(stdout) ?? {};
  const context = { version, subject: 'the result of ADD' };
  const result = decodeResult(json, context);
  return encodeAgain(result, isJsonObject(json) ? versionOfResult(json, context) : version);
}

/** A result from the cache in the version that the network has now. Throws a `CniError`. */
export function convertCachedResult(cached: JsonObject, version: CniVersion): JsonObject {
  return encodeResult(decodeResult(cached, { version, subject: 'the cached result' }), version);
}
