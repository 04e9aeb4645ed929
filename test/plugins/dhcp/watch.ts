/** What clients really send: every DHCP message that arrives at the other host, read from its link. */
import { openNetns } from '../../../src/kernel/netns/netns.ts';
import { openPacketSocket } from '../../../src/kernel/socket/packet.ts';
import { addressFromBytes, formatAddress, type IpAddress } from '../../../src/lib/ip.ts';
import { macFromBytes } from '../../../src/lib/mac.ts';
import { ip } from '../../support/container.ts';
import { neighbour } from '../../support/segment.ts';

/** A message of a client, with the addresses of its frame and of its packet. */
export interface Seen {
  readonly toMac: string;
  readonly from: string;
  readonly to: string;
  readonly broadcast: boolean;
  readonly clientAddress: string;
  /** Option 53. */
  readonly type: number;
  /** By code, without 53. */
  readonly options: ReadonlyMap<number, Uint8Array>;
}

/** Begins to watch. `using` ends it. */
export async function watchClients(): Promise<
  Disposable & { seen(): readonly Seen[]; of(type: number): readonly Seen[] }
> {
  const [{ ifindex } = {}] = await ip(neighbour.netns, 'link', 'show', 'eth0');
  const netns = openNetns(neighbour.netns);
  const socket = openPacketSocket({ link: Number(ifindex), etherType: 0x0800 }, netns);
  netns.close();
  const all: Seen[] = [];
  const seen = () => {
    for (let frame = socket.receiveNow(); frame !== undefined; frame = socket.receiveNow()) {
      const message = read(frame);
      if (message !== undefined) all.push(message);
    }
    return all;
  };
  const timer = setInterval(seen, 20);
  return {
    seen,
    of: (type) => seen().filter((message) => message.type === type),
    [Symbol.dispose]() {
      clearInterval(timer);
      socket.close();
    },
  };
}

/** Written for what Fairlead sends: IPv4 without options, one message in one packet. */
function read(frame: Uint8Array): Seen | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < 282 || frame[14] !== 0x45 || frame[23] !== 17 || view.getUint16(36) !== 67)
    return undefined;
  const address = (at: number) => formatAddress(addressFromBytes(frame.subarray(at, at + 4)) as IpAddress);
  const options = new Map<number, Uint8Array>();
  for (let at = 282; frame[at] !== 255 && at < frame.length; at += 2 + (frame[at + 1] ?? 0)) {
    const value = frame.slice(at + 2, at + 2 + (frame[at + 1] ?? 0));
    options.set(frame[at] ?? 0, value);
  }
  const type = options.get(53)?.[0] ?? 0;
  options.delete(53);
  return {
    toMac: macFromBytes(frame.subarray(0, 6)),
    from: address(26),
    to: address(30),
    broadcast: (view.getUint16(52) & 0x8000) !== 0,
    clientAddress: address(54),
    type,
    options,
  };
}
