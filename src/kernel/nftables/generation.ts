/** The ruleset's generation: a number that every commit in a namespace changes (NFT_MSG_GETGEN). */
import { attribute } from '../netlink/attributes.ts';
import { CodecError } from '../netlink/bytes.ts';
import { be32 } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { isNetlinkError } from '../netlink/error.ts';
import type { Frame } from '../netlink/message.ts';
import { nfnetlinkLayout } from '../netlink/nfnetlink.ts';
import { NFT_MSG, type Operation } from './operation.ts';
import { commitAt } from './transaction.ts';

/** enum nft_gen_attributes, linux/netfilter/nf_tables.h. */
const layout = nfnetlinkLayout({ id: attribute(1, be32) });

/** Attempts of `withGeneration`, and how many of them do not wait. */
const maxAttempts = 200;
const eagerAttempts = 4;

/** The ruleset changed during each of many attempts: another program writes without pause. */
export class RulesetBusyError extends Error {
  override readonly name = 'RulesetBusyError';
  readonly code = 'EAGAIN';
}

/** The kernel has netfilter's netlink, and no nf_tables in it. */
export class NoNftablesError extends Error {
  override readonly name = 'NoNftablesError';
  readonly code = 'EINVAL';
}

/** The generation that the ruleset is at. Throws NoNftablesError, NetlinkError. */
export function getGeneration(connection: Connection): number {
  const [frame] = requestGeneration(connection);
  const id = frame && layout.decode(frame.body).attributes.id;
  if (id === undefined) throw new CodecError('nftables: an answer without generation');
  return id;
}

function requestGeneration(connection: Connection): Frame[] {
  try {
    return connection.request({
      operation: 'read the nftables generation',
      type: NFT_MSG.GETGEN,
      body: layout.encode({}, {}),
    });
  } catch (error) {
    // No subsystem of that number (nfnetlink_rcv_msg, net/netfilter/nfnetlink.c): the request itself has nothing to refuse.
    if (isNetlinkError(error, 'EINVAL'))
      throw new NoNftablesError('this kernel has no nf_tables', { cause: error });
    throw error;
  }
}

/**
 * Changes the ruleset by what is in it: `plan` reads, and returns the operations that follow from what it read.
 * They are committed only if nothing in the namespace's ruleset has changed since before the reading, otherwise
 * it is all done again. `plan` must have no other effect. Returns the operations that were committed; none is no commit.
 * Throws TransactionError, NetlinkError, NoNftablesError, RulesetBusyError.
 */
export function withGeneration(
  connection: Connection,
  plan: () => readonly Operation[],
): readonly Operation[] {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (attempt >= eagerAttempts) pause(attempt);
    const generation = getGeneration(connection);
    const operations = plan();
    if (operations.length === 0 || commitAt(connection, generation, operations) === 'committed') {
      return operations;
    }
  }
  throw new RulesetBusyError(`nftables: the ruleset changed during each of ${maxAttempts} attempts`);
}

/** Waits up to a few milliseconds, at random, so that competing processes fall out of step. */
function pause(attempt: number): void {
  const limit = Math.min(attempt - eagerAttempts + 1, 10);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * limit);
}
