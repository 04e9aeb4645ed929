/**
 * What an interface was before, in a file for DEL: DATADIR/CONTAINERID_IFNAME.json, which the reference's plugin reads and
 * writes. Its `network` is ours; the reference passes over it.
 */
import type { Attachment, ValidAttachment } from '../../../cni/index.ts';
import type { Link } from '../../../kernel/rtnetlink/link.ts';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  removeFile,
  renameSync,
  writeFileSync,
} from '../../../kernel/sys/file.ts';
import { parseMac } from '../../../lib/mac.ts';
import { sha256 } from '../../../plugin/hash.ts';
import type { LinkTuning } from './config.ts';

/** The file as it is written, with the reference's names. */
interface Backup {
  readonly mac?: string;
  readonly promisc?: boolean;
  readonly mtu?: number;
  readonly allmulti?: boolean;
  readonly txQLen?: number;
  readonly network?: string;
}

/** The file of an attachment. */
export function backupPath(
  dataDir: string,
  { containerId, ifname }: Pick<Attachment, 'containerId' | 'ifname'>,
) {
  return `${dataDir}/${containerId}_${ifname}.json`;
}

/**
 * Keeps what the link is now of what is to be changed. What an earlier ADD kept for the same interface (another tuning in
 * the chain, an ADD that was killed) stays: that is what it was before. Throws SystemError.
 */
export function keepBackup(dataDir: string, attachment: Attachment, link: Link, tuning: LinkTuning): void {
  const path = backupPath(dataDir, attachment);
  const backup = { ...presentValues(link, tuning), ...read(path), network: attachment.network };
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unfinished = path + unfinishedEnd(attachment.network);
  writeFileSync(unfinished, `${JSON.stringify(backup, undefined, 1)}`, { mode: 0o600 });
  renameSync(unfinished, path);
}

function presentValues(link: Link, tuning: LinkTuning): Backup {
  return {
    ...(tuning.mac !== undefined && { mac: link.mac }),
    ...(tuning.promisc !== undefined && { promisc: link.flags.promisc }),
    ...(tuning.mtu !== undefined && { mtu: link.mtu }),
    ...(tuning.allMulticast !== undefined && { allmulti: link.flags.allMulticast }),
    ...(tuning.txQueueLength !== undefined && { txQLen: link.txQueueLength }),
  };
}

/** While a file is written its name tells the network, so that GC finds what an ADD that was killed left. */
function unfinishedEnd(network: string): string {
  return `.${sha256(network).toHex().slice(0, 8)}`;
}

/** Whether what the interface was before is known. */
export function hasBackup(dataDir: string, attachment: Attachment): boolean {
  return existsSync(backupPath(dataDir, attachment));
}

/** What the link was before; undefined where nothing (that can be read) is kept. Throws SystemError for what cannot be read. */
export function readBackup(dataDir: string, attachment: Attachment): LinkTuning | undefined {
  const backup = read(backupPath(dataDir, attachment));
  if (backup === undefined) return undefined;
  const { mac, promisc, mtu, allmulti, txQLen } = backup;
  return {
    mac: typeof mac === 'string' ? parseMac(mac) : undefined,
    promisc: typeof promisc === 'boolean' ? promisc : undefined,
    mtu: typeof mtu === 'number' && mtu > 0 ? mtu : undefined,
    allMulticast: typeof allmulti === 'boolean' ? allmulti : undefined,
    txQueueLength: typeof txQLen === 'number' && txQLen >= 0 ? txQLen : undefined,
  };
}

function read(path: string): Backup | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // as the reference: what it once was nobody knows
  }
}

/** Removes the file, and what an ADD that was killed left of it; none is as good. Throws SystemError. */
export function removeBackup(dataDir: string, attachment: Attachment): void {
  const path = backupPath(dataDir, attachment);
  removeFile(path);
  removeFile(path + unfinishedEnd(attachment.network));
}

/** Removes the files of a network's attachments but the valid ones'. What the reference wrote names no network, and stays. */
export function removeOthers(dataDir: string, network: string, valid: readonly ValidAttachment[]): void {
  if (!existsSync(dataDir)) return;
  const kept = new Set(valid.map((attachment) => backupPath(dataDir, attachment)));
  const end = unfinishedEnd(network);
  for (const name of readdirSync(dataDir)) {
    const path = `${dataDir}/${name}`;
    const isUnfinished = name.endsWith(`.json${end}`);
    const finished = isUnfinished ? path.slice(0, -end.length) : path;
    if (kept.has(finished) || !finished.endsWith('.json')) continue;
    if (isUnfinished || read(path)?.network === network) removeFile(path);
  }
}
