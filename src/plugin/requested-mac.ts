/** The hardware address that a runtime or its user asks for. */
import { type Request, runtimeValue, string } from '../cni/index.ts';
import { isUnicastMac, type MacAddress, parseMac } from '../lib/mac.ts';

/** An empty text is as none, as the reference has it. */
const macOrNone = string().map((text) => {
  if (text === '') return { containerMac: undefined };
  const mac = parseMac(text);
  return mac !== undefined && isUnicastMac(mac) ? { containerMac: mac } : undefined;
}, 'a unicast hardware address such as "02:42:ac:11:00:02"');

const sources = ['runtimeConfig', 'cniArgs', 'env'] as const;

/**
 * The container's hardware address from the first place that has one: the capability `mac`, `args.cni.mac`, `MAC` of
 * `CNI_ARGS`; nothing where none has. Throws a CniError for one that is none.
 */
export function requestedMac(request: Request<unknown>): { containerMac?: MacAddress } {
  for (const source of sources) {
    const found = runtimeValue(request, macOrNone, { [source]: source === 'env' ? 'MAC' : 'mac' });
    if (found?.containerMac !== undefined) return { containerMac: found.containerMac };
  }
  return {};
}
