/** Namespaces for real: made, entered, removed. As root, in the sandbox that scripts/test.ts makes. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NETLINK_ROUTE, openConnection } from '../../src/kernel/netlink/connection.ts';
import {
  createNetns,
  type NetworkNamespace,
  NotANamespaceError,
  openNetns,
  openOwnNetns,
  removeNetns,
  sameNetns,
} from '../../src/kernel/netns/netns.ts';
import { listLinks } from '../../src/kernel/rtnetlink/link.ts';
import { createLink } from '../../src/kernel/rtnetlink/link-change.ts';
import { setSysctl } from '../../src/kernel/sysctl/index.ts';

let directory: string;
const at = (name: string) => join(directory, name);
const ownInode = () => readlinkSync('/proc/thread-self/ns/net');
/** The namespace that a file opened inside belongs to. */
function insideOf(netns: NetworkNamespace): string {
  const fd = netns.open('/proc/thread-self/ns/net', constants.O_RDONLY);
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
const mounts = () =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(directory));
const descriptors = () => readdirSync('/proc/self/fd').length;
/** umount(8) and mount(8) as an independent hand. */
const run = (...argv: [string, ...string[]]) => execFileSync(argv[0], argv.slice(1));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-netns-'));
});

afterEach(() => {
  for (const name of readdirSync(directory)) {
    while (mounts().some((line) => line.split(' ')[1] === at(name))) run('umount', '-l', at(name));
  }
  rmSync(directory, { recursive: true, force: true });
});

describe('create', () => {
  test('a new namespace with nothing but lo, bound to a file; the process stays where it is', () => {
    const before = ownInode();
    createNetns(at('deep/er/blue'));
    expect(ownInode()).toBe(before);
    using netns = open('deep/er/blue');
    using own = disposable(openOwnNetns());
    expect(sameNetns(netns, own)).toBe(false);
    const connection = openConnection(NETLINK_ROUTE, netns);
    const links = listLinks(connection);
    connection.close();
    expect(links.find(({ index }) => index === 1)).toMatchObject({ name: 'lo', flags: { up: false } });
    // Some kernels put fallback tunnel links into every namespace (net.core.fb_tunnels_only_for_init_net).
    expect(links.every(({ kind }) => kind === undefined)).toBe(true);
    removeNetns(at('deep/er/blue'));
  });

  test('EEXIST when there is a file of that name, which stays as it is', () => {
    writeFileSync(at('taken'), 'mine');
    expect(() => createNetns(at('taken'))).toThrow('EEXIST');
    expect(readFileSync(at('taken'), 'utf8')).toBe('mine');
    expect(mounts()).toEqual([]);
  });

  test('EEXIST for a namespace that is there, which goes on', () => {
    createNetns(at('twice'));
    const inode = statSync(at('twice')).ino;
    expect(() => createNetns(at('twice'))).toThrow('EEXIST');
    expect(statSync(at('twice')).ino).toBe(inode);
  });

  test('iproute2 can work in it', () => {
    createNetns(at('peer'));
    const links = JSON.parse(String(run('nsenter', `--net=${at('peer')}`, 'ip', '-j', 'link')));
    expect(links[0].ifname).toBe('lo');
  });
});

describe('open', () => {
  test('a namespace that iproute2 made', () => {
    run('ip', 'netns', 'add', 'fairlead-other-hand');
    try {
      const netns = openNetns('/run/netns/fairlead-other-hand');
      expect(insideOf(netns)).not.toBe(ownInode());
      netns.close();
    } finally {
      run('ip', 'netns', 'del', 'fairlead-other-hand');
    }
  });

  test('a namespace of another kind is refused when it is entered', () => {
    const netns = openNetns('/proc/self/ns/uts');
    expect(() => insideOf(netns)).toThrow(
      new NotANamespaceError('/proc/self/ns/uts is a namespace of another kind, not a network namespace'),
    );
    netns.close();
  });

  test('a FIFO is refused and does not wait for a writer', () => {
    run('mkfifo', at('fifo'));
    expect(() => openNetns(at('fifo'))).toThrow(
      new NotANamespaceError(`${at('fifo')} is a file of another kind, not a network namespace`),
    );
  });

  test.each(['file', 'directory', 'nowhere'])('a %s leaves no descriptor open', (name) => {
    writeFileSync(at('file'), '');
    mkdirSync(at('directory'));
    const before = descriptors();
    expect(() => openNetns(at(name))).toThrow();
    expect(descriptors()).toBe(before);
  });
});

