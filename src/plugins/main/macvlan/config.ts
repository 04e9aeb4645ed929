/** What macvlan's configuration says: the reference's keys, checked. */
import { enumeration, type Infer, integer, object, string } from '../../../cni/index.ts';
import { isUnicastMac, parseMac } from '../../../lib/mac.ts';
import { masterKeys, refuseMasterName } from '../../shared/link/master.ts';

/** An empty text is as none, as the reference has it. */
const macOrNone = string().map((text) => {
  const mac = text === '' ? '' : parseMac(text);
  return mac === undefined || (mac !== '' && !isUnicastMac(mac)) ? undefined : mac;
}, 'a unicast hardware address such as "02:42:ac:11:00:02"');

/** The keys of macvlan, with the reference's defaults. */
export const macvlanSchema = object({
  ...masterKeys,
  mode: enumeration('bridge', 'private', 'vepa', 'passthru', '').default('bridge'),
  mac: macOrNone.default(''),
  bcqueuelen: integer({ min: 0, max: 0xffff_ffff }).default(0),
}).refine(refuseMasterName);

/** The configuration, checked. */
export type MacvlanConfig = Infer<typeof macvlanSchema>;
