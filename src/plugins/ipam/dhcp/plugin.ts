/** dhcp: gives addresses that a DHCP server leases; a daemon on the node keeps the leases. A drop-in for the reference's. */
import {
  type AddRequest,
  type Attachment,
  type CheckRequest,
  CniError,
  type DelRequest,
  definePlugin,
  type GcRequest,
  messageOf,
  type Request,
  type Result,
  type StatusRequest,
} from '../../../cni/index.ts';
import { getLink } from '../../../kernel/rtnetlink/link.ts';
import { bytesFromText } from '../../../lib/bytes.ts';
import { openContainer } from '../../../plugin/namespaces.ts';
import { differsCode } from '../../../plugin/steps.ts';
import { clientOptionsOf, type DhcpConfig, dhcpSchema, socketPathOf } from './config.ts';
import { connectDaemon, type DaemonConnection, daemonSays, NoDaemonError } from './rpc/client.ts';
import type { GobValue } from './rpc/gob.ts';
import { type CallArguments, decodeResult, methods } from './rpc/messages.ts';

export const plugin = definePlugin({
  name: 'dhcp',
  about: 'gives addresses that a DHCP server leases; the daemon `dhcp daemon` keeps the leases',
  config: dhcpSchema,
  add,
  del,
  check,
  gc,
  status,
});

/** Longer than any daemon tries, with flags that are not out of all reason. In milliseconds. */
const longest = 15 * 60 * 1000;
/** What does not wait for servers takes no time; a daemon that takes longer stands still. */
const soon = 10_000;

async function add(request: AddRequest<DhcpConfig>): Promise<Result> {
  const { attachment } = request;
  refuseNoInterface(attachment);
  const args = argumentsOf(request, attachment);
  // Said here, where the error has its code.
  clientOptionsOf(request.config, args.args);
  using daemon = await connect(request);
  // The daemon may have acquired it and be killed before it says so.
  request.onFailure('the lease', () => giveBack(request, attachment));
  const answer = await daemon.ask(methods.allocate, args, longest);
  return withPriority(resultIn(answer), request.config);
}

/** A DHCP client needs its interface. Throws a `CniError` (7, 8). */
function refuseNoInterface(attachment: { readonly ifname: string; readonly netns: string }): void {
  using container = openContainer(attachment);
  if (getLink(container, attachment.ifname) !== undefined) return;
  throw new CniError(
    'invalidConfig',
    `\`ipam.type\` dhcp: there is no interface ${attachment.ifname} in ${attachment.netns} to ask a DHCP server over`,
    'the plugin that asks for addresses must make it first, as bridge, macvlan, ipvlan and vlan do',
  );
}

/** Daemons of the reference before 1.6.0 know no priority. */
function withPriority({ routes, ...result }: Result, { ipam: { priority } }: DhcpConfig): Result {
  if (routes === undefined || routes.length === 0) return result;
  return { ...result, routes: priority === 0 ? routes : routes.map((route) => ({ ...route, priority })) };
}

function resultIn(answer: GobValue | undefined): Result {
  if (answer === undefined) throw notADaemon();
  return decodeResult(answer);
}

function notADaemon(): CniError {
  return new CniError('pluginNotAvailable', 'the DHCP daemon does not know how to allocate an address');
}

/** DEL finishes whatever becomes of the daemon and the server. */
async function del(request: DelRequest<DhcpConfig>): Promise<void> {
  await giveBack(request, request.attachment);
}

/**
 * Asks the daemon to give the lease back. Where there is none, or it does not answer, that is done without it: when it
 * is back, it finds no lease.
 */
async function giveBack(request: Request<DhcpConfig>, attachment: Attachment): Promise<void> {
  try {
    using daemon = await connectDaemon(socketPathOf(request.config));
    await daemon.ask(methods.release, argumentsOf(request, attachment), soon);
  } catch {
    const { releaseWithoutDaemon } = await import('./without-daemon.ts');
    releaseWithoutDaemon(socketPathOf(request.config), attachment);
  }
}

/** The lease must be held, and its address be the one that ADD gave. */
async function check(request: CheckRequest<DhcpConfig>): Promise<void> {
  const { attachment, previousResult } = request;
  const args = argumentsOf(request, attachment);
  using daemon = await connect(request);
  const [held] = resultIn(await askToCheck(daemon, args)).ips ?? [];
  if (held !== undefined && previousResult.ips?.some(({ address }) => address === held.address)) return;
  throw new CniError(
    differsCode,
    `the lease of container ${attachment.containerId}, interface ${attachment.ifname} is for ${held?.address}, which the result of ADD does not have`,
    'delete the container and add it again',
  );
}

/** The reference's daemon has no other way to look than to allocate. */
async function askToCheck(daemon: DaemonConnection, args: CallArguments): Promise<GobValue | undefined> {
  try {
    return (
      (await daemon.ask(methods.check, args, soon)) ?? (await daemon.ask(methods.allocate, args, longest))
    );
  } catch (error) {
    if (!(error instanceof CniError) || !error.msg.startsWith(daemonSays)) throw error;
    throw new CniError(differsCode, error.msg, error.details);
  }
}

/** The reference's daemon has no GC; then there is nothing to do. */
async function gc(request: GcRequest<DhcpConfig>): Promise<void> {
  const args = { ...noAttachment, stdin: bytesFromText(JSON.stringify(request.rawConfig)) };
  const path = socketPathOf(request.config);
  try {
    using daemon = await connectDaemon(path);
    await daemon.ask(methods.collect, args, soon);
  } catch (error) {
    if (!(error instanceof NoDaemonError)) throw error;
    const { collectWithoutDaemon } = await import('./without-daemon.ts');
    collectWithoutDaemon(path, request.network, request.validAttachments);
  }
}

const noAttachment = { containerId: '', netns: '', ifname: '', args: '' };

async function status(request: StatusRequest<DhcpConfig>): Promise<void> {
  (await connect(request))[Symbol.dispose]();
}

/** Throws a `CniError` (50) that says what to start. */
async function connect({ config }: Request<DhcpConfig>): Promise<DaemonConnection> {
  const path = socketPathOf(config);
  try {
    return await connectDaemon(path);
  } catch (error) {
    const isAbsent = error instanceof NoDaemonError;
    throw new CniError(
      'pluginNotAvailable',
      `the DHCP daemon cannot be reached on ${path}: ${messageOf(error)}`,
      isAbsent
        ? 'start it: `dhcp daemon`, or the units cni-dhcp.socket and cni-dhcp.service'
        : 'end what listens there, and start `dhcp daemon`',
    );
  }
}

function argumentsOf(
  request: Request<DhcpConfig>,
  attachment: Attachment & { readonly netns?: string },
): CallArguments {
  const { containerId, ifname, netns = '' } = attachment;
  const args = [...request.args].map(([key, value]) => `${key}=${value}`).join(';');
  return { containerId, ifname, netns, args, stdin: bytesFromText(JSON.stringify(request.rawConfig)) };
}
