/** The leases that the daemon holds, by their ids: what plugins ask for, one at a time for each id. */
import { messageOf, type Result } from '../../../../cni/index.ts';
import { parseMac } from '../../../../lib/mac.ts';
import { type Client, describeGrant, release } from '../client.ts';
import { clientOptionsOf, type DhcpConfig } from '../config.ts';
import { clientId, type Lease, leaseId, timesOf } from '../lease.ts';
import { interfaceIn, isThere, openIfThere, openPlace, sameInterface } from '../place.ts';
import { resultOf } from '../result.ts';
import type { CallArguments } from '../rpc/messages.ts';
import { acquire } from './acquire.ts';
import { type Call, callOf, validityIn } from './call.ts';
import type { DaemonSettings } from './flags.ts';
import type { Log } from './log.ts';
import { clientOf, describeLease, maintain } from './maintain.ts';
import type { LeaseStore } from './store.ts';

/** What plugins ask of the daemon. All throw Errors whose messages are for the person who operates the node. */
export interface Leases {
  /** Acquires a lease, or finds the one that the attachment has. Given up when the signal comes. */
  allocate(args: CallArguments, signal: AbortSignal): Promise<Result>;
  /** Gives the lease back; none is as good. */
  release(args: CallArguments): Promise<void>;
  /** The lease that the attachment has. */
  check(args: CallArguments): Result;
  /** Gives back those of the network that belong to no valid attachment. */
  collect(args: CallArguments): Promise<void>;
  /** Goes on with leases of a daemon before. */
  resume(): void;
  /** Ends; the leases stay in their files. */
  shutDown(): Promise<void>;
}

/** What is held or being acquired under an id. There is one at a time: the next begins when it has gone. */
interface Holding {
  lease: Lease | undefined;
  readonly ended: AbortController;
  /** How many plugins wait for it to be acquired; when the last one is gone, it is given up. */
  waiting: number;
  /** The lease when it is there, and the end of its maintenance. */
  acquired: Promise<Lease>;
  maintained: Promise<void>;
  /** When it has been ended, and its server told. */
  gone?: Promise<void>;
}

const deletedMeanwhile = 'the attachment was deleted while its lease was acquired';
const daemonEnds = 'the DHCP daemon ends';
const nobodyWaits = 'the plugin that asked for the lease has gone';

/** What becomes of a lease that ends: its server is told; or nobody is; or it stays in its file, for the next daemon. */
type Ending = 'told' | 'untold' | 'kept';

