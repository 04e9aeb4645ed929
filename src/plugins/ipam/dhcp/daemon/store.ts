/**
 * Leases in files, so that the daemon may end and begin again: `SOCKET.leases/ID.json`, beside the daemon's socket. Where
 * that is below /run they go with the boot, as the namespaces do; of another boot they are worth nothing wherever they are.
 */
import { CniError } from '../../../../cni/index.ts';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  removeFile,
  renameSync,
  writeFileSync,
} from '../../../../kernel/sys/file.ts';
import { tryLockExclusive } from '../../../../kernel/sys/libc.ts';
import { addressFromBytes, addressToBytes } from '../../../../lib/ip.ts';
import { sha256 } from '../../../../plugin/hash.ts';
import { bootId } from '../clock.ts';
import { type Lease, leaseId } from '../lease.ts';

/** The files of one daemon's leases. */
export interface LeaseStore {
  /** Writes a lease in place of the one before. Throws SystemError. */
  save(lease: Lease): void;
  /** Whether a lease has a file: a plugin that finds no daemon removes it. */
  has(id: string): boolean;
  remove(id: string): void;
  /** Those of this boot. */
  load(): readonly Lease[];
  /** The same for the one daemon whose directory it is: files that hold none are removed. */
  takeOver(): readonly Lease[];
}

/** The directory that belongs to a daemon's socket. */
export function leaseDirectory(socketPath: string): string {
  return `${socketPath}.leases`;
}

/** What is in a file. */
interface Kept extends Omit<Lease, 'ack'> {
  readonly boot: string;
  readonly ack: {
    readonly address: string;
    /** Code and value. */
    readonly options: readonly (readonly [number, string])[];
  };
}

const fileEnd = '.json';
const unfinishedEnd = '.new';
const lockName = 'lock';

/** The leases in a directory, which need not be there. */
export function leaseStore(directory: string): LeaseStore {
  const pathOf = (id: string) => `${directory}/${sha256(id).toHex().slice(0, 32)}${fileEnd}`;
  return {
    save(lease) {
      const path = pathOf(leaseId(lease));
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      writeFileSync(path + unfinishedEnd, JSON.stringify(toKept(lease), undefined, 1), { mode: 0o600 });
      renameSync(path + unfinishedEnd, path);
    },
    has: (id) => existsSync(pathOf(id)),
    remove: (id) => removeFile(pathOf(id)),
    load: () => loadAll(directory),
    takeOver: () => loadAll(directory, removeFile),
  };
}

/** Every lease of this boot; `other` gets the paths of files that hold none. */
function loadAll(directory: string, other: (path: string) => void = () => {}): readonly Lease[] {
  if (!existsSync(directory)) return [];
  const boot = bootId();
  return readdirSync(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    const lease = name.endsWith(fileEnd) ? read(path, boot) : undefined;
    if (lease !== undefined) return [lease];
    if (name !== lockName) other(path);
    return [];
  });
}

function read(path: string, boot: string): Lease | undefined {
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Kept;
    return kept.boot === boot ? fromKept(kept) : undefined;
  } catch {
    return undefined; // not ours, or of a version that wrote otherwise: the server will have the address back in time
  }
}

function toKept({ ack, ...lease }: Lease): Kept {
  const options = [...ack.options].map(([code, value]) => [code, value.toHex()] as const);
  return { boot: bootId(), ...lease, ack: { address: addressToBytes(ack.yourAddress).toHex(), options } };
}

function fromKept({ boot: _, ack, ...lease }: Kept): Lease | undefined {
  const yourAddress = addressFromBytes(Uint8Array.fromHex(ack.address));
  if (yourAddress === undefined) return undefined;
  const options = new Map(ack.options.map(([code, value]) => [code, Uint8Array.fromHex(value)]));
  const { mac } = lease.interface;
  // What is missing throws here, not when the lease is renewed.
  for (const time of [lease.times.renew, lease.times.rebind, lease.times.expire]) time.toFixed();
  leaseId(lease).charAt(0);
  return { ...lease, ack: { transactionId: 0, yourAddress, mac, options } };
}

/** Takes the directory for this process, until it ends. Throws a `CniError` (11) where another daemon has it, SystemError. */
export function lockLeases(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = `${directory}/${lockName}`;
  const fd = openSync(path, constants.O_RDONLY | constants.O_CREAT, 0o600);
  if (tryLockExclusive(fd, path)) return;
  closeSync(fd);
  throw new CniError('tryAgainLater', `another daemon has the leases in ${directory}`);
}
