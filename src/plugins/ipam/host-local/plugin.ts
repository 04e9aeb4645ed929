/** host-local: gives addresses out of ranges, kept in files on this node. A drop-in for the reference's. */
import {
  type AddRequest,
  type Attachment,
  CniError,
  definePlugin,
  isAtLeast,
  type Request,
  type Result,
  type ValidAttachment,
} from '../../../cni/index.ts';
import { formatAddress, formatPrefix } from '../../../lib/ip.ts';
import { type Allocation, allocate, exhaustedAdvice, hasFreeAddress } from './allocate.ts';
import {
  dataDirOf,
  type HostLocalConfig,
  hostLocalSchema,
  rangeSetsOf,
  requestedAddresses,
  resolvConfOf,
} from './config.ts';
import { formatRangeSet, type RangeSet } from './range.ts';
import type { Owner } from './reservation.ts';
import { readResolvConf } from './resolv-conf.ts';
import { openExistingStore, openStore, type Store } from './store.ts';

export const plugin = definePlugin({
  name: 'host-local',
  about: 'gives addresses out of ranges that this node keeps in files',
  config: hostLocalSchema,
  add,
  del: (request) => {
    // No validation of ranges here: DEL frees by owner, and must work when the configuration has changed.
    withStore(request, openExistingStore, (store) => store?.release(ownerOf(request.attachment)));
  },
  check: (request) => {
    const { containerId, ifname } = request.attachment;
    const owner = ownerOf(request.attachment);
    const held = withStore(request, openExistingStore, (store) => store?.held(owner) ?? []);
    if (held.length > 0) return;
    throw new CniError(
      102,
      `no address is reserved for container ${containerId}, interface ${ifname}`,
      'its reservation was removed from the store; delete the container and add it again',
    );
  },
  gc: (request) => {
    const isValid = validity(request.validAttachments);
    withStore(request, openExistingStore, (store) =>
      store?.releaseWhere(({ owner, abandoned }) => (owner === undefined ? abandoned : !isValid(owner))),
    );
  },
  status: (request) => {
    const sets = rangeSetsOf(request.config);
    const full = withStore(request, openStore, (store) => sets.find((set) => !hasFreeAddress(store, set)));
    if (full === undefined) return;
    throw new CniError(
      'pluginNotAvailable',
      `no address left in ${formatRangeSet(full)} for network ${request.network}`,
      exhaustedAdvice,
    );
  },
});

/** Whether an owner is among the attachments that still exist; one that names no interface, by its container. */
function validity(attachments: readonly ValidAttachment[]): (owner: Owner) => boolean {
  const keys = new Set(
    attachments.flatMap(({ containerId, ifname }) => [containerId, `${containerId} ${ifname}`]),
  );
  return ({ containerId, ifname }) =>
    keys.has(ifname === undefined ? containerId : `${containerId} ${ifname}`);
}

function add(request: AddRequest<HostLocalConfig>): Result {
  const { config, attachment } = request;
  const sets = rangeSetsOf(config);
  refuseManyForOldVersions(request, sets);
  const requested = requestedAddresses(request);
  const resolvConf = resolvConfOf(config);
  const dns = resolvConf === undefined ? undefined : readDns(resolvConf);
  const given = withStore(request, openStore, (store) =>
    allocate(store, sets, requested, ownerOf(attachment)),
  );
  request.onFailure('the reservation', () => {
    withStore(request, openExistingStore, (store) => store?.release(ownerOf(attachment)));
  });
  return {
    ips: given.map(toIpConfig),
    ...(config.ipam.routes.length > 0 ? { routes: config.ipam.routes } : {}),
    ...(dns === undefined ? {} : { dns }),
  };
}

function toIpConfig({ address, gateway }: Allocation) {
  return { address: formatPrefix(address), gateway: formatAddress(gateway) };
}

function ownerOf({ containerId, ifname }: Attachment): Required<Owner> {
  return { containerId, ifname };
}

/** Opens the network's store, with its lock, for the time of one call. The file system's errors become CNI errors (5). */
function withStore<S extends Store | undefined, T>(
  { config, network }: Request<HostLocalConfig>,
  open: (dataDir: string, network: string) => S,
  call: (store: S) => T,
): T {
  const dataDir = dataDirOf(config);
  try {
    const store = open(dataDir, network);
    try {
      return call(store);
    } finally {
      store?.close();
    }
  } catch (error) {
    if (error instanceof CniError || !(error instanceof Error) || !('code' in error)) throw error;
    throw new CniError('ioFailure', `cannot keep reservations in ${dataDir}/${network}: ${error.message}`);
  }
}

function readDns(path: string) {
  try {
    return readResolvConf(path);
  } catch (error) {
    throw new CniError(
      'invalidConfig',
      `\`ipam.resolvConf\` of plugin \`host-local\`: cannot read ${path}: ${(error as Error).message}`,
    );
  }
}

/** Results before 0.3.0 hold one address a family (SPEC.md 0.2.0, "Result"). */
function refuseManyForOldVersions({ cniVersion }: Request<HostLocalConfig>, sets: readonly RangeSet[]): void {
  const count = (family: number) => sets.filter(([first]) => first.start.family === family).length;
  if (isAtLeast(cniVersion, '0.3.0') || (count(4) <= 1 && count(6) <= 1)) return;
  throw new CniError(
    'invalidConfig',
    `\`ipam.ranges\` of plugin \`host-local\`: version ${cniVersion} allows one address a family; use \`cniVersion\` 0.3.0 or later for more`,
  );
}
