/**
 * A small CNI plugin, written for these tests from the specification alone: it puts a bridge without ports as
 * CNI_IFNAME into the container, with one of five addresses and a route. It is right as it is; each of faults.ts makes
 * it wrong in one way. It uses nothing of src/cni, which is what a plugin of ours would be made of.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { NETLINK_ROUTE, openConnection, openNetns, rtnetlink } from '../../../src/kernel/index.ts';
import type { Connection } from '../../../src/kernel/netlink/connection.ts';
import { formatPrefix, parseAddress, parsePrefix } from '../../../src/lib/ip.ts';

export type Json = Record<string, unknown>;

/** What a plugin answers with where it fails. */
export class Failure extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** One call. */
export interface Request {
  readonly command: string;
  readonly id: string;
  readonly ifname: string;
  readonly netns: string;
  readonly config: Json;
  readonly version: string;
}

/** What can be wrong. */
export interface Behaviour {
  readonly versions: readonly string[];
  version(stdin: string): Json;
  requires(command: string): readonly string[];
  /** Refuses what is wrong in the environment. */
  checkEnvironment(command: string): void;
  parse(stdin: string): Json;
  checkConfig(config: Json, command: string): void;
  allocate(request: Request): Promise<string> | string;
  beforeAdd(request: Request, connection: Connection): void;
  add(request: Request): Promise<Json>;
  /** The last word on what ADD prints. */
  result(result: Json, request: Request): Json;
  release(request: Request): void;
  del(request: Request): Promise<void> | void;
  check(request: Request): void;
  gc(request: Request): void;
  status(request: Request): void;
  print(json: Json, command: string): void;
  error(failure: Failure, version: string): Json;
  exitCode(): number;
}

export const store = '/var/lib/cni/wrong';
const allVersions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];
const addresses = [2, 3, 4, 5, 6].map((host) => `10.96.0.${host}`);
const gateway = '10.96.0.1';
const dst = '198.51.100.0/24';
const env = process.env;

/** Runs something in the container. Fails where the namespace cannot be opened. */
export function inside<T>(netns: string, call: (connection: Connection) => T): T {
  const place = openNetns(netns);
  try {
    const connection = openConnection(NETLINK_ROUTE, place);
    try {
      return call(connection);
    } finally {
      connection.close();
    }
  } finally {
    place.close();
  }
}

/** Who has which address. */
export function reservations(): readonly { readonly address: string; readonly owner: string }[] {
  mkdirSync(store, { recursive: true });
  const taken = readdirSync(store).filter((name) => addresses.includes(name));
  return taken.map((address) => ({ address, owner: readFileSync(`${store}/${address}`, 'utf8') }));
}

export const ownerOf = ({ id, ifname }: Pick<Request, 'id' | 'ifname'>) => `${id} ${ifname}`;

const chainedMark = ({ id }: Request) => `${store}/chained-${id}`;

function reserve(request: Request): string {
  mkdirSync(store, { recursive: true });
  for (const address of addresses) {
    try {
      const fd = openSync(`${store}/${address}`, 'wx');
      writeFileSync(fd, ownerOf(request));
      closeSync(fd);
      return address;
    } catch {
      // Taken.
    }
  }
  throw new Failure(100, 'no address is left');
}

function makeInterface(
  { netns, ifname }: Request,
  address: string,
  right: Behaviour,
  request: Request,
): string {
  return inside(netns, (connection) => {
    right.beforeAdd(request, connection);
    rtnetlink.createLink(connection, { kind: 'bridge', name: ifname, up: true });
    const link = rtnetlink.getLink(connection, ifname);
    const prefix = parsePrefix(`${address}/24`);
    const to = parsePrefix(dst);
    if (link === undefined || prefix === undefined || to === undefined) throw new Failure(101, 'no link');
    rtnetlink.replaceAddress(connection, link, { prefix });
    rtnetlink.replaceRoute(connection, { dst: to, gateway: parseAddress(gateway), oif: link });
    return link.mac;
  });
}

function present(request: Request): boolean {
  return inside(request.netns, (c) => rtnetlink.getLink(c, request.ifname)) !== undefined;
}

