/** A node can be handed from cnitool to fairlead and back, attachment by attachment: ids, results and cache are one. */
// prepare: test/cli/cnitool.ts
import { afterEach, beforeEach, expect } from 'bun:test';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createNetns, removeNetns } from '../../src/kernel/netns/netns.ts';
import { ip } from '../support/container.ts';
import { type Ended, runProgram } from '../support/program.ts';
import { testUnless } from '../support/unless.ts';
import { cnitool, withoutCnitool } from './cnitool.ts';
import { environment, executable, pods, writeNetworks } from './fairlead.ts';

const env = {
  ...environment,
  NETCONFPATH: '/etc/cni/net.d',
  CAP_ARGS: '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}',
  CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=blue',
  CNI_IFNAME: 'net0',
};
const netns = '/run/netns/blue';
const tools = { cnitool, fairlead: executable };

const call = async (
  tool: keyof typeof tools,
  command: string,
  ...more: readonly string[]
): Promise<Ended> => {
  const ended = await runProgram([tools[tool], command, 'pods', netns, ...more], { env });
  if (ended.exitCode !== 0) throw new Error(`${tool} ${command}: ${ended.stderr}${ended.stdout}`);
  return ended;
};

const cached = () => readdirSync('/var/lib/cni/results').filter((name) => !name.startsWith('.'));
const links = async () => (await ip(netns, 'link', 'show', 'type', 'veth')).map(({ ifname }) => ifname);

beforeEach(() => {
  writeNetworks(pods);
  rmSync('/var/lib/cni/networks', { recursive: true, force: true });
  createNetns(netns);
});

afterEach(() => {
  removeNetns(netns);
});

const directions = [
  ['cnitool', 'fairlead'],
  ['fairlead', 'cnitool'],
] as const;

for (const [first, second] of directions) {
  testUnless(withoutCnitool)(`ADD by ${first}; CHECK and DEL by ${second}`, async () => {
    await call(first, 'add');
    expect(cached()).toEqual(['pods-cnitool-df26705e2e4ffd095eb1-net0']);
    expect(await links()).toEqual(['net0']);
    await call(second, 'check');
    await call(second, 'del');
    expect(cached()).toEqual([]);
    expect(await links()).toEqual([]);
  });
}

testUnless(withoutCnitool)('both print the same result and keep the same entry', async () => {
  const kept: unknown[] = [];
  const results: unknown[] = [];
  for (const [tool, ...more] of [['cnitool'], ['fairlead', '--json']] as const) {
    results.push(JSON.parse((await call(tool, 'add', ...more)).stdout));
    const [name = ''] = cached();
    kept.push(JSON.parse(readFileSync(`/var/lib/cni/results/${name}`, 'utf8')));
    await call(tool, 'del');
    // host-local goes on after the last address, so that the next would have another.
    rmSync('/var/lib/cni/networks', { recursive: true });
  }
  expect(results[1]).toEqual(results[0]);
  expect(kept[1]).toEqual(kept[0]);
});

testUnless(withoutCnitool)('fairlead lists what cnitool added, and gc keeps it', async () => {
  await call('cnitool', 'add');
  const { stdout } = await runProgram([executable, 'list'], { env });
  expect(stdout).toMatch(
    /pods {5}cnitool-df26705e2e4ffd095eb1 {2}net0 +10\.88\.0\.\d+\/24 +\/run\/netns\/blue\n/,
  );
  expect((await runProgram([executable, 'gc', 'pods'], { env })).exitCode).toBe(0);
  expect(await links()).toEqual(['net0']);
  await call('cnitool', 'del');
});

testUnless(withoutCnitool)(
  'gc of cnitool detaches what fairlead added; it gives plugins no list, which ours refuse',
  async () => {
    await call('fairlead', 'add');
    const { exitCode, stderr } = await runProgram([cnitool, 'gc', 'pods', netns], { env });
    expect(stderr).toContain('`cni.dev/valid-attachments` of plugin `bridge` is missing');
    expect(exitCode).toBe(1);
    expect(cached()).toEqual([]);
    expect(await links()).toEqual([]);
  },
);
