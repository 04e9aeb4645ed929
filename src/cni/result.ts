/**
 * What an attachment has: the "Success" result of SPEC.md section 5. Inside, results are always in the shape of
 * version 1.1.0, spelled as in its JSON; `encodeResult` and `decodeResult` convert from and to every other version.
 */

/** An interface that was made or is used, in the container or on the host. */
export interface Interface {
  /** The interface's name in its namespace. */
  readonly name: string;
  /** Its hardware address, where it has one. */
  readonly mac?: string;
  /** Its MTU in bytes (1.1.0 only). */
  readonly mtu?: number;
  /** The namespace's path when it is in the container; absent on the host. */
  readonly sandbox?: string;
  /** An absolute path to a socket file that belongs to the interface (1.1.0 only). */
  readonly socketPath?: string;
  /** The PCI address of the device (1.1.0 only). */
  readonly pciID?: string;
}

/** An address that was assigned. */
export interface IpConfig {
  /** The address with its prefix length, e.g. `10.1.0.5/16`. */
  readonly address: string;
  /** The default gateway of this subnet, if there is one. */
  readonly gateway?: string;
  /** The index into `interfaces` of the interface that has the address; IPAM plugins leave it out. */
  readonly interface?: number;
}

/** A route in the container. */
export interface Route {
  /** The destination, e.g. `0.0.0.0/0`. */
  readonly dst: string;
  /** The next hop; the gateway of an address is used where there is none. */
  readonly gw?: string;
  /** The path's MTU in bytes. */
  readonly mtu?: number;
  /** The segment size that TCP announces, in bytes. */
  readonly advmss?: number;
  /** The priority (metric); lower is preferred. */
  readonly priority?: number;
  /** The routing table's number. */
  readonly table?: number;
  /** The scope: 0 global, 253 link, 254 host (linux/rtnetlink.h, `RT_SCOPE_*`). */
  readonly scope?: number;
}

/** What a resolver should use. */
export interface Dns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/** What an attachment has; every part may be missing. */
export interface Result {
  readonly interfaces?: readonly Interface[];
  readonly ips?: readonly IpConfig[];
  readonly routes?: readonly Route[];
  readonly dns?: Dns;
}
