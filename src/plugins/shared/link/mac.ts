/** The container's hardware address where a plugin has a key for it: macvlan and tap. */
import { type AddRequest, string } from '../../../cni/index.ts';
import { isUnicastMac, type MacAddress, parseMac } from '../../../lib/mac.ts';
import { requestedMac } from '../../../plugin/requested-mac.ts';

/** The type of the key `mac`. An empty text is as none, as the reference has it. */
export const macOrNone = string().map((text) => {
  const mac = text === '' ? '' : parseMac(text);
  return mac === undefined || (mac !== '' && !isUnicastMac(mac)) ? undefined : mac;
}, 'a unicast hardware address such as "02:42:ac:11:00:02"');

/** The first of: what the runtime asks for, the key `mac`. Throws a `CniError` for one that is none. */
export function configuredMac(request: AddRequest<{ readonly mac: string }>): MacAddress | undefined {
  return requestedMac(request).containerMac ?? (request.config.mac || undefined);
}
