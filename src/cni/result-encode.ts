/**
 * Results as each version of the specification writes them. The conversions, the order of the keys and what is left
 * out are the reference library's (pkg/types/020, 040, 100): from 1.0.0 on it sorts the keys and leaves an empty
 * `dns` out; before, keys come in the order of the specification and `dns` is always there.
 */
import { CniError } from './error.ts';
import { compact, type JsonObject } from './json.ts';
import type { Dns, Interface, IpConfig, Result, Route } from './result.ts';
import { type CniVersion, isAtLeast } from './version.ts';

/**
 * The result in JSON for a caller that speaks this version. Throws when the version cannot say it: before 0.3.0 a
 * result needs an address, and only the first of each family is kept.
 */
export function encodeResult(result: Result, version: CniVersion): JsonObject {
  if (!isAtLeast(version, '0.3.0') && (result.ips ?? []).length === 0) {
    throw new CniError(
      'internal',
      `a result without addresses cannot be given in CNI version ${version}: use 0.3.0 or newer in the configuration`,
    );
  }
  return encodeAgain(result, version);
}

/** As `encodeResult`, of a result that came in this very version: what it could say there needs no conversion. */
export function encodeAgain(result: Result, version: CniVersion): JsonObject {
  if (isAtLeast(version, '1.0.0')) return encode100(result, version);
  if (isAtLeast(version, '0.3.0')) return encode030(result, version);
  return encode010(result, version);
}

function encode100(result: Result, cniVersion: CniVersion): JsonObject {
  const dns = compact({
    domain: result.dns?.domain,
    nameservers: result.dns?.nameservers,
    options: result.dns?.options,
    search: result.dns?.search,
  });
  return compact({
    cniVersion,
    dns: Object.keys(dns).length === 0 ? undefined : dns,
    interfaces: result.interfaces?.map(interface100),
    ips: result.ips?.map(({ address, gateway, interface: index }) =>
      compact({ address, gateway, interface: index }),
    ),
    routes: result.routes?.map(route100),
  });
}

function interface100({ mac, mtu, name, pciID, sandbox, socketPath }: Interface): JsonObject {
  return { ...compact({ mac, mtu: mtu || undefined }), name, ...compact({ pciID, sandbox, socketPath }) };
}

function route100({ advmss, dst, gw, mtu, priority, scope, table }: Route): JsonObject {
  return compact({
    advmss: advmss || undefined,
    dst,
    gw,
    mtu: mtu || undefined,
    priority: priority || undefined,
    scope,
    table,
  });
}

function encode030(result: Result, cniVersion: CniVersion): JsonObject {
  return {
    cniVersion,
    ...compact({
      interfaces: result.interfaces?.map(({ name, mac, sandbox }) => ({
        name,
        ...compact({ mac, sandbox }),
      })),
      ips: result.ips?.map(({ address, gateway, interface: index }) =>
        compact({ version: familyOf(address), interface: index, address, gateway }),
      ),
      routes: result.routes?.map(compactRoute),
    }),
    dns: dns030(result.dns),
  };
}

/** A route without what is not given: of its numbers, that is what 0 means but for the table and the scope (pkg/types, `Route`). */
export function compactRoute({ dst, gw, mtu, advmss, priority, table, scope }: Route): Route {
  return compact({
    dst,
    gw,
    mtu: mtu || undefined,
    advmss: advmss || undefined,
    priority: priority || undefined,
    table,
    scope,
  });
}

function dns030(dns: Dns = {}): JsonObject {
  return compact({
    nameservers: dns.nameservers,
    domain: dns.domain,
    search: dns.search,
    options: dns.options,
  });
}

function encode010(result: Result, cniVersion: CniVersion): JsonObject {
  const ip4 = family010(result, '4');
  const ip6 = family010(result, '6');
  return { cniVersion, ...compact({ ip4, ip6 }), dns: dns030(result.dns) };
}

function family010(result: Result, family: '4' | '6'): JsonObject | undefined {
  const first: IpConfig | undefined = result.ips?.find(({ address }) => familyOf(address) === family);
  if (first === undefined) return undefined;
  const routes = result.routes?.filter(({ dst }) => familyOf(dst) === family);
  return compact({
    ip: first.address,
    gateway: first.gateway,
    routes: routes?.map(({ dst, gw }) => compact({ dst, gw })),
  });
}

function familyOf(address: string): '4' | '6' {
  return address.includes(':') ? '6' : '4';
}
