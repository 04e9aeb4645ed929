/** Results as they come from other plugins and runtimes, in any version of the specification. */
import { once } from '../lib/once.ts';
import { CniError } from './error.ts';
import { compact, isJsonObject, type JsonObject, member } from './json.ts';
import { oneError } from './problems.ts';
import type { Result } from './result.ts';
import { compactRoute } from './result-encode.ts';
import * as s from './schema/index.ts';
import { type CniVersion, cniVersions, isAtLeast, isCniVersion } from './version.ts';

/** Where a result came from. */
export interface ResultContext {
  /** The version it has if it does not say so: the configuration's (libcni issue 895). */
  readonly version: CniVersion;
  /** What it is, for messages: `the result of plugin \`host-local\``. */
  readonly subject: string;
}

/** The schemas of results: the newest shape, and that of the versions before 0.3.0. */
const schemas = once(() => {
  const size = s.integer({ min: 0, max: 0xffff_ffff });
  const texts = s.array(s.string());
  // An address, or an empty text where there is none, which Go's decoder takes so.
  const gateway = s.string().map((text) => (text === '' ? text : readAddress(text)), s.address().expected);

  const route = s.object({
    dst: s.prefix(),
    gw: gateway.optional(),
    mtu: size.optional(),
    advmss: size.optional(),
    priority: size.optional(),
    table: size.optional(),
    scope: s.integer({ min: 0, max: 255 }).optional(),
  });

  const dns = s.object({
    nameservers: texts.optional(),
    domain: s.string().optional(),
    search: texts.optional(),
    options: texts.optional(),
  });

  const current = s.object({
    interfaces: s
      .array(
        s.object({
          name: s.string(),
          mac: s.string().optional(),
          mtu: size.optional(),
          sandbox: s.string().optional(),
          socketPath: s.string().optional(),
          pciID: s.string().optional(),
        }),
      )
      .optional(),
    ips: s
      .array(
        s.object({
          address: s.prefix(),
          gateway: gateway.optional(),
          interface: s.integer({ min: 0 }).optional(),
        }),
      )
      .optional(),
    routes: s.array(route).optional(),
    dns: dns.optional(),
  });

  const family010 = s.object({
    ip: s.prefix(),
    gateway: gateway.optional(),
    routes: s.array(route).optional(),
  });
  const legacy = s.object({ ip4: family010.optional(), ip6: family010.optional(), dns: dns.optional() });
  return { current, legacy };
});

/** The result that a JSON value holds. Throws a `CniError` (6) that names everything that is wrong with it. */
export function decodeResult(json: unknown, { version, subject }: ResultContext): Result {
  if (!isJsonObject(json)) throw new CniError('decodingFailure', `${subject} is no JSON object`);
  const problems: s.Problem[] = [];
  const result = readResult(json, versionOfResult(json, { version, subject }), problems);
  if (result !== undefined) return result;
  throw oneError('decodingFailure', problems, (problem) => s.describeProblem(problem), `${subject}: `);
}

/**
 * What is wrong with a result that was made in this process, in the shape of 1.1.0; empty if nothing is. Unlike in
 * results from elsewhere, an address must not name an interface that is not there, but where `previous`, which it
 * continues, has such an address already.
 */
export function problemsOfResult(result: unknown, previous?: Result): s.Problem[] {
  const problems: s.Problem[] = [];
  const read = schemas().current.read(result, [], problems);
  if (previous !== undefined && problemsOfResult(previous).length > 0) return problems;
  const count = read?.interfaces?.length ?? 0;
  for (const [index, ip] of (read?.ips ?? []).entries()) {
    if (ip.interface !== undefined && ip.interface >= count) {
      const message = `is ${ip.interface}, but the result has ${count} interfaces`;
      problems.push({ path: ['ips', index, 'interface'], message });
    }
  }
  return problems;
}

/** The version that a result is in. Throws a `CniError` (6) if it is none that is known. */
export function versionOfResult(json: JsonObject, { version, subject }: ResultContext): CniVersion {
  const own = member(json, 'cniVersion') ?? '';
  if (own === '') return version;
  if (typeof own === 'string' && isCniVersion(own)) return own;
  const known = cniVersions.join(', ');
  throw new CniError(
    'decodingFailure',
    `${subject} has the CNI version ${s.quote(own)}, which is none of ${known}`,
  );
}

function readResult(json: JsonObject, version: CniVersion, problems: s.Problem[]): Result | undefined {
  if (!isAtLeast(version, '0.3.0')) return readLegacy(json, problems);
  const read = schemas().current.read(json, [], problems);
  if (read === undefined) return undefined;
  const newest = isAtLeast(version, '1.0.0');
  return compact({
    interfaces: read.interfaces?.map(({ name, mac, mtu, sandbox, socketPath, pciID }) => ({
      name,
      ...compact(newest ? { mac, mtu, sandbox, socketPath, pciID } : { mac, sandbox }),
    })),
    ips: read.ips?.map((ip) => compact(ip)),
    routes: read.routes?.map(compactRoute),
    dns: read.dns && compact(read.dns),
  });
}

function readLegacy(json: JsonObject, problems: s.Problem[]): Result | undefined {
  const read = schemas().legacy.read(json, [], problems);
  if (read === undefined) return undefined;
  const families = [read.ip4, read.ip6].filter((family) => family !== undefined);
  return compact({
    ips: families.map(({ ip, gateway }) => compact({ address: ip, gateway })),
    routes: families.flatMap(({ routes = [] }) => routes.map(compactRoute)),
    dns: read.dns && compact(read.dns),
  });
}

function readAddress(text: string): string | undefined {
  return s.address().read(text, [], []);
}
