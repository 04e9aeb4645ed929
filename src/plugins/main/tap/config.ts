/** What tap's configuration says: the reference's keys, checked. */
import { boolean, type Infer, integer, object, string } from '../../../cni/index.ts';
import { interfaceNameProblem } from '../../../cni/names.ts';
import { macOrNone } from '../../shared/link/mac.ts';

/** A user or a group; the highest number means none to the kernel (INVALID_UID, linux/uidgid.h). */
const identity = integer({ min: 0, max: 0xffff_fffe }).optional();

/** What the kernel takes: ETH_MIN_MTU (linux/if_ether.h), and MAX_MTU of drivers/net/tun.c less an Ethernet header. */
const [minMtu, maxMtu] = [68, 65521];

/** The keys of tap, with the reference's defaults. */
export const tapSchema = object({
  multiQueue: boolean().default(false),
  mtu: integer({ min: 0, max: maxMtu }).default(0),
  mac: macOrNone.default(''),
  owner: identity,
  group: identity,
  selinuxContext: string().default(''),
  bridge: string().default(''),
}).refine(({ mtu, bridge }, report) => {
  if (mtu !== 0 && mtu < minMtu) report(`must be 0 or ${minMtu}–${maxMtu}, got ${mtu}`, 'mtu');
  const problem = bridge === '' ? undefined : interfaceNameProblem(bridge);
  if (problem !== undefined) report(problem, 'bridge');
});

/** The configuration, checked. */
export type TapConfig = Infer<typeof tapSchema>;
