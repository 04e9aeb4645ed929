/** static: gives the addresses that the configuration or the runtime names. A drop-in for the reference's. */
import {
  array,
  type CheckRequest,
  CniError,
  definePlugin,
  type Infer,
  type IpConfig,
  isAtLeast,
  object,
  prefix,
  type Request,
  string,
} from '../../../cni/index.ts';
import {
  containsAddress,
  formatAddress,
  formatPrefix,
  type IpAddress,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../../lib/ip.ts';
import { addressOrEmpty, dnsConfig, routeList } from '../../../plugin/schemas.ts';

const schema = object({
  ipam: object({
    addresses: array(object({ address: prefix(), gateway: addressOrEmpty.optional() })).default([]),
    routes: routeList.default([]),
    dns: dnsConfig.optional(),
  }),
  runtimeConfig: object({ ips: array(string()).optional() }).optional(),
  args: object({ cni: object({ ips: array(string()).optional() }).optional() }).optional(),
});

type StaticConfig = Infer<typeof schema>;

interface StaticAddress {
  readonly address: Prefix;
  readonly gateway?: IpAddress;
}

export const plugin = definePlugin({
  name: 'static',
  about: 'gives the addresses that the configuration or the runtime names',
  config: schema,
  add: (request) => {
    const { routes, dns } = request.config.ipam;
    return {
      ips: addressesOf(request).map(toIpConfig),
      ...(routes.length > 0 ? { routes } : {}),
      ...(dns === undefined ? {} : { dns }),
    };
  },
  del: () => {
    // Nothing is kept.
  },
  check,
  status: (request) => {
    addressesOf(request);
  },
});

/** Every configured address must stand in the result, with its gateway. */
function check(request: CheckRequest<StaticConfig>): void {
  for (const wanted of addressesOf(request).map(toIpConfig)) {
    const found = request.previousResult.ips?.find(({ address }) => address === wanted.address);
    if (found !== undefined && (wanted.gateway === undefined || found.gateway === wanted.gateway)) continue;
    throw new CniError(
      102,
      `address ${wanted.address}${wanted.gateway === undefined ? '' : ` with gateway ${wanted.gateway}`} is configured but not in the result of ADD`,
      'the configuration changed since; delete the container and add it again',
    );
  }
}

function toIpConfig({ address, gateway }: StaticAddress): IpConfig {
  return {
    address: formatPrefix(address),
    ...(gateway === undefined ? {} : { gateway: formatAddress(gateway) }),
  };
}

/**
 * `runtimeConfig.ips`, else `args.cni.ips`, else the configuration's with those of CNI_ARGS `IP` appended; CNI_ARGS
 * `GATEWAY` is the gateway of each address of `IP` in whose network it lies, not of the configuration's.
 */
function addressesOf(request: Request<StaticConfig>): StaticAddress[] {
  const { config } = request;
  const configured = config.ipam.addresses.map(({ address, gateway }): StaticAddress => {
    const router = gateway === undefined ? undefined : parseAddress(gateway);
    return {
      address: parse('ipam.addresses', address),
      ...(router === undefined ? {} : { gateway: router }),
    };
  });
  const fromArgs = withGateways(request.args, listed('CNI_ARGS IP', split(request.args.get('IP'))));
  const chosen = replacing('runtimeConfig.ips', config.runtimeConfig?.ips) ??
    replacing('args.cni.ips', config.args?.cni?.ips) ?? [...configured, ...fromArgs];
  refuseManyForOldVersions(request, chosen);
  return chosen;
}

function replacing(source: string, texts: readonly string[] | undefined): StaticAddress[] | undefined {
  return texts === undefined || texts.length === 0 ? undefined : listed(source, texts);
}

function listed(source: string, texts: readonly string[]): StaticAddress[] {
  return texts.map((text) => ({ address: parse(source, text) }));
}

function withGateways(args: ReadonlyMap<string, string>, addresses: StaticAddress[]): StaticAddress[] {
  const gateways = split(args.get('GATEWAY')).map((text) => {
    const gateway = parseAddress(text);
    if (gateway === undefined) throw invalid('CNI_ARGS GATEWAY', `must be an IP address, got "${text}"`);
    return gateway;
  });
  return addresses.map((one) => {
    const gateway = gateways.findLast((candidate) => containsAddress(one.address, candidate));
    return gateway === undefined ? one : { address: one.address, gateway };
  });
}

function split(list: string | undefined): string[] {
  return list === undefined || list === '' ? [] : list.split(',').map((item) => item.trim());
}

function parse(source: string, text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) {
    throw invalid(source, `must be an address with a prefix length such as "10.1.0.5/16", got "${text}"`);
  }
  return parsed;
}

/** Results before 0.3.0 hold one address a family (SPEC.md 0.2.0, "Result"). */
function refuseManyForOldVersions(
  { cniVersion }: Request<StaticConfig>,
  addresses: readonly StaticAddress[],
): void {
  const count = (family: number) =>
    addresses.filter(({ address }) => address.address.family === family).length;
  if (isAtLeast(cniVersion, '0.3.0') || (count(4) <= 1 && count(6) <= 1)) return;
  throw invalid(
    'ipam.addresses',
    `version ${cniVersion} allows one address a family; use \`cniVersion\` 0.3.0 or later for more`,
  );
}

function invalid(where: string, what: string): CniError {
  const code = where.startsWith('CNI_ARGS') ? 'invalidEnvironment' : 'invalidConfig';
  return new CniError(code, `\`${where}\` of plugin \`static\`: ${what}`);
}
