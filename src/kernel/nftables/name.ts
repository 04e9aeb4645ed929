/** Names of tables, chains and sets. */
import { bytesFromText } from '../../lib/bytes.ts';

/** NFT_NAME_MAXLEN (linux/netfilter/nf_tables.h) without the NUL. */
const maxNameBytes = 255;

/** Throws RangeError for a name that the kernel would refuse or cut: empty, too long, or with a NUL. */
export function checkName(what: string, name: string): void {
  const length = bytesFromText(name).length;
  if (length === 0 || length > maxNameBytes || name.includes('\0')) {
    throw new RangeError(
      `${what} name ${JSON.stringify(name)}: ${length} bytes; 1 to ${maxNameBytes} without NUL are allowed`,
    );
  }
}
