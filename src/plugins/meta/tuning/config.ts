/** What tuning's configuration says: the reference's keys, checked, and what the runtime and its user say instead. */
import {
  boolean,
  type Infer,
  integer,
  object,
  type Request,
  record,
  runtimeValue,
  string,
} from '../../../cni/index.ts';
import type { LinkSettings } from '../../../kernel/rtnetlink/link-settings.ts';
import { isUnicastMac, parseMac } from '../../../lib/mac.ts';
import { requestedMac } from '../../../plugin/requested-mac.ts';
import { type Sysctl, settingOf } from './sysctls.ts';

/** The kernel's own limits depend on the device; it refuses what is above them. */
const int32 = integer({ min: 0, max: 0x7fff_ffff });

/** An empty text is as none, as the reference has it. */
const macOrNone = string().map((text) => {
  if (text === '') return '';
  const mac = parseMac(text);
  return mac !== undefined && isUnicastMac(mac) ? mac : undefined;
}, 'a unicast hardware address such as "02:42:ac:11:00:02"');

const sysctls = record(string()).refine((values, report) => {
  const keys = new Map<string, string>();
  for (const key of Object.keys(values)) {
    const setting = settingOf(key);
    if (setting === undefined) report('must be a setting below "net.", such as "net.core.somaxconn"', key);
    const twin = setting && keys.get(setting);
    if (twin !== undefined) report(`must not be set together with "${twin}": both are one setting`, key);
    keys.set(setting ?? '', key);
  }
});

/** The keys of tuning, with the reference's defaults: nothing is changed. */
export const tuningSchema = object({
  sysctl: sysctls.default({}),
  mac: macOrNone.default(''),
  promisc: boolean().default(false),
  mtu: int32.default(0),
  allmulti: boolean().optional(),
  txQLen: int32.optional(),
  dataDir: string()
    .refine((path, report) => {
      if (path !== '' && (!path.startsWith('/') || path.includes('\0')))
        report(`must be an absolute path, got ${JSON.stringify(path)}`);
    })
    .default('/run/cni/tuning'),
});

/** The configuration, checked. */
export type TuningConfig = Infer<typeof tuningSchema>;

/** The directory in which is kept what was there before. */
export function dataDirOf({ dataDir }: TuningConfig): string {
  return dataDir || '/run/cni/tuning';
}

/** What tuning changes on a link; what is absent stays. */
export type LinkTuning = Pick<LinkSettings, 'mac' | 'promisc' | 'mtu' | 'allMulticast' | 'txQueueLength'>;

/** What is to be set for an attachment. */
export interface Tuning {
  readonly sysctls: readonly Sysctl[];
  readonly link: LinkTuning;
}

/** What the configuration, `args.cni`, the capability `mac` and `CNI_ARGS` ask for. Throws a `CniError` for what is wrong. */
export function tuningOf(request: Request<TuningConfig>, ifname: string): Tuning {
  const { config } = request;
  const mac = requestedMac(request).containerMac ?? config.mac;
  const promisc = runtimeValue(request, boolean(), { cniArgs: 'promisc' }) ?? config.promisc;
  const mtu = runtimeValue(request, int32, { cniArgs: 'mtu' }) ?? config.mtu;
  const allMulticast = runtimeValue(request, boolean(), { cniArgs: 'allmulti' }) ?? config.allmulti;
  const txQueueLength = runtimeValue(request, int32, { cniArgs: 'txQLen' }) ?? config.txQLen;
  const more = runtimeValue(request, sysctls, { cniArgs: 'sysctl' });
  return {
    sysctls: Object.entries({ ...config.sysctl, ...more }).map(([key, value]) => ({
      key,
      path: settingOf(key, ifname) ?? key,
      value,
    })),
    link: {
      ...(mac !== '' && { mac }),
      ...(promisc && { promisc }),
      ...(mtu !== 0 && { mtu }),
      ...(allMulticast !== undefined && { allMulticast }),
      ...(txQueueLength !== undefined && { txQueueLength }),
    },
  };
}
