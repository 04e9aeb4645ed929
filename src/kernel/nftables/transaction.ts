/**
 * Transactions: operations that the kernel carries out together or not at all, as one nfnetlink batch.
 *
 * What the kernel answers (nfnetlink_rcv_batch, net/netfilter/nfnetlink.c): every refused operation under its
 * own sequence number, and the last operation in any case, because it asks for an acknowledgement. What concerns
 * the batch itself (a stale generation, no privilege, no memory, a failed commit) comes under the begin message's
 * number, before the deferred acknowledgements or instead of them.
 */
import { errnoNumber } from '../../lib/errno.ts';
import { tracer } from '../../lib/trace.ts';
import { attribute } from '../netlink/attributes.ts';
import { createWriter } from '../netlink/bytes.ts';
import { be32 } from '../netlink/codec.ts';
import type { Connection } from '../netlink/connection.ts';
import { decodeAcknowledgement, NetlinkError } from '../netlink/error.ts';
import {
  type Frame,
  NLM_F_ACK,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  writeFrame,
} from '../netlink/message.ts';
import {
  NFNL_MSG_BATCH_BEGIN,
  NFNL_MSG_BATCH_END,
  NFNL_SUBSYS_NFTABLES,
  nfnetlinkLayout,
} from '../netlink/nfnetlink.ts';
import { setSocketOption } from '../sys/libc.ts';
import type { Operation } from './operation.ts';

/** enum nfnl_batch_attributes, linux/netfilter/nfnetlink.h: NFNL_BATCH_GENID. */
const batchLayout = nfnetlinkLayout({ generation: attribute(1, be32) });

const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
/** Batches up to this fit the smallest default buffer (net.core.wmem_default, 212,992 with the kernel's overhead). */
const smallBatch = 100_000;
/** What an acknowledgement takes in the receive buffer, sk_buff and page included; generous. */
const acknowledgementBytes = 2_048;

/** A transaction that the kernel refused; as an error it is the first failure. Nothing of it was carried out. */
export class TransactionError extends NetlinkError {
  constructor(
    first: NetlinkError,
    /** Every operation that was refused, in order. */
    readonly failures: readonly NetlinkError[],
    /** The refused operations; none for a failure of the batch itself. */
    readonly operations: readonly Operation[],
  ) {
    super(first.operation, first.errno, first.kernelMessage, first.offset);
  }
}

/** The transaction as text, a line each: input for `nft -f` but for rules, whose expressions nft has no words for. */
export function transactionText(operations: readonly Operation[]): string {
  return operations.map((operation) => `${operation.text}\n`).join('');
}

/** Carries out all operations or none. Nothing to do is no error. Throws TransactionError, SystemError. */
export function commit(connection: Connection, operations: readonly Operation[]): void {
  send(connection, operations, undefined);
}

/**
 * Carries out all operations if the ruleset is still at the given generation; 'moved on' if it is not, and
 * nothing was done. Throws TransactionError, SystemError.
 */
export function commitAt(
  connection: Connection,
  generation: number,
  operations: readonly Operation[],
): 'committed' | 'moved on' {
  return send(connection, operations, generation);
}

/**
 * Carries out operations of which some create (`createChain`): 'existed' if one of those exists already, whose
 * creator then has done the rest as well. Of processes that try at once exactly one commits. Throws TransactionError
 * for any other failure.
 */
export function commitUnlessExists(
  connection: Connection,
  operations: readonly Operation[],
): 'committed' | 'existed' {
  try {
    commit(connection, operations);
    return 'committed';
  } catch (error) {
    if (!(error instanceof TransactionError) || error.operations.length === 0) throw error;
    const onlyExisting =
      error.failures.every((failure) => failure.code === 'EEXIST') &&
      error.operations.every((operation) => (operation.flags & NLM_F_EXCL) !== 0);
    if (onlyExisting) return 'existed';
    throw error;
  }
}

