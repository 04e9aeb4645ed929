/** Closing a socket of netfilter's without waiting: it is closed all the same, with io_uring and without. */
// packages: strace
import { afterEach, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { nftables as n } from '../../src/kernel/index.ts';
import { createContainer, removeContainers } from '../support/container.ts';
import { runPlugin } from '../support/plugin.ts';
import { limit } from '../support/sandbox.ts';

afterEach(removeContainers);

const table: n.Table = { family: 'inet', name: 'later' };

/** The sockets of netfilter's netlink in this namespace: the second column of /proc/net/netlink is the family. */
function sockets(): number {
  const lines = readFileSync('/proc/net/netlink', 'utf8').split('\n');
  return lines.filter((line) => line.split(/\s+/)[1] === '12').length;
}

test(
  'the descriptor is closed at once, the socket a moment later',
  async () => {
    const before = sockets();
    const connection = n.openNftables();
    n.commit(connection, [n.addTable(table)]);
    n.commit(connection, [n.deleteTable(table)]);
    expect(sockets()).toBe(before + 1);
    connection.close();
    expect(() => n.getGeneration(connection)).toThrow('EBADF');
    while (sockets() > before) await Bun.sleep(5);
  },
  limit(10),
);

test('where io_uring is forbidden, the socket is closed as ever', async () => {
  const log = `/tmp/later-${crypto.randomUUID()}`;
  const { exitCode } = await runPlugin({
    plugin: 'portmap',
    command: 'DEL',
    container: createContainer(),
    ifname: 'eth0',
    config: { cniVersion: '1.1.0', name: 'later', type: 'portmap' },
    under: [
      'strace',
      '-f',
      '-yy',
      '-o',
      log,
      '-e',
      'trace=io_uring_setup,io_uring_register,close',
      '-e',
      'inject=io_uring_setup:error=EPERM',
    ],
  });
  const calls = await Bun.file(log).text();
  await Bun.file(log).delete();
  expect(exitCode).toBe(0);
  expect(calls).toContain('(INJECTED)');
  expect(calls).not.toContain('io_uring_register');
  expect(calls).toMatch(/close\(\d+<NETLINK:\[NETFILTER/);
});
