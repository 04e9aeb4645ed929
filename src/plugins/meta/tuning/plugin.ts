/** tuning: changes settings of a container's interface and its namespace. A drop-in for the reference's. */
import {
  type AddRequest,
  type AttachmentInNamespace,
  type CheckRequest,
  CniError,
  type DelRequest,
  definePlugin,
  type GcRequest,
  type Interface,
  type Result,
  type StatusRequest,
} from '../../../cni/index.ts';
import type { Connection } from '../../../kernel/netlink/connection.ts';
import { isNetlinkError } from '../../../kernel/netlink/error.ts';
import { getLink, type Link } from '../../../kernel/rtnetlink/link.ts';
import { changeLinkRequest } from '../../../kernel/rtnetlink/link-change.ts';
import { setSysctl } from '../../../kernel/sysctl/index.ts';
import { openContainer, openContainerIfThere } from '../../../plugin/namespaces.ts';
import { refuseProblems, runAll } from '../../../plugin/steps.ts';
import { chainedLink, chainedResult } from '../../shared/chained.ts';
import { refuseForbidden } from './allow-list.ts';
import { backupPath, hasBackup, keepBackup, readBackup, removeBackup, removeOthers } from './backup.ts';
import { dataDirOf, type LinkTuning, type TuningConfig, tuningOf, tuningSchema } from './config.ts';
import { applySysctls, sysctlProblems } from './sysctls.ts';

export const plugin = definePlugin({
  name: 'tuning',
  about: "changes settings of a container's interface and of its network namespace",
  config: tuningSchema,
  add,
  del,
  check,
  gc,
  status,
});

function add(request: AddRequest<TuningConfig>): Result {
  const { attachment, config } = request;
  const previous = chainedResult(request);
  const { sysctls, link: tuning } = tuningOf(request, attachment.ifname);
  refuseForbidden(sysctls);
  using container = openContainer(attachment);
  const link = chainedLink(container, attachment);
  applySysctls(sysctls, container.netns, (path, before) => {
    request.onFailure(`setting sysctl ${path}`, () => setBack(attachment, path, before));
  });
  if (Object.keys(tuning).length > 0) {
    request.onFailure('changing the interface', () => del(request));
    keepBackup(dataDirOf(config), attachment, link, tuning);
    changeOneByOne(container, link, tuning);
  }
  return { ...previous, ...withMac(previous, attachment.ifname, tuning.mac) };
}

function setBack(attachment: AttachmentInNamespace, path: string, value: string): void {
  using container = openContainer(attachment);
  setSysctl(path, value, { netns: container.netns });
}

/** Each setting is a request of its own, so that an error says which the kernel refuses; all are one step. */
function changeOneByOne(container: Connection, link: Link, tuning: LinkTuning): void {
  const { mac, promisc, mtu, allMulticast, txQueueLength } = tuning;
  const settings: LinkTuning[] = [{ mac }, { promisc }, { mtu }, { allMulticast }, { txQueueLength }];
  const given = settings.filter((one) => Object.values(one).some((value) => value !== undefined));
  if (given.length > 0) container.requestAll(given.map((one) => changeLinkRequest(link, one)));
}

function withMac(
  { interfaces }: Result,
  ifname: string,
  mac: string | undefined,
): Pick<Result, 'interfaces'> {
  if (mac === undefined || interfaces === undefined) return {};
  const isOwn = ({ name, sandbox }: Interface) => name === ifname && sandbox !== undefined;
  return { interfaces: interfaces.map((one) => (isOwn(one) ? { ...one, mac } : one)) };
}

/** Gives the interface back what it was. The file goes whatever becomes of that: a second DEL has nothing more to do. */
async function del({
  attachment,
  config,
}: AddRequest<TuningConfig> | DelRequest<TuningConfig>): Promise<void> {
  const dataDir = dataDirOf(config);
  await runAll([
    () => {
      using container = openContainerIfThere(attachment);
      const link = container && getLink(container, attachment.ifname);
      const before = link && readBackup(dataDir, attachment);
      if (container !== undefined && link !== undefined && before !== undefined)
        restore(container, link, before);
    },
    () => removeBackup(dataDir, attachment),
  ]);
}

function restore(container: Connection, link: Link, before: LinkTuning): void {
  try {
    changeOneByOne(container, link, before);
  } catch (error) {
    if (!isNetlinkError(error, 'ENODEV')) throw error;
  }
}

function check(request: CheckRequest<TuningConfig>): void {
  const { attachment, config } = request;
  const { sysctls, link: tuning } = tuningOf(request, attachment.ifname);
  using container = openContainer(attachment);
  const link = getLink(container, attachment.ifname);
  const dataDir = dataDirOf(config);
  const isKept = Object.keys(tuning).length === 0 || hasBackup(dataDir, attachment);
  refuseProblems([
    ...sysctlProblems(sysctls, container.netns),
    ...(link === undefined ? [`interface ${attachment.ifname} does not exist`] : linkProblems(link, tuning)),
    ...(isKept ? [] : [`${backupPath(dataDir, attachment)} is missing: DEL cannot restore the interface`]),
  ]);
}

function linkProblems(link: Link, { mac, promisc, mtu, allMulticast, txQueueLength }: LinkTuning): string[] {
  const compare = <T>(what: string, wanted: T | undefined, found: T) =>
    wanted === undefined || wanted === found
      ? []
      : [`interface ${link.name} has ${what} ${found}, it should be ${wanted}`];
  const onOff = (value: boolean) => (value ? 'on' : 'off');
  return [
    ...compare('hardware address', mac, link.mac),
    ...compare('promiscuous mode', promisc && onOff(promisc), onOff(link.flags.promisc)),
    ...compare('MTU', mtu, link.mtu),
    ...compare(
      'all-multicast mode',
      allMulticast === undefined ? undefined : onOff(allMulticast),
      onOff(link.flags.allMulticast),
    ),
    ...compare('transmit queue length', txQueueLength, link.txQueueLength),
  ];
}

function gc({ network, validAttachments, config }: GcRequest<TuningConfig>): void {
  removeOthers(dataDirOf(config), network, validAttachments);
}

function status(request: StatusRequest<TuningConfig>): void {
  try {
    refuseForbidden(tuningOf(request, 'IFNAME').sysctls);
  } catch (error) {
    if (error instanceof CniError) throw new CniError('pluginNotAvailable', error.msg, error.details);
    throw error;
  }
}
