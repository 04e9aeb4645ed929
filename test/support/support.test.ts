/** The helpers of the root tests themselves: what they show is there, and what they deny is not. */
// kernels: first, second
import { afterEach, expect, test } from 'bun:test';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Container, createContainer, inNetns, ip, removeContainers } from './container.ts';
import { diff, snapshot } from './node.ts';
import { output } from './program.ts';
import { ask, kernelHasSctp, type Protocol, ping, serve, stopServers } from './traffic.ts';
import { testUnless } from './unless.ts';

afterEach(async () => {
  await stopServers();
  removeContainers();
});

/** Two containers with a veth between them. */
async function pair(): Promise<readonly [Container, Container]> {
  const [left, right] = [createContainer('left'), createContainer('right')];
  await ip(undefined, 'link', 'add', 'l0', 'netns', left.id, 'type', 'veth', 'peer', 'r0', 'netns', right.id);
  for (const [{ netns }, link, n] of [
    [left, 'l0', 1],
    [right, 'r0', 2],
  ] as const) {
    await ip(netns, 'address', 'add', `10.9.0.${n}/24`, 'dev', link);
    await ip(netns, 'address', 'add', `fd09::${n}/64`, 'dev', link, 'nodad');
    await ip(netns, 'link', 'set', link, 'up');
  }
  return [left, right];
}

test('ping: yes and no', async () => {
  const [left] = await pair();
  expect(await Promise.all(['10.9.0.2', 'fd09::2'].map((to) => ping(left.netns, to)))).toEqual([true, true]);
  expect(await Promise.all(['10.9.0.3', 'fd09::3', '10.8.0.1'].map((to) => ping(left.netns, to, 1)))).toEqual(
    [false, false, false],
  );
});

const noSctp = kernelHasSctp() ? undefined : 'this kernel has no SCTP';

for (const [protocol, reason] of [
  ['tcp', undefined],
  ['udp', undefined],
  ['sctp', noSctp],
] as const) {
  testUnless(reason)(`${protocol}: the server says who asked; no server, no answer`, () =>
    asksAndAnswers(protocol),
  );
}

async function asksAndAnswers(protocol: Protocol): Promise<void> {
  const [left, right] = await pair();
  const server = await serve(right.netns, protocol, 8080, 'right');
  for (const [address, source] of [
    ['10.9.0.2', '10.9.0.1'],
    ['fd09::2', /^fd09:[0:]*:1$/],
  ] as const) {
    const found = await ask(left.netns, protocol, address, 8080, { text: 'who?' });
    expect(found).toMatchObject({ server: 'right', text: 'who?' });
    expect(found?.source).toMatch(source);
  }
  if (protocol !== 'sctp') {
    expect(await ask(left.netns, protocol, '10.9.0.2', 8080, { sourcePort: 4567 })).toMatchObject({
      sourcePort: 4567,
    });
  }
  await server.stop();
  expect(await ask(left.netns, protocol, '10.9.0.2', 8080, { timeoutSeconds: 1 })).toBeUndefined();
}

test('inNetns: exit code and both outputs', async () => {
  const { netns } = createContainer();
  const ended = await inNetns(netns, ['sh', '-c', 'ip -o link; echo bad >&2; exit 3']);
  expect(ended).toMatchObject({ exitCode: 3, stderr: 'bad\n' });
  expect(ended.stdout).toContain('lo:');
});

test('a snapshot sees links, addresses, routes, rules, neighbours, nftables, files and settings come and go', async () => {
  const before = await snapshot();
  expect(diff(before, await snapshot())).toEqual([]);
  const on = async (...args: string[]) => void (await ip(undefined, ...args));
  await on('link', 'add', 'br7', 'type', 'bridge');
  await on('link', 'set', 'br7', 'up');
  await on('address', 'add', '10.7.0.1/24', 'dev', 'br7');
  await on('-6', 'route', 'add', 'fd07::/64', 'dev', 'br7');
  await on('rule', 'add', 'from', '10.7.0.0/24', 'table', '77');
  await on('neigh', 'add', '10.7.0.9', 'lladdr', '02:00:00:00:00:01', 'dev', 'br7', 'nud', 'permanent');
  await output([
    'nft',
    'add table bridge seven; add set bridge seven s { type ipv4_addr; elements = { 10.7.0.9 }; }',
  ]);
  mkdirSync('/var/lib/cni/seven');
  writeFileSync('/var/lib/cni/seven/10.7.0.9', 'owner');
  writeFileSync('/proc/sys/net/ipv4/conf/all/route_localnet', '1');
  const { remove } = createContainer('seven');
  const changed = diff(before, await snapshot());
  for (const part of [
    '+ link br7 ',
    '+ address br7 .*10.7.0.1',
    '+ route .*10.7.0.0/24',
    '+ route .*fd07::',
    '+ rule .*"77"',
    '+ neighbour .*10.7.0.9',
    '+ nft .*"table"',
    '+ nft set bridge seven s',
    '+ nft element bridge seven s "10.7.0.9"',
    '+ file /var/lib/cni/seven/ 755',
    '+ file /var/lib/cni/seven/10.7.0.9 644 "owner"',
    '+ file /run/netns/seven ',
    '- sysctl .*all/route_localnet 0',
    '+ sysctl .*all/route_localnet 1',
  ]) {
    expect(
      changed.filter((line) => new RegExp(`^\\${part}`).test(line)),
      part,
    ).not.toEqual([]);
  }
  remove();
  writeFileSync('/proc/sys/net/ipv4/conf/all/route_localnet', '0');
  rmSync('/var/lib/cni/seven', { recursive: true });
  await output(['nft', 'delete table bridge seven']);
  await on('rule', 'del', 'from', '10.7.0.0/24', 'table', '77');
  await on('link', 'del', 'br7');
  expect(diff(before, await snapshot())).toEqual([]);
});
