/** Why a device is not on the node. Loaded for the error only. */
import { CniError } from '../../../cni/index.ts';
import { NETLINK_ROUTE, openConnection } from '../../../kernel/netlink/connection.ts';
import { openNetns } from '../../../kernel/netns/netns.ts';
import { type Link, listLinks } from '../../../kernel/rtnetlink/link.ts';
import { existsSync, readdirSync } from '../../../kernel/sys/file.ts';
import { openNode } from '../../../plugin/namespaces.ts';
import { aliased } from './came-back.ts';
import { named, type Selector } from './config.ts';
import { deviceDirectory, linkNamesOf } from './sysfs.ts';

/** Where runtimes and iproute2 keep namespaces' files. */
const namespaces = '/run/netns';

/** The error for a device that the node has not: 11 where somebody else has it, 7 where nobody does. */
export function missingDevice(selector: Selector): CniError {
  const { key } = selector;
  return key === 'device' || key === 'hwaddr' ? missingLink(selector) : missingInSysfs(selector);
}

function missingLink(selector: Selector): CniError {
  const { key, value } = selector;
  const what = key === 'device' ? `interface ${value}` : `interface with hardware address ${value}`;
  const missing = (details = '') =>
    new CniError('invalidConfig', `${named(selector)}: there is no ${what} on the node`, details);
  using node = openNode();
  // One that came back by itself, and that somebody has set up under the name that it came with.
  const renamed = key === 'device' ? aliased(node, value)?.name : undefined;
  if (renamed !== undefined) {
    return missing(
      `${renamed} has the alias ${value}: if it is that device, set it down (ip link set ${renamed} down), and it gets its name again`,
    );
  }
  const holder = findHolder((link) => (key === 'device' ? mayBe(link, value) : link.mac === value));
  if (holder === undefined) return missing();
  return new CniError(
    'tryAgainLater',
    `${named(selector)}: ${value} is in ${holder.path} as ${holder.link.name}; a device can be in one container at a time`,
    'it comes back when that container is removed',
  );
}

/** By its alias; one that somebody moved by hand has its name, as many a container's own link has, but no kind. */
function mayBe({ name, alias, kindName }: Link, device: string): boolean {
  return alias === device || (name === device && kindName === undefined);
}

/** The first named namespace with such a link. One that cannot be read says nothing. */
function findHolder(is: (link: Link) => boolean): { readonly path: string; readonly link: Link } | undefined {
  if (!existsSync(namespaces)) return undefined;
  for (const name of readdirSync(namespaces).sort()) {
    const path = `${namespaces}/${name}`;
    const link = linksIn(path).find(is);
    if (link !== undefined) return { path, link };
  }
  return undefined;
}

function linksIn(path: string): readonly Link[] {
  try {
    const netns = openNetns(path);
    try {
      const connection = openConnection(NETLINK_ROUTE, netns);
      try {
        return listLinks(connection);
      } finally {
        connection.close();
      }
    } finally {
      netns.close();
    }
  } catch {
    return [];
  }
}

function missingInSysfs(selector: Selector): CniError {
  const { key, value } = selector;
  const directory = deviceDirectory(selector);
  if (directory === undefined) {
    const what = {
      kernelpath: `there is no ${value}`,
      pciBusID: `there is no PCI device ${value}`,
      'runtimeConfig.deviceID': `there is neither a PCI nor an auxiliary device ${value}`,
    };
    return new CniError('invalidConfig', `${named(selector)}: ${what[key as keyof typeof what]}`);
  }
  if (linkNamesOf(directory) === undefined) {
    return new CniError(
      'invalidConfig',
      `${named(selector)}: ${value} has no network interface`,
      `there is no directory ${directory}/net: it is no network device, or has no driver`,
    );
  }
  return new CniError(
    'tryAgainLater',
    `${named(selector)}: ${value} has no interface on the node: another container has it`,
    'it comes back when that container is removed',
  );
}
