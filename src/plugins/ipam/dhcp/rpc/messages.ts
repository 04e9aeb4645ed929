/** The messages between plugin and daemon: Go's net/rpc with the reference's types (skel.CmdArgs, types/100 Result). */
import type { Dns, IpConfig, Result, Route } from '../../../../cni/index.ts';
import {
  addressBits,
  addressFromBytes,
  addressToBytes,
  formatAddress,
  formatPrefix,
  type IpAddress,
  netmask,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../../../lib/ip.ts';
import { GobError, type GobType, type GobValue } from './gob.ts';

/** The socket where the daemon listens if nobody says otherwise: the reference's. */
export const defaultSocketPath = '/run/cni/dhcp.sock';

/** What net/rpc over HTTP begins with (net/rpc/server.go, DefaultRPCPath and connected). */
export const greeting = 'CONNECT /_goRPC_ HTTP/1.0\n\n';
export const welcome = 'HTTP/1.0 200 Connected to Go RPC\n\n';

/**
 * What the daemon does. The reference's has the first two; its answer to the others begins with `noSuchService`, and so
 * a plugin of ours knows whom it talks to.
 */
export const methods = {
  allocate: 'DHCP.Allocate',
  release: 'DHCP.Release',
  check: 'Fairlead.Check',
  collect: 'Fairlead.Collect',
} as const;
export const noSuchService = "rpc: can't find ";

/** net/rpc's header of a question. */
export const requestType: GobType = {
  name: 'Request',
  fields: [
    ['ServiceMethod', 'string'],
    ['Seq', 'uint'],
  ],
};

/** net/rpc's header of an answer. */
export const responseType: GobType = {
  name: 'Response',
  fields: [
    ['ServiceMethod', 'string'],
    ['Seq', 'uint'],
    ['Error', 'string'],
  ],
};

/** What follows a header that says an error, and the answer to `release`. */
export const emptyType: GobType = { name: '', fields: [] };

/** skel.CmdArgs. */
export const argumentsType: GobType = {
  name: 'CmdArgs',
  fields: [
    ['ContainerID', 'string'],
    ['Netns', 'string'],
    ['IfName', 'string'],
    ['Args', 'string'],
    ['Path', 'string'],
    ['NetnsOverride', 'string'],
    ['StdinData', 'bytes'],
  ],
};

/** What a plugin was called with. */
export interface CallArguments {
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  /** CNI_ARGS. */
  readonly args: string;
  /** The configuration as it came. */
  readonly stdin: Uint8Array;
}

/** As skel.CmdArgs. */
export function encodeArguments({ containerId, netns, ifname, args, stdin }: CallArguments): GobValue {
  return { ContainerID: containerId, Netns: netns, IfName: ifname, Args: args, StdinData: stdin };
}

/** From skel.CmdArgs. Throws GobError for anything else. */
export function decodeArguments(value: GobValue): CallArguments {
  const stdin = fieldOf(value, 'StdinData');
  return {
    containerId: textOf(value, 'ContainerID'),
    netns: textOf(value, 'Netns'),
    ifname: textOf(value, 'IfName'),
    args: textOf(value, 'Args'),
    stdin: stdin instanceof Uint8Array ? stdin : new Uint8Array(),
  };
}

const textList: GobType = { list: 'string' };
const networkType: GobType = {
  name: 'IPNet',
  fields: [
    ['IP', 'bytes'],
    ['Mask', 'bytes'],
  ],
};
const addressType: GobType = {
  name: 'IPConfig',
  fields: [
    ['Interface', 'int'],
    ['Address', networkType],
    ['Gateway', 'bytes'],
  ],
};
const routeType: GobType = {
  name: 'Route',
  fields: [
    ['Dst', networkType],
    ['GW', 'bytes'],
    ['MTU', 'int'],
    ['AdvMSS', 'int'],
    ['Priority', 'int'],
    ['Table', 'int'],
    ['Scope', 'int'],
  ],
};
const dnsType: GobType = {
  name: 'DNS',
  fields: [
    ['Nameservers', textList],
    ['Domain', 'string'],
    ['Search', textList],
    ['Options', textList],
  ],
};

/**
 * Result of the library's types/100, without interfaces, which an IPAM plugin names none of, and without its version: the
 * reference's plugin has set that of its own library, which an older one could not convert another one to.
 */
export const resultType: GobType = {
  name: 'Result',
  fields: [
    ['IPs', { list: addressType }],
    ['Routes', { list: routeType }],
    ['DNS', dnsType],
  ],
};

/** As Result. */
export function encodeResult({ ips = [], routes = [], dns = {} }: Result): GobValue {
  return {
    IPs: ips.map(({ address, gateway }) => ({
      Address: encodeNetwork(address),
      Gateway: encodeAddress(gateway),
    })),
    Routes: routes.map(({ dst, gw, mtu, advmss, priority, table, scope }) => ({
      Dst: encodeNetwork(dst),
      GW: encodeAddress(gw),
      MTU: mtu,
      AdvMSS: advmss,
      Priority: priority,
      Table: table,
      Scope: scope,
    })),
    DNS: { Nameservers: dns.nameservers, Domain: dns.domain, Search: dns.search, Options: dns.options },
  };
}

function encodeNetwork(text: string): GobValue {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new GobError(`"${text}" is no address with a prefix length`);
  const { address, length } = prefix;
  return { IP: addressToBytes(address), Mask: addressToBytes(netmask(address.family, length)) };
}

function encodeAddress(text: string | undefined): Uint8Array | undefined {
  const address = text === undefined ? undefined : parseAddress(text);
  return address && addressToBytes(address);
}

/** From Result. Throws GobError for anything else. */
export function decodeResult(value: GobValue): Result {
  const dns = decodeDns(fieldOf(value, 'DNS') ?? {});
  return {
    ips: listOf(value, 'IPs').map(decodeAddress),
    routes: listOf(value, 'Routes').map(decodeRoute),
    ...(Object.keys(dns).length > 0 && { dns }),
  };
}

function decodeAddress(value: GobValue): IpConfig {
  const gateway = addressOf(fieldOf(value, 'Gateway'));
  return {
    address: formatPrefix(networkOf(fieldOf(value, 'Address'))),
    ...(gateway && { gateway: formatAddress(gateway) }),
  };
}

function decodeRoute(value: GobValue): Route {
  const gateway = addressOf(fieldOf(value, 'GW'));
  const numbers = {
    mtu: numberOf(value, 'MTU'),
    advmss: numberOf(value, 'AdvMSS'),
    priority: numberOf(value, 'Priority'),
    table: numberOf(value, 'Table'),
    scope: numberOf(value, 'Scope'),
  };
  const given = Object.entries(numbers).filter(([, number]) => number !== undefined);
  return {
    dst: formatPrefix(networkOf(fieldOf(value, 'Dst'))),
    ...(gateway && { gw: formatAddress(gateway) }),
    ...(Object.fromEntries(given) as Partial<Route>),
  };
}

function decodeDns(value: GobValue): Dns {
  const texts = (name: string) => listOf(value, name).filter((item) => typeof item === 'string');
  const [nameservers, search, options] = [texts('Nameservers'), texts('Search'), texts('Options')];
  const domain = textOf(value, 'Domain');
  return {
    ...(nameservers.length > 0 && { nameservers }),
    ...(domain !== '' && { domain }),
    ...(search.length > 0 && { search }),
    ...(options.length > 0 && { options }),
  };
}

/** An address of net.IP: 4 or 16 bytes, and IPv4's may have the 16 of its mapped form. */
function addressOf(value: GobValue | undefined): IpAddress | undefined {
  if (!(value instanceof Uint8Array) || value.length === 0) return undefined;
  const address = addressFromBytes(value);
  if (address === undefined) throw new GobError(`an address of ${value.length} bytes`);
  const isMapped = address.family === 6 && address.value >> 32n === 0xffffn;
  return isMapped ? { family: 4, value: address.value & 0xffff_ffffn } : address;
}

/** An address with its mask, net.IPNet. */
function networkOf(value: GobValue | undefined): Prefix {
  const [address, mask] = [addressOf(fieldOf(value, 'IP')), fieldOf(value, 'Mask')];
  if (address === undefined || !(mask instanceof Uint8Array))
    throw new GobError('a network without address or mask');
  const bits = addressBits(address.family);
  const own = mask.subarray(mask.length - bits / 8);
  const length = [...own].reduce((count, byte) => count + byte.toString(2).replaceAll('0', '').length, 0);
  return { address, length };
}

/** A field of a structure. Throws GobError where the value is none. */
export function fieldOf(value: GobValue | undefined, name: string): GobValue | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array)
    throw new GobError(`no structure with a field ${name}`);
  return (value as Readonly<Record<string, GobValue>>)[name];
}

/** A field that is a text, empty where it is not there. */
export function textOf(value: GobValue, name: string): string {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : '';
}

/** A field that is a number. */
export function numberOf(value: GobValue, name: string): number | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'number' ? field : undefined;
}

function listOf(value: GobValue, name: string): readonly GobValue[] {
  const field = fieldOf(value, name);
  return Array.isArray(field) ? field : [];
}
