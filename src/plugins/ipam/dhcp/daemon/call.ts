/** What a plugin's call says, ours or the reference's: the names, and the configuration as it came. */
import { identifierProblem, interfaceNameProblem } from '../../../../cni/index.ts';
import { textFromBytes } from '../../../../lib/bytes.ts';
import { type DhcpConfig, dhcpSchema } from '../config.ts';
import type { Lease } from '../lease.ts';
import type { CallArguments } from '../rpc/messages.ts';

/** A plugin's call, understood. */
export interface Call extends Pick<Lease, 'attachment'> {
  readonly args: CallArguments;
  readonly config: DhcpConfig;
}

/**
 * The reference's plugin sends what it was called with as it came. DEL needs no more than the names, whatever else is
 * wrong. Throws an Error that says what is.
 */
export function callOf(args: CallArguments, needs?: 'only its names'): Call {
  const { containerId, ifname } = args;
  const json = configIn(args);
  const network = typeof json.name === 'string' ? json.name : '';
  const problem = [
    identifierProblem(containerId),
    identifierProblem(network),
    interfaceNameProblem(ifname),
  ].find((one) => one !== undefined);
  if (problem !== undefined) throw new Error(`container id, network name or interface name ${problem}`);
  const config = readConfig(needs === undefined ? json : {});
  return { args, attachment: { containerId, network, ifname }, config };
}

function configIn({ stdin }: CallArguments): Readonly<Record<string, unknown>> {
  const json: unknown = JSON.parse(textFromBytes(stdin));
  if (typeof json !== 'object' || json === null) throw new Error('the configuration is no JSON object');
  return json as Readonly<Record<string, unknown>>;
}

function readConfig(json: object): DhcpConfig {
  const problems: { readonly path: readonly (string | number)[]; readonly message: string }[] = [];
  const config = dhcpSchema.read(json, [], problems as never);
  const [first] = problems;
  if (config === undefined || first !== undefined)
    throw new Error(`\`${first?.path.join('.')}\` of plugin \`dhcp\` ${first?.message}`);
  return config;
}

/** What GC's configuration says. Throws an Error where it says nothing. */
export function validityIn(args: CallArguments): {
  readonly network: string;
  readonly isValid: (lease: Lease) => boolean;
} {
  const json = configIn(args);
  const list: unknown = json['cni.dev/valid-attachments'] ?? json['cni.dev/attachments'];
  if (!Array.isArray(list) || typeof json.name !== 'string')
    throw new Error(
      '`cni.dev/valid-attachments` is missing: GC needs the list of the attachments that still exist',
    );
  const valid = new Set(
    list.map(
      (one: { containerID?: unknown; ifname?: unknown } | null) => `${one?.containerID} ${one?.ifname}`,
    ),
  );
  const isValid = ({ attachment: { containerId, ifname } }: Lease) => valid.has(`${containerId} ${ifname}`);
  return { network: json.name, isValid };
}
