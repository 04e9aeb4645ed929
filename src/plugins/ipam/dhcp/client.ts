/** What a DHCP client says, RFC 2131 section 4.4: an address is acquired, renewed, rebound, released. */
import type { NetworkNamespace } from '../../../kernel/netns/netns.ts';
import { bytesFromText, textFromBytes } from '../../../lib/bytes.ts';
import { addressToBytes, formatAddress, type IpAddress, sameAddress } from '../../../lib/ip.ts';
import type { MacAddress } from '../../../lib/mac.ts';
import { sinceBoot } from './clock.ts';
import type { ClientOptions } from './config.ts';
import { type Answer, ask, rawWire, udpWire, type Wire } from './exchange.ts';
import { type Interface, serverOf } from './lease.ts';
import {
  type ClientMessage,
  encodeMessage,
  messageType,
  type Options,
  option,
  type ServerMessage,
} from './protocol/message.ts';
import { addressIn, isHostAddress, numberIn, prefixLengthIn } from './protocol/option-values.ts';

/** Who asks, and how. */
export interface Client {
  readonly clientId: string;
  readonly interface: Interface;
  readonly options: ClientOptions;
  readonly settings: ClientSettings;
}

/** How servers are asked. Times are in milliseconds. */
export interface ClientSettings {
  /** Servers are asked to broadcast their answers. */
  readonly broadcast: boolean;
  /** How long one question is asked. */
  readonly timeout: number;
  /** The longest time until it is asked again. */
  readonly resendMax: number;
}

/** A server's yes. */
export interface Granted extends Answer {
  /** When it was asked first: the lease's time begins then. In milliseconds since the boot. */
  readonly since: number;
}

/** A server's no, with its reason in its own words, which may be none. */
export interface Refused {
  readonly refusal: string;
}

/** The largest message that is taken, option 57: the reference's. */
const maxMessageSize = Uint8Array.of(1500 >> 8, 1500 & 0xff);

/** As the reference's: type 0, which says that what follows is a text, and the text. */
function identityOf({ clientId, options }: Pick<Client, 'clientId' | 'options'>): Uint8Array {
  const own = options.provided.findLast(([code]) => code === option.clientId);
  return own === undefined ? Uint8Array.of(0, ...bytesFromText(clientId)) : bytesFromText(own[1]);
}

/** The options of a message of this type: whose it is, what the state adds, what the configuration provides and requests. */
function optionsOf(client: Client, type: number, more: readonly (readonly [number, Uint8Array])[]): Options {
  const { provided, requested } = client.options;
  return new Map([
    [option.messageType, Uint8Array.of(type)],
    [option.clientId, identityOf(client)],
    ...more,
    [option.maxMessageSize, maxMessageSize],
    ...provided
      .filter(([code]) => code !== option.clientId)
      .map(([code, text]) => [code, bytesFromText(text)] as const),
    [option.parameterRequestList, Uint8Array.from(requested)],
  ]);
}

/** One question of the client's, for as long as its settings say or less. */
function questionOf<T>(
  { interface: { mac }, settings }: Client,
  transactionId: number,
  { options, clientAddress }: Pick<ClientMessage, 'options' | 'clientAddress'>,
  {
    accept,
    signal,
    forMs = settings.timeout,
  }: {
    accept(answer: Answer, since: number): T | undefined;
    signal: AbortSignal;
    forMs?: number | undefined;
  },
) {
  const { broadcast, resendMax } = settings;
  const since = sinceBoot();
  return {
    transactionId,
    mac,
    message: (seconds: number) =>
      encodeMessage({
        transactionId,
        seconds,
        broadcast: broadcast && clientAddress === undefined,
        clientAddress,
        mac,
        options,
      }),
    accept: (answer: Answer) => accept(answer, since),
    forMs,
    resendMax,
    signal,
  };
}

