/** host-local: gives addresses out of ranges, kept in files on this node. A drop-in for the reference's. */
import {
  type AddRequest,
  type Attachment,
  CniError,
  definePlugin,
  isAtLeast,
  type Request,
  type Result,
} from '../../../cni/index.ts';
import { formatAddress, formatPrefix } from '../../../lib/ip.ts';
import { type Allocation, allocate, hasFreeAddress } from './allocate.ts';
import {
  dataDirOf,
  type HostLocalConfig,
  hostLocalSchema,
  rangeSetsOf,
  requestedAddresses,
} from './config.ts';
import { formatRangeSet, type RangeSet } from './range.ts';
import { currentBoot, freeReservationsOfEarlierBoots } from './reboot.ts';
import { readResolvConf } from './resolv-conf.ts';
import { type Owner, openStore, type Store } from './store.ts';

export const plugin = definePlugin({
  name: 'host-local',
  about: 'gives addresses out of ranges that this node keeps in files',
  config: hostLocalSchema,
  add,
  del: (request) => {
    // No validation of ranges here: DEL frees by owner, and must work when the configuration has changed.
    withStore(request, (store) => store.release(ownerOf(request.attachment)));
  },
  check: (request) => {
    const { containerId, ifname } = request.attachment;
    const held = withStore(request, (store) => store.held(ownerOf(request.attachment)));
    if (held.length === 0) {
      throw new CniError(
        102,
        `no address is reserved for container ${containerId}, interface ${ifname}`,
        'its reservation was removed from the store; delete the container and add it again',
      );
    }
  },
  gc: (request) => {
    const valid = new Set(
      request.validAttachments.map(({ containerId, ifname }) => `${containerId}:${ifname}`),
    );
    const containers = new Set(request.validAttachments.map(({ containerId }) => containerId));
    withStore(request, (store) =>
      store.releaseWhere(({ owner }) => {
        if (owner === undefined) return false;
        return owner.ifname === undefined
          ? !containers.has(owner.containerId)
          : !valid.has(`${owner.containerId}:${owner.ifname}`);
      }),
    );
  },
  status: (request) => {
    const sets = rangeSetsOf(request.config);
    const full = withStore(request, (store) => sets.find((set) => !hasFreeAddress(store, set)));
    if (full !== undefined) {
      throw new CniError(
        'limitedConnectivity',
        `no address left in ${formatRangeSet(full)}`,
        'running containers are not affected, new ones get no address',
      );
    }
  },
});

function add(request: AddRequest<HostLocalConfig>): Result {
  const { config, attachment } = request;
  const sets = rangeSetsOf(config);
  refuseManyForOldVersions(request, sets);
  const requested = requestedAddresses(request);
  const dns = config.ipam.resolvConf ? readDns(config.ipam.resolvConf) : undefined;
  const given = withStore(request, (store) => {
    freeReservationsOfEarlierBoots(store, dataDirOf(config), request.network, currentBoot());
    return allocate(store, sets, requested, ownerOf(attachment));
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
function withStore<T>(request: Request<HostLocalConfig>, call: (store: Store) => T): T {
  const dataDir = dataDirOf(request.config);
  try {
    const store = openStore(dataDir, request.network);
    try {
      return call(store);
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof CniError || !(error instanceof Error) || !('code' in error)) throw error;
    throw new CniError(
      'ioFailure',
      `cannot keep reservations in ${dataDir}/${request.network}: ${error.message}`,
    );
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