/** What the previous result claims and the kernel does not have. */
export function missing({ netns, config, ifname }: Request): readonly string[] {
  const previous = config.prevResult as { ips?: { address: string }[]; routes?: { dst: string }[] };
  return inside(netns, (connection) => {
    const link = rtnetlink.getLink(connection, ifname);
    const there = rtnetlink.listAddresses(connection).map(({ prefix }) => formatPrefix(prefix));
    const routes = rtnetlink.listRoutes(connection).map((route) => formatPrefix(route.dst));
    return [
      ...(link === undefined ? [ifname] : []),
      ...(previous.ips ?? []).map(({ address }) => address).filter((address) => !there.includes(address)),
      ...(previous.routes ?? []).map((route) => route.dst).filter((route) => !routes.includes(route)),
    ];
  });
}

export const right: Behaviour = {
  versions: allVersions,
  version(stdin) {
    let cniVersion = '1.1.0';
    try {
      cniVersion = String((JSON.parse(stdin) as Json).cniVersion ?? cniVersion);
    } catch {
      // Asked as before 1.0.0, without input.
    }
    return { cniVersion, supportedVersions: this.versions };
  },
  requires: (command) => {
    const of: Record<string, readonly string[]> = {
      ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
      CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
      DEL: ['CNI_CONTAINERID', 'CNI_IFNAME'],
    };
    return of[command] ?? [];
  },
  checkEnvironment(command) {
    if (!['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'].includes(command))
      throw new Failure(4, `CNI_COMMAND is ${command}`);
    for (const name of this.requires(command)) if (!env[name]) throw new Failure(4, `${name} is missing`);
    if (env.CNI_CONTAINERID && !/^[a-zA-Z0-9][\w.-]*$/.test(env.CNI_CONTAINERID))
      throw new Failure(4, 'CNI_CONTAINERID is invalid');
    if (env.CNI_IFNAME && !/^[\w-]{1,15}$/.test(env.CNI_IFNAME))
      throw new Failure(4, 'CNI_IFNAME is invalid');
  },
  parse: (stdin) => {
    try {
      return JSON.parse(stdin) as Json;
    } catch {
      throw new Failure(6, 'the configuration is no JSON');
    }
  },
  checkConfig(config) {
    if (typeof config !== 'object' || config === null || Array.isArray(config))
      throw new Failure(7, 'the configuration is no object');
    if (!this.versions.includes(String(config.cniVersion)))
      throw new Failure(1, `version ${String(config.cniVersion)} is not supported`);
    if (typeof config.name !== 'string' || !/^[a-zA-Z0-9][\w.-]*$/.test(config.name))
      throw new Failure(7, 'name is invalid');
  },
  allocate: reserve,
  beforeAdd: () => {},
  async add(request) {
    const { netns, ifname, version, config } = request;
    if (config.prevResult !== undefined) {
      mkdirSync(store, { recursive: true });
      writeFileSync(chainedMark(request), '');
      return config.prevResult as Json;
    }
    if (present(request)) throw new Failure(102, `${ifname} exists already`);
    const address = await this.allocate(request);
    const mac = makeInterface(request, address, this, request);
    const family = version < '1.0.0' ? { version: '4' } : {};
    return {
      cniVersion: version,
      interfaces: [{ name: ifname, mac, sandbox: netns }],
      ips: [{ ...family, address: `${address}/24`, gateway, interface: 0 }],
      routes: [{ dst, gw: gateway }],
      dns: {},
    };
  },
  result: (result) => result,
  release: (request) => {
    for (const { address, owner } of reservations())
      if (owner === ownerOf(request)) rmSync(`${store}/${address}`);
  },
  del(request) {
    this.release(request);
    if (existsSync(chainedMark(request))) return; // The interface is another's.
    try {
      inside(request.netns, (connection) => rtnetlink.deleteLink(connection, request.ifname));
    } catch {
      // The namespace or the interface is gone.
    }
  },
  check: (request) => {
    const [first] = missing(request);
    if (first !== undefined) throw new Failure(103, `${first} is missing`);
  },
  gc: ({ config }) => {
    const valid = config['cni.dev/valid-attachments'] as { containerID: string; ifname: string }[];
    const owners = valid.map(({ containerID, ifname }) => `${containerID} ${ifname}`);
    for (const { address, owner } of reservations())
      if (!owners.includes(owner)) rmSync(`${store}/${address}`);
  },
  status: () => {
    if (reservations().length === addresses.length) throw new Failure(50, 'no address is left');
  },
  print: (json) => process.stdout.write(JSON.stringify(json)),
  error: ({ code, message }, cniVersion) => ({ cniVersion, code, msg: message }),
  exitCode: () => 1,
};
