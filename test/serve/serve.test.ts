/** `fairlead serve` does the plugins' calls; wherever it cannot do the very same, they do them themselves. */
// kernels: first, second
// packages: iproute2 strace
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { copyFileSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { root } from '../../scripts/process.ts';
import { executable, fairleadJson } from '../cli/fairlead.ts';
import { createContainer, ip, removeContainers } from '../support/container.ts';
import { eventually } from '../support/eventually.ts';
import { diff, snapshot } from '../support/node.ts';
import { type AddResult, add, check, del, failure, type PluginError, runPlugin } from '../support/plugin.ts';
import { runProgram } from '../support/program.ts';
import { limit } from '../support/sandbox.ts';
import { ping } from '../support/traffic.ts';
import { callObserved, serve, servedDirectory, socketPath, start, stopServers } from './server.ts';

afterEach(async () => {
  await stopServers();
  removeContainers();
  for (const path of ['/run/fairlead', '/var/lib/cni/networks'])
    rmSync(path, { recursive: true, force: true });
  await runProgram(['ip', 'link', 'delete', 'served0']);
});

const ipam = { type: 'host-local', ranges: [[{ subnet: '10.61.0.0/16' }]] };
const config = {
  cniVersion: '1.1.0',
  name: 'served',
  type: 'bridge',
  bridge: 'served0',
  isGateway: true,
  ipam,
};
/** ADD waits a second or two until nobody on the segment objects to the IPv6 address. */
const slow = {
  ...config,
  enabledad: true,
  ipam: { type: 'host-local', ranges: [[{ subnet: 'fd00:61::/64' }]] },
};

function callOf(container = createContainer(), keys: object = {}) {
  return {
    plugin: 'bridge',
    container,
    ifname: 'eth0',
    config: { ...config, ...keys },
    binDirectory: servedDirectory,
  };
}

describe('a call that the server does', () => {
  test(
    'comes to the same, and its process does no work',
    async () => {
      const direct = callOf();
      const own = await callObserved({ ...direct, command: 'ADD' });
      expect(own).toMatchObject({ exitCode: 0, served: false });
      await serve();
      const call = callOf();
      const served = await callObserved({ ...call, command: 'ADD' });
      expect(served).toMatchObject({ exitCode: 0, served: true, stderr: '' });
      expect(shape(served.json)).toEqual(shape(own.json));
      const result = served.json as AddResult;
      expect(await ping(call.container.netns, '10.61.0.1')).toBe(true);
      await check({ ...call, config: { ...config, prevResult: result } });
      for (const each of [direct, call])
        expect(await callObserved({ ...each, command: 'DEL' })).toMatchObject({ exitCode: 0, served: true });
      expect((await ip(call.container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
      expect([...new Bun.Glob('10.*').scanSync('/var/lib/cni/networks/served')]).toEqual([]);
    },
    limit(20),
  );

  test('fails with the same error, which is kept with the path that was executed', async () => {
    await serve();
    const wrong = { ...callOf(undefined, { mtu: 'large' }), command: 'ADD' };
    const error = await failure(wrong);
    expect(error).toMatchObject({ code: 7, msg: expect.stringContaining('`mtu` of plugin `bridge`') });
    const [kept] = await fairleadJson<{ executable: string; error: PluginError }[]>(['failures']);
    expect(kept).toMatchObject({ executable: `${servedDirectory}/bridge`, error: { code: 7 } });
  });

  test(
    '64 at once: 64 addresses, one bridge; then nothing is left',
    async () => {
      await serve();
      const calls = Array.from({ length: 64 }, () => callOf());
      await inTurn(calls.slice(0, 1));
      const before = await snapshot();
      const results = await Promise.all(calls.map((call) => add(call)));
      expect(new Set(results.map(({ ips }) => ips?.[0]?.address)).size).toBe(64);
      await Promise.all(calls.map((call) => del(call)));
      expect(diff(before, await snapshot(), /last_reserved_ip|\.fairlead\/|fe80::/)).toEqual([]);
    },
    limit(60),
  );

  test(
    'leaves no descriptor open in the server',
    async () => {
      const server = await serve();
      const call = callOf();
      const cycle = async () => {
        await add(call);
        await del(call);
        await failure({ ...call, command: 'ADD', netns: '/run/netns/none' });
      };
      const open = () => readdirSync(`/proc/${server.pid}/fd`).length;
      await cycle();
      const before = open();
      for (let round = 0; round < 10; round += 1) await cycle();
      // The last connection ends a moment after its answer.
      await eventually('as many are open as before', async () => open() <= before);
    },
    limit(30),
  );
});

/** A result without what is random or counted up. */
function shape(json: unknown): unknown {
  return JSON.parse(
    JSON.stringify(json, (key, value) =>
      ['mac', 'sandbox', 'address'].includes(key) || /^veth/.test(String(value)) ? typeof value : value,
    ),
  );
}

async function inTurn(calls: readonly ReturnType<typeof callOf>[]): Promise<void> {
  for (const call of calls) {
    await add(call);
    await del(call);
  }
}

describe('a call that its own process does', () => {
  const served = async (call: Parameters<typeof callObserved>[0]) => (await callObserved(call)).served;

  beforeEach(async () => {
    await serve();
  });

  test('in another network namespace, where its bridge belongs', async () => {
    const node = createContainer();
    const call = {
      ...callOf(),
      command: 'ADD',
      under: ['ip', 'netns', 'exec', node.netns.split('/').at(-1) ?? ''],
    };
    expect(await served(call)).toBe(false);
    expect((await ip(node.netns, 'link')).map(({ ifname }) => ifname)).toContain('served0');
    expect((await ip(undefined, 'link')).map(({ ifname }) => ifname)).not.toContain('served0');
  });

  test('of another executable', async () => {
    await runProgram([executable, 'install', '--served', '/run/other']);
    expect(await served({ ...callOf(), command: 'ADD', binDirectory: '/run/other' })).toBe(false);
    rmSync('/run/other', { recursive: true });
  });

  test('that is traced, or has paths that depend on the working directory', async () => {
    expect(await served({ ...callOf(), command: 'ADD', env: { FAIRLEAD_TRACE: '1' } })).toBe(false);
    expect(await served({ ...callOf(undefined, { fairlead: { trace: true } }), command: 'ADD' })).toBe(false);
    const relative = { CNI_PATH: `bin:${servedDirectory}` };
    expect(await served({ ...callOf(), command: 'ADD', env: relative })).toBe(false);
  });
});

test('without io_uring: DEL that takes a link away is its own process’s, and all else is served', async () => {
  const forbidden = ['strace', '-D', '-f', '-o', '/dev/null', '-e', 'inject=io_uring_setup:error=EPERM'];
  await serve(undefined, [...forbidden, '-e', 'trace=io_uring_setup']);
  const call = callOf();
  expect(await callObserved({ ...call, command: 'ADD' })).toMatchObject({ exitCode: 0, served: true });
  expect(await callObserved({ ...call, command: 'DEL' })).toMatchObject({ exitCode: 0, served: false });
  expect((await ip(call.container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
});

describe('a server that ends', () => {
  test(
    'by SIGTERM does what it has begun, and is not asked any more',
    async () => {
      const server = await serve();
      const call = { ...callOf(), config: slow };
      const begun = runPlugin({ ...call, command: 'ADD' });
      await appears(call.container.netns);
      server.kill('SIGTERM');
      expect((await begun).exitCode).toBe(0);
      expect(await server.exited).toBe(0);
      expect(await server.stdout.text()).toBe('ended: SIGTERM\n');
      expect(await callObserved({ ...call, command: 'DEL' })).toMatchObject({ exitCode: 0, served: false });
    },
    limit(20),
  );

  test(
    'by force during ADD: the error says so, and DEL removes what there is',
    async () => {
      const server = await serve();
      const call = { ...callOf(), config: slow };
      const begun = failure({ ...call, command: 'ADD' });
      await appears(call.container.netns);
      server.kill('SIGKILL');
      expect(await begun).toMatchObject({ code: 11, msg: expect.stringContaining('`fairlead serve` ended') });
      await del(call);
      expect((await ip(call.container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
      expect([...new Bun.Glob('fd00*').scanSync('/var/lib/cni/networks/served')]).toEqual([]);
      const next = await serve();
      expect(await callObserved({ ...callOf(), command: 'ADD' })).toMatchObject({ served: true });
      next.kill('SIGTERM');
      expect(await next.exited).toBe(0);
    },
    limit(20),
  );

  test('or hangs: the plugin does it itself', async () => {
    const server = await serve();
    server.kill('SIGSTOP');
    expect(await callObserved({ ...callOf(), command: 'ADD' })).toMatchObject({ exitCode: 0, served: false });
    server.kill('SIGCONT');
    // It finds the question then, and that nobody waits for the answer.
    await Bun.sleep(500);
    expect([...new Bun.Glob('10.*').scanSync('/var/lib/cni/networks/served')]).toHaveLength(1);
    expect(await fairleadJson<unknown[]>(['failures'])).toEqual([]);
    expect(await callObserved({ ...callOf(), command: 'ADD' })).toMatchObject({ exitCode: 0, served: true });
  });

  test('because its executable was replaced', async () => {
    await runProgram([executable, 'install', '--served', '/run/bin']);
    const server = await serve('/run/bin/fairlead');
    copyFileSync('/run/bin/fairlead', '/run/bin/next');
    await runProgram(['mv', '/run/bin/next', '/run/bin/fairlead']);
    const call = { ...callOf(), command: 'ADD', binDirectory: '/run/bin' };
    expect(await callObserved(call)).toMatchObject({ exitCode: 0, served: false });
    expect(await server.exited).toBe(0);
    expect(await server.stdout.text()).toBe('ended: the executable was replaced\n');
    rmSync('/run/bin', { recursive: true });
  });
});

test(
  'DEL of a container whose ADD was given up waits until that has ended',
  async () => {
    await serve();
    const call = { ...callOf(), config: slow };
    const given = runPlugin({ ...call, command: 'ADD', under: ['timeout', '-s', 'KILL', '0.5'] });
    expect((await given).exitCode).toBe(137);
    await del(call);
    expect((await ip(call.container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
    expect([...new Bun.Glob('fd00*').scanSync('/var/lib/cni/networks/served')]).toEqual([]);
    await Bun.sleep(2500);
    expect((await ip(call.container.netns, 'link')).map(({ ifname }) => ifname)).toEqual(['lo']);
  },
  limit(20),
);

test(
  'one server at a time; for root alone; garbage does not end it',
  async () => {
    const first = await serve();
    const second = start();
    expect(await second.exited).toBe(1);
    expect(await second.stderr.text()).toContain('runs on this node already');
    expect(['/run/fairlead', socketPath].map((path) => lstatSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
    const begun = (strings: number, stdin: number) =>
      text('fl-call1', new BigUint64Array([BigInt(strings), BigInt(stdin)]), new Uint8Array(1024));
    for (const garbage of [
      text('GET / HTTP/1.1\r\n\r\nmore'),
      text('fl-call2', new Uint8Array(2000)),
      begun(2 ** 40, 0),
      begun(0, 2 ** 40),
      begun(0, 0),
      begun(4, 2),
      text(begun(4, 2), 'xxx\0{}'),
      text(begun(4, 2), 'xxx\0{} and more'),
      new Uint8Array(40_000_000),
    ])
      await send(garbage);
    expect(first.exitCode).toBeNull();
    expect(await callObserved({ ...callOf(), command: 'ADD' })).toMatchObject({ served: true });
  },
  limit(20),
);

/** Its parts in one. */
function text(...parts: readonly (string | Uint8Array | BigUint64Array)[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : new Uint8Array(part.buffer))),
    ),
  );
}

/** Sends to the server, and waits until it ends the connection or a second has passed. */
async function send(bytes: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  const more = (socket: Bun.Socket) => {
    sent += Math.max(0, socket.write(bytes.subarray(sent)));
  };
  const socket = await Bun.connect({
    unix: socketPath,
    socket: { open: more, drain: more, data() {}, close: () => resolve(), error: () => resolve() },
  });
  await Promise.race([promise, Bun.sleep(1000)]);
  socket.terminate();
}

/** Waits until the container has its interface. */
async function appears(netns: string): Promise<void> {
  while (!(await ip(netns, 'link')).some(({ ifname }) => ifname === 'eth0')) await Bun.sleep(20);
}

test('the unit in examples/ starts what `fairlead install` has put there', async () => {
  const unit = readFileSync(`${root}/examples/fairlead-serve.service`, 'utf8');
  const [, command = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
  await runProgram(['mount', '-t', 'tmpfs', 'none', '/opt']);
  try {
    expect((await runProgram([executable, 'install', '--served'])).exitCode).toBe(0);
    const [program = '', ...words] = command.split(' ');
    expect(words).toEqual(['serve']);
    const server = await serve(program);
    const call = { ...callOf(), command: 'ADD', binDirectory: '/opt/cni/bin' };
    expect(await callObserved(call)).toMatchObject({ exitCode: 0, served: true });
    server.kill('SIGTERM');
    await server.exited;
  } finally {
    await runProgram(['umount', '/opt']);
  }
});
