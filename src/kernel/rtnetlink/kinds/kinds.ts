/** The link kinds known here, by the kernel's word for them (IFLA_INFO_KIND), with the codec of their data. */
import { attributes } from '../../netlink/attributes.ts';
import { createWriter } from '../../netlink/bytes.ts';
import type { Codec, ValueOf } from '../../netlink/codec.ts';
import { bridge } from './bridge.ts';
import { ipvlan } from './ipvlan.ts';
import { macvlan } from './macvlan.ts';
import { tun } from './tun.ts';
import { veth } from './veth.ts';
import { vlan } from './vlan.ts';
import { vrf } from './vrf.ts';

const nothing = attributes({});

const linkKinds = { bridge, dummy: nothing, ifb: nothing, ipvlan, macvlan, tun, veth, vlan, vrf };

/** A kind that is known here. */
export type LinkKind = keyof typeof linkKinds;

/** What a kind has to say (IFLA_INFO_DATA); as an input, what is absent is not sent. */
export type LinkData<K extends LinkKind> = Readonly<ValueOf<(typeof linkKinds)[K]>>;

/** A kind with its data: the kind tells the type of the data. */
export type KindWithData = { [K in LinkKind]: { readonly kind: K; readonly data: LinkData<K> } }[LinkKind];

/** Encodes a kind's data. Throws CodecError. */
export function encodeLinkData({ kind, data }: KindWithData): Uint8Array {
  const writer = createWriter();
  (linkKinds[kind] as Codec<unknown>).encode(writer, data);
  return writer.finish();
}

/** Whether a kind of the kernel's is known here. */
export function isKnownKind(kind: string | undefined): kind is LinkKind {
  return kind !== undefined && Object.hasOwn(linkKinds, kind);
}

/** Decodes a kind's data. Throws CodecError. */
export function decodeLinkData<K extends LinkKind>(kind: K, data: Uint8Array): LinkData<K> {
  return linkKinds[kind].decode(data) as LinkData<K>;
}
