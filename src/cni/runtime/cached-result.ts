import { CniError } from '../error.ts';
import type { JsonObject } from '../json.ts';
import type { Attachment } from '../plugin.ts';
import type { CniVersion } from '../version.ts';
import type { ResultCache } from './cache.ts';
import { convertCachedResult } from './plugin-result.ts';

/**
 * The result of an attachment's ADD, in this version; undefined if none is kept. Throws a `CniError` that names the
 * file if what is kept cannot be used.
 */
export function readCachedResult(
  cache: ResultCache,
  key: Attachment,
  version: CniVersion,
): JsonObject | undefined {
  const reading = cache.read(key);
  const fail = (why: string) => new CniError('decodingFailure', `the result in ${cache.path(key)}: ${why}`);
  switch (reading.kind) {
    case 'none':
      return undefined;
    case 'entry':
      return reading.entry.result && convert(reading.entry.result);
    case 'legacy':
      return convert(reading.result);
    case 'foreign':
      throw fail(`it is that of ${JSON.stringify(reading.owner)}`);
    case 'unreadable':
      throw fail(reading.reason);
  }
  function convert(cached: JsonObject): JsonObject {
    try {
      return convertCachedResult(cached, version);
    } catch (error) {
      throw fail((error as Error).message);
    }
  }
}