function newTransaction(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

function typeOf({ options }: ServerMessage): number | undefined {
  return numberIn(options, option.messageType, 1);
}

/** What an ACK must hold: an address that a host can have, its subnet's mask, and a time. */
function isUsable({ yourAddress, options }: ServerMessage): boolean {
  return (
    isHostAddress(yourAddress) &&
    prefixLengthIn(options) !== undefined &&
    numberIn(options, option.leaseTime, 4) !== 0
  );
}

/** How it went to acquire an address: `nobody` where no server offered one. */
export type Acquired = Granted | Refused | 'nobody' | 'no answer';

/**
 * DISCOVER, OFFER, REQUEST, ACK, once. With `wanted`, an offer of another address is as none. Throws the signal's reason
 * and SystemError.
 */
export async function acquireOnce(
  client: Client,
  netns: NetworkNamespace,
  signal: AbortSignal,
  wanted?: IpAddress,
): Promise<Acquired> {
  using wire = rawWire(netns, client.interface);
  const transactionId = newTransaction();
  const hint = wanted === undefined ? [] : [[option.requestedAddress, addressToBytes(wanted)] as const];
  const discover = { options: optionsOf(client, messageType.discover, hint) };
  const offer = await ask(
    wire,
    questionOf(client, transactionId, discover, {
      signal,
      accept: ({ message }) => offerIn(message, wanted),
    }),
  );
  if (offer === undefined) return 'nobody';
  const [address, server] = [addressToBytes(offer.address), addressToBytes(offer.server)];
  const request = {
    options: optionsOf(client, messageType.request, [
      [option.requestedAddress, address],
      [option.serverId, server],
    ]),
  };
  const answer = await ask(
    wire,
    questionOf(client, transactionId, request, {
      signal,
      accept: (one, since) => verdictIn({ ...one, since }, offer.address, offer.server),
    }),
  );
  return answer ?? 'no answer';
}

/** An offer that can be accepted. */
function offerIn(message: ServerMessage, wanted: IpAddress | undefined) {
  const { yourAddress: address, options } = message;
  const server = addressIn(options, option.serverId);
  if (typeOf(message) !== messageType.offer || server === undefined || !isHostAddress(address))
    return undefined;
  return wanted === undefined || sameAddress(address, wanted) ? { address, server } : undefined;
}

/** An ACK of this address, or a NAK; of this server, where one is given. */
function verdictIn(granted: Granted, address: IpAddress, server?: IpAddress): Granted | Refused | undefined {
  const { message } = granted;
  const from = addressIn(message.options, option.serverId);
  if (server !== undefined && (from === undefined || !sameAddress(from, server))) return undefined;
  const type = typeOf(message);
  if (type === messageType.nak) return { refusal: refusalOf(message) };
  if (type !== messageType.ack || !isUsable(message) || !sameAddress(message.yourAddress, address))
    return undefined;
  return granted;
}

/** In one line, without what a terminal or a log would take for more than letters. */
function refusalOf({ options }: ServerMessage): string {
  const text = textFromBytes(options.get(option.message) ?? new Uint8Array());
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200);
}

/** Asks the server of a lease, or any where none is given, to go on with it: what RFC 2131 calls RENEWING and REBINDING. */
export async function extendOnce(
  client: Client,
  netns: NetworkNamespace,
  ack: ServerMessage,
  how: { readonly signal: AbortSignal; readonly forMs: number; readonly server?: IpAddress | undefined },
): Promise<Granted | Refused | undefined> {
  const { yourAddress } = ack;
  const { signal, server } = how;
  using wire =
    server === undefined
      ? rawWire(netns, client.interface)
      : wireToServer(client, netns, yourAddress, server);
  const question = { options: optionsOf(client, messageType.request, []), clientAddress: yourAddress };
  const forMs = Math.min(how.forMs, client.settings.timeout);
  return await ask(
    wire,
    questionOf(client, newTransaction(), question, {
      signal,
      forMs,
      accept: (answer, since) => verdictIn({ ...answer, since }, yourAddress, server),
    }),
  );
}

/** Where the interface has lost the address, or a program in the container has the port, frames of our own do as well. */
function wireToServer(
  { interface: link }: Client,
  netns: NetworkNamespace,
  from: IpAddress,
  to: IpAddress,
): Wire {
  try {
    return udpWire(netns, link, from, to);
  } catch {
    return rawWire(netns, link);
  }
}

/** Tells the server that the address is free. Nobody answers that; a server that does not hear it waits for the lease's end. Throws SystemError. */
export function release(
  client: Pick<Client, 'clientId' | 'interface' | 'options'>,
  netns: NetworkNamespace,
  ack: ServerMessage,
  serverMac: MacAddress,
): void {
  const server = serverOf({ ack });
  if (server === undefined) return;
  // By the hardware address that is known: the kernel would first ask for it, and the link may be gone before an answer.
  using wire = rawWire(netns, client.interface, { mac: serverMac, address: server, from: ack.yourAddress });
  const options = new Map([
    [option.messageType, Uint8Array.of(messageType.release)],
    [option.serverId, addressToBytes(server)],
    [option.clientId, identityOf(client)],
  ]);
  const { mac } = client.interface;
  const message = { transactionId: newTransaction(), seconds: 0, broadcast: false, mac, options };
  wire.send(encodeMessage({ ...message, clientAddress: ack.yourAddress }));
}

/** What became of an attempt, for the log and for errors. */
export function describeFailure(outcome: Refused | 'nobody' | 'no answer'): string {
  if (outcome === 'nobody') return 'no server offered an address';
  if (outcome === 'no answer') return 'a server offered an address and did not answer the request for it';
  return `the server refused the request${outcome.refusal === '' ? '' : `: ${outcome.refusal}`}`;
}

/** `10.1.0.9 of server 10.1.0.1`. */
export function describeGrant({ message }: Granted): string {
  const server = serverOf({ ack: message });
  return `${formatAddress(message.yourAddress)}${server === undefined ? '' : ` of server ${formatAddress(server)}`}`;
}