describe('enter', () => {
  test('what is opened inside belongs there, and the process stays outside', () => {
    createNetns(at('blue'));
    createNetns(at('green'));
    using blue = open('blue');
    using green = open('green');
    const before = ownInode();
    expect(new Set([insideOf(blue), insideOf(green), before]).size).toBe(3);
    const connection = openConnection(NETLINK_ROUTE, blue);
    createLink(connection, { name: 'only-blue', kind: 'bridge' });
    connection.close();
    expect(String(run('nsenter', `--net=${at('blue')}`, 'ip', 'link'))).toContain('only-blue');
    expect(String(run('ip', 'link'))).not.toContain('only-blue');
    expect(ownInode()).toBe(before);
  });

  test('what fails inside is an error outside', () => {
    createNetns(at('blue'));
    using netns = open('blue');
    const [before, openBefore] = [ownInode(), descriptors()];
    expect(() => netns.open('/proc/sys/net/nowhere', constants.O_RDONLY)).toThrow(
      'open /proc/sys/net/nowhere: no such file or object (ENOENT)',
    );
    expect(() => netns.socket(16, 3, 31, 'a socket')).toThrow('open a socket: protocol not supported');
    expect(ownInode()).toBe(before);
    expect(descriptors()).toBe(openBefore);
  });

  test('no thread that the runtime starts meanwhile stays inside', () => {
    createNetns(at('blue'));
    using netns = open('blue');
    // Long enough for the code to be compiled, which the runtime does in threads that it starts for that.
    for (let round = 0; round < 20_000; round++) {
      openConnection(NETLINK_ROUTE, netns).close();
      setSysctl('net/ipv4/ip_forward', String(round % 2), { netns });
    }
    const threads = readdirSync('/proc/self/task').map((thread) =>
      readlinkSync(`/proc/self/task/${thread}/ns/net`),
    );
    expect(new Set(threads)).toEqual(new Set([ownInode()]));
  }, 60_000);

  test('it works while the file is gone, as long as it is open', () => {
    createNetns(at('blue'));
    using netns = open('blue');
    removeNetns(at('blue'));
    expect(insideOf(netns)).toBe(`net:[${statSync(`/proc/self/fd/${netns.fd}`).ino}]`);
  });
});

describe('remove', () => {
  test('file and mount are gone, and doing it again is no error', () => {
    createNetns(at('blue'));
    removeNetns(at('blue'));
    expect(existsSync(at('blue'))).toBe(false);
    expect(mounts()).toEqual([]);
    removeNetns(at('blue'));
  });

  test('a namespace that is mounted twice over the same file', () => {
    createNetns(at('blue'));
    run('mount', '--bind', at('blue'), at('blue'));
    expect(mounts()).toHaveLength(2);
    removeNetns(at('blue'));
    expect(mounts()).toEqual([]);
    expect(existsSync(at('blue'))).toBe(false);
  });

  test('what a creator that was killed before it mounted left: an empty file', () => {
    writeFileSync(at('half'), '');
    removeNetns(at('half'));
    expect(existsSync(at('half'))).toBe(false);
  });

  test('a file with something in it is no namespace and stays', () => {
    writeFileSync(at('precious'), 'data');
    expect(() => removeNetns(at('precious'))).toThrow(
      new NotANamespaceError(`${at('precious')} is a plain file, not a network namespace`),
    );
    expect(readFileSync(at('precious'), 'utf8')).toBe('data');
  });

  test('a mount of another kind stays mounted', () => {
    mkdirSync(at('disk'));
    run('mount', '-t', 'tmpfs', 'none', at('disk'));
    expect(() => removeNetns(at('disk'))).toThrow(`${at('disk')} is a directory, not a network namespace`);
    expect(mounts()).toHaveLength(1);
  });

  test('a link to a namespace that is not its own mount: the link is refused, both stay', () => {
    symlinkSync('/proc/self/ns/net', at('link'));
    expect(() => removeNetns(at('link'))).toThrow(NotANamespaceError);
    expect(existsSync(at('link'))).toBe(true);
  });
});

test('a hundred namespaces leave no descriptor and no mount behind', () => {
  const before = descriptors();
  const names = Array.from({ length: 100 }, (_, index) => at(`many-${index}`));
  for (const name of names) createNetns(name);
  expect(new Set(names.map((name) => statSync(name).ino)).size).toBe(100);
  for (const name of names) {
    const netns = openNetns(name);
    openConnection(NETLINK_ROUTE, netns).close();
    netns.close();
  }
  // Fewer is as good: what earlier tests started may still be closing.
  expect(descriptors()).toBeLessThanOrEqual(before);
  for (const name of names) removeNetns(name);
  expect(mounts()).toEqual([]);
  expect(descriptors()).toBeLessThanOrEqual(before);
});

test('descriptors of namespaces and sockets are not inherited by programs that are started', () => {
  createNetns(at('blue'));
  using netns = open('blue');
  const connection = openConnection(NETLINK_ROUTE, netns);
  const flags = [netns.fd, connection.fd].map((fd) => {
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    return Number.parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? '', 8);
  });
  connection.close();
  const O_CLOEXEC = 0o2000000;
  for (const value of flags) expect(value & O_CLOEXEC).toBe(O_CLOEXEC);
});

function open(name: string) {
  return disposable(openNetns(at(name)));
}

function disposable<T extends { close(): void }>(value: T): T & Disposable {
  return { ...value, [Symbol.dispose]: () => value.close() };
}