/** Begins without leases. */
export function openLeases(settings: DaemonSettings, store: LeaseStore, log: Log): Leases {
  const holdings = new Map<string, Holding>();
  const { hostPrefix } = settings;

  const forget = (id: string, holding: Holding) => {
    if (holdings.get(id) === holding) holdings.delete(id);
  };

  const keep = (id: string, holding: Holding, lease: Lease) => {
    holding.lease = lease;
    const upkeep = {
      settings,
      log,
      signal: holding.ended.signal,
      isWanted: () => store.has(id),
      renewed(next: Lease) {
        holding.lease = next;
        store.save(next);
      },
    };
    holding.maintained = maintain(lease, upkeep).then(() => {
      if (holding.ended.signal.aborted) return;
      store.remove(id);
      forget(id, holding);
    });
  };

  const begin = (id: string, call: Call): Holding => {
    const acquired = Promise.withResolvers<Lease>();
    const holding: Holding = {
      lease: undefined,
      ended: new AbortController(),
      waiting: 0,
      acquired: acquired.promise,
      maintained: Promise.resolve(),
    };
    holdings.set(id, holding);
    acquireFor(id, call, holding).then(acquired.resolve, acquired.reject);
    // Who waits for it hears of it; nobody may.
    acquired.promise.catch(() => {});
    return holding;
  };

  const acquireFor = async (id: string, call: Call, holding: Holding): Promise<Lease> => {
    const { signal } = holding.ended;
    let lease: Lease | undefined;
    try {
      lease = await acquireLease(call, settings, { signal, log });
      signal.throwIfAborted();
      store.save(lease);
    } catch (error) {
      if (lease !== undefined) giveBack(lease);
      forget(id, holding);
      throw error;
    }
    keep(id, holding, lease);
    return lease;
  };

  const giveBack = (lease: Lease) => {
    const id = leaseId(lease);
    try {
      using container = openIfThere(hostPrefix + lease.netns, lease.interface);
      if (container === undefined) return log(`${id}: the interface is gone, the server is not told`);
      log(`${id}: releasing lease`);
      release(clientOf(lease, settings), container.netns, lease.ack, lease.serverMac);
    } catch (error) {
      log(`${id}: the server could not be told: ${messageOf(error)}`);
    }
  };

  const endHolding = async (id: string, holding: Holding, reason: string, ending: Ending) => {
    holding.ended.abort(new Error(reason));
    await holding.acquired.catch(() => {});
    await holding.maintained;
    if (holding.lease !== undefined && ending === 'told') giveBack(holding.lease);
    if (ending !== 'kept') store.remove(id);
    forget(id, holding);
  };

  const end = async (id: string, reason: string, ending: Ending) => {
    const holding = holdings.get(id);
    if (holding === undefined) return;
    holding.gone ??= endHolding(id, holding, reason, ending);
    await holding.gone;
  };

  const releaseById = async (id: string) => {
    await end(id, deletedMeanwhile, 'told');
    // Of a lease that ended by itself, or whose file another daemon wrote.
    if (!holdings.has(id)) store.remove(id);
  };

  /** The holding under an id, when those that were ended have gone. */
  const settled = async (id: string): Promise<Holding | undefined> => {
    for (;;) {
      const holding = holdings.get(id);
      if (holding?.ended.signal.aborted !== true) return holding;
      await (holding.gone ?? holding.acquired.catch(() => {}));
    }
  };

  /** The holding that a call can have; what is held by a container that is gone is no use to one of its name. */
  const present = async (id: string, call: Call): Promise<Holding | undefined> => {
    const holding = await settled(id);
    if (holding?.lease === undefined) return holding;
    {
      using container = openPlace(hostPrefix + call.args.netns);
      if (sameInterface(holding.lease.interface, interfaceIn(container, call.args.ifname))) return holding;
    }
    log(`${id}: the interface was made anew, and its lease is no use`);
    await end(id, deletedMeanwhile, 'untold');
    return settled(id);
  };

  return {
    async allocate(args, signal) {
      const call = callOf(args);
      const id = leaseId(call);
      const holding = (await present(id, call)) ?? begin(id, call);
      holding.waiting++;
      const leave = () => {
        if (--holding.waiting === 0 && holding.lease === undefined)
          holding.ended.abort(new Error(nobodyWaits));
      };
      signal.addEventListener('abort', leave);
      try {
        if (signal.aborted) leave();
        const lease = holding.lease ?? (await holding.acquired);
        return resultFor(holding.lease ?? lease, call.config);
      } finally {
        signal.removeEventListener('abort', leave);
        if (!signal.aborted) holding.waiting--;
      }
    },
    release: (args) => releaseById(leaseId(callOf(args, 'only its names'))),
    check(args) {
      const call = callOf(args);
      const lease = holdings.get(leaseId(call))?.lease;
      if (lease === undefined) throw new Error(`no lease is held for ${leaseId(call)}`);
      if (!isThere(hostPrefix + args.netns, lease.interface))
        throw new Error(`the lease of ${leaseId(call)} is that of an interface that is gone`);
      return resultFor(lease, call.config);
    },
    async collect(args) {
      const { network, isValid } = validityIn(args);
      const stray = [...holdings.values()].flatMap(({ lease }) =>
        lease !== undefined && lease.attachment.network === network && !isValid(lease)
          ? [leaseId(lease)]
          : [],
      );
      await Promise.all(stray.map(releaseById));
    },
    resume() {
      for (const lease of store.takeOver()) {
        const id = leaseId(lease);
        if (!isThere(hostPrefix + lease.netns, lease.interface)) {
          log(`${id}: the interface has gone, and the lease with it`);
          store.remove(id);
          continue;
        }
        log(`${id}: going on with lease: ${describeLease(lease)}`);
        const ended = new AbortController();
        const holding = {
          lease,
          ended,
          waiting: 0,
          acquired: Promise.resolve(lease),
          maintained: Promise.resolve(),
        };
        holdings.set(id, holding);
        keep(id, holding, lease);
      }
    },
    async shutDown() {
      await Promise.all([...holdings.keys()].map((id) => end(id, daemonEnds, 'kept')));
    },
  };
}

async function acquireLease(
  { args, attachment, config }: Call,
  settings: DaemonSettings,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<Lease> {
  using container = openPlace(settings.hostPrefix + args.netns);
  const link = interfaceIn(container, args.ifname);
  if (link === undefined) throw new Error(`interface ${args.ifname} does not exist in ${args.netns}`);
  if (parseMac(link.mac) === undefined)
    throw new Error(`interface ${args.ifname} has no Ethernet address, and DHCP is for Ethernet here`);
  const options = clientOptionsOf(config, args.args);
  const client: Client = { clientId: clientId({ attachment }), interface: link, options, settings };
  const id = leaseId({ attachment });
  log(`${id}: acquiring lease`);
  const granted = await acquire(client, container, { resendTimeout: settings.resendTimeout, signal, log });
  const { message: ack, fromMac: serverMac, since } = granted;
  log(`${id}: lease acquired: ${describeGrant(granted)}`);
  return {
    attachment,
    netns: args.netns,
    interface: link,
    options,
    ack,
    serverMac,
    times: timesOf(ack, since),
  };
}

function resultFor({ ack, options }: Lease, { ipam }: DhcpConfig): Result {
  return resultOf(ack, { requested: options.requested, priority: ipam.priority });
}
