/** What macvlan's configuration says: the reference's keys, checked. */
import { enumeration, type Infer, integer, object } from '../../../cni/index.ts';
import { macOrNone } from '../../shared/link/mac.ts';
import { masterKeys, refuseMasterName } from '../../shared/link/master.ts';

/** The keys of macvlan, with the reference's defaults. */
export const macvlanSchema = object({
  ...masterKeys,
  mode: enumeration('bridge', 'private', 'vepa', 'passthru', '').default('bridge'),
  mac: macOrNone.default(''),
  bcqueuelen: integer({ min: 0, max: 0xffff_ffff }).default(0),
}).refine(refuseMasterName);

/** The configuration, checked. */
export type MacvlanConfig = Infer<typeof macvlanSchema>;