function encodeBatch(
  operations: readonly Operation[],
  generation: number | undefined,
  nextSequence: () => number,
): { bytes: Uint8Array; begin: number } {
  const writer = createWriter();
  const frame = (type: number, flags: number, body: Uint8Array) => {
    const sequence = nextSequence();
    writeFrame(writer, type, NLM_F_REQUEST | flags, sequence, body);
    return sequence;
  };
  const subsystem = { resourceId: NFNL_SUBSYS_NFTABLES };
  const begin = frame(
    NFNL_MSG_BATCH_BEGIN,
    0,
    batchLayout.encode(subsystem, generation === undefined ? {} : { generation }),
  );
  for (const [index, operation] of operations.entries()) {
    const acknowledge = index === operations.length - 1 ? NLM_F_ACK : 0;
    frame(operation.type, operation.flags | acknowledge, operation.body(index + 1));
  }
  frame(NFNL_MSG_BATCH_END, 0, batchLayout.encode(subsystem, {}));
  return { bytes: writer.finish(), begin };
}

function send(
  connection: Connection,
  operations: readonly Operation[],
  generation: number | undefined,
): 'committed' | 'moved on' {
  if (operations.length === 0) return 'committed';
  if (tracer === undefined) return sendNow(connection, operations, generation);
  const text = `commit ${operations.length} operation${operations.length === 1 ? '' : 's'}`;
  const what = { kind: 'nftables', text, operations } as const;
  return tracer.span(what, () => sendNow(connection, operations, generation));
}

function sendNow(
  connection: Connection,
  operations: readonly Operation[],
  generation: number | undefined,
): 'committed' | 'moved on' {
  let begin = 0;
  let ofBatch: NetlinkError | undefined;
  const failures: NetlinkError[] = [];
  const refused: Operation[] = [];

  const read = (frame: Frame): 'more' | 'drain' | 'done' => {
    const index = frame.sequence - begin - 1;
    if (frame.type !== NLMSG_ERROR || index < -1 || index >= operations.length) return 'more';
    const { errno, message, offset } = decodeAcknowledgement(frame.body, frame.flags);
    const operation = operations[index];
    if (operation === undefined) {
      ofBatch = new NetlinkError(`commit ${describe(operations)}`, errno, message, offset);
      return 'drain';
    }
    if (errno !== 0) {
      failures.push(new NetlinkError(shorten(operation.text), errno, message, offset));
      refused.push(operation);
    }
    return index === operations.length - 1 ? 'done' : 'more';
  };

  connection.exchange((nextSequence) => {
    const batch = encodeBatch(operations, generation, nextSequence);
    begin = batch.begin;
    makeRoom(connection, batch.bytes.length, operations.length);
    return batch.bytes;
  }, read);

  if (ofBatch !== undefined) {
    if (generation !== undefined && ofBatch.errno === errnoNumber('ERESTART')) return 'moved on';
    throw new TransactionError(ofBatch, [ofBatch], []);
  }
  const [first] = failures;
  if (first !== undefined) throw new TransactionError(first, failures, refused);
  return 'committed';
}

/** A batch is one datagram, which must fit the send buffer; every answer must fit the receive buffer. */
function makeRoom(connection: Connection, bytes: number, operations: number): void {
  const option = (name: number, size: number) =>
    setSocketOption(connection.fd, SOL_SOCKET, name, new Uint8Array(new Int32Array([size]).buffer));
  if (bytes > smallBatch) option(SO_SNDBUFFORCE, bytes + 4_096);
  const answers = operations * acknowledgementBytes;
  if (answers > smallBatch) option(SO_RCVBUFFORCE, answers);
}

function describe(operations: readonly Operation[]): string {
  const [first] = operations;
  const more = operations.length - 1;
  const text = shorten(first?.text ?? '');
  return more === 0 ? text : `${text} and ${more} more operation${more === 1 ? '' : 's'}`;
}

/** Thousands of elements in one operation are no help in an error. */
function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}
