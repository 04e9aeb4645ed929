/** docs/containerd.md as it stands: its files are put in their places, its commands run, on a node with containerd. */
// packages: containerd runc busybox-static containernetworking-plugins iptables
// prepare: test/containerd/containerd2.ts
// seconds: 180
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pluginNames } from '../../src/plugins/names.ts';
import { emptyCgroup, hasCgroup } from '../support/cgroup.ts';
import { ip } from '../support/container.ts';
import { imageName } from '../support/image.ts';
import { diff, snapshot } from '../support/node.ts';
import { commandBlocks, fileBlock } from '../support/page.ts';
import { dist } from '../support/plugin.ts';
import { output } from '../support/program.ts';
import { limit } from '../support/sandbox.ts';
import { testUnless } from '../support/unless.ts';
import { type Containerd, type ContainerdOptions, startContainerd } from './containerd.ts';
import { containerd2Programs, withoutContainerd2 } from './containerd2.ts';
import type { PodConfig } from './cri.ts';
import { example } from './example.ts';
import { confDirectory, mountOpt, unmountOpt } from './installation.ts';
import { createNeighbour, type Neighbour, wire } from './neighbour.ts';
import { getFrom, removePod, startPod } from './pod.ts';
import { get, url, webPort } from './web.ts';

setDefaultTimeout(limit(60));

const listFile = '/etc/cni/net.d/10-pods.conflist';
const published = [{ protocol: 'TCP', container_port: webPort, host_port: 8000 }] as const;
/** Where `ctr run` puts containers. */
const ctrCgroup = '/default';

let containerd: Containerd | undefined;
let outside: Neighbour;
let hadCtrCgroup: boolean;

beforeEach(async () => {
  await mountOpt();
  hadCtrCgroup = hasCgroup(ctrCgroup);
  outside = await createNeighbour();
});

afterEach(async () => {
  await containerd?.remove();
  containerd = undefined;
  await outside.remove();
  if (!hadCtrCgroup) await emptyCgroup(ctrCgroup);
  rmSync(confDirectory, { recursive: true, force: true });
  await unmountOpt();
});

/** Puts the page's configuration list in its place. */
function writeList(change: object = {}): void {
  mkdirSync(dirname(listFile), { recursive: true });
  writeFileSync(listFile, JSON.stringify({ ...JSON.parse(fileBlock(listFile)), ...change }));
}

/** Starts a containerd in the ordinary places, with the page's lines in its config.toml. */
async function startAsDescribed(options: ContainerdOptions = {}): Promise<Containerd> {
  const toml = fileBlock('/etc/containerd/config.toml');
  containerd = await startContainerd({ standard: true, toml, ...options });
  return containerd;
}

/** What a line does here where a test cannot do as it says: no system manager, and no network to pull from. */
async function standIn(line: string): Promise<string | undefined> {
  if (line === 'systemctl restart containerd') {
    await containerd?.kill();
    await containerd?.start();
    return '';
  }
  const [, image] = /^ctr image pull (\S+)$/.exec(line) ?? [];
  return image === undefined ? undefined : output(['ctr', 'image', 'tag', imageName, image]);
}

/** Runs the lines of a block in a shell each, `fairlead` being what was built; returns what they printed. */
async function runLines(lines: readonly string[] | undefined): Promise<string> {
  const printed: string[] = [];
  const env = { ...process.env, PATH: `${dist}:${process.env.PATH}` } as Record<string, string>;
  for (const line of lines ?? []) {
    printed.push((await standIn(line)) ?? (await output(['sh', '-c', line], { env })));
  }
  return printed.join('\n');
}

describe('containerd 1.6', () => {
  test('install, verify, remove', async () => {
    const before = await snapshot();
    const [install, validate, restart] = commandBlocks('Install');
    expect(await runLines(install)).toContain('installed');
    writeList();
    await runLines(validate);
    const { cri, cgroup } = await startAsDescribed();
    await runLines(restart);

    const [own, ctr, gc] = commandBlocks('Verify');
    await runLines(own);
    expect(await runLines(ctr)).toMatch(/inet 10\.88\.0\.\d+\/16[\s\S]*inet6 fd00:10:88::/);
    await runLines(gc);
    const config = JSON.parse(fileBlock('pod.json')) as PodConfig;
    const pod = await cri.runPod({ ...config, linux: { cgroup_parent: cgroup } });
    expect(await cri.podStatus(pod)).toMatchObject({
      ips: [expect.stringMatching(/^10\.88\./), expect.stringMatching(/^fd00:10:88::/)],
    });
    await cri.stopPod(pod);
    await cri.removePod(pod);

    for (const lines of commandBlocks('Remove')) await runLines(lines);
    expect(existsSync(listFile)).toBe(false);
    expect(readdirSync('/opt/cni/bin')).toEqual([]);
    // Directories; forwarding, and the routes that the kernel makes for routers; the neighbour's own.
    const stays =
      /^file \/(etc|var\/lib)\/cni\/.*\/ \d+$|^file \/var\/lib\/cni\/results|^sysctl .*forward|"anycast"|"fe80:/;
    expect(diff(before, await snapshot(), stays)).toEqual([]);
  });

  test('switch from the reference plugins, with Pods that stay', async () => {
    cpSync('/usr/lib/cni', '/opt/cni/bin', { recursive: true });
    writeList();
    const node = await startAsDescribed();
    const old = await startPod(node, 'old', published);
    const [install, rules] = commandBlocks('Switch from the reference plugins');
    await runLines(install);
    const both = new Set(['fairlead', ...pluginNames, ...readdirSync('/usr/lib/cni')]);
    expect(readdirSync('/opt/cni/bin').sort()).toEqual([...both].sort());

    const young = await startPod(node, 'young', [{ ...published[0], host_port: 8001 }]);
    expect(await getFrom(node, old, url(young.ipv6))).toMatchObject({ stdout: 'young\n' });
    expect(await getFrom(node, young, url(old.ipv4))).toMatchObject({ stdout: 'old\n' });
    expect(await getFrom(node, old, url(wire.neighbour.ipv4))).toMatchObject({ stdout: 'outside\n' });
    expect(await get(outside.netns, url(wire.node.ipv4, 8000))).toMatchObject({ stdout: 'old\n' });

    await removePod(node, old);
    expect(readdirSync('/var/lib/cni/networks/pods')).not.toContain(old.ipv4);
    expect(await ip(undefined, 'link', 'show', 'master', 'cni0')).toHaveLength(1);
    expect(await output(['nft', 'list', 'ruleset'])).toContain('CNI-');
    await runLines(rules);
    expect(await output(['nft', 'list', 'ruleset'])).not.toContain('CNI-');
    expect(await get(outside.netns, url(wire.node.ipv4, 8001))).toMatchObject({ stdout: 'young\n' });
    expect(await getFrom(node, young, url(wire.neighbour.ipv6))).toMatchObject({ stdout: 'outside\n' });
  });
});

testUnless(withoutContainerd2)('containerd 2: its own lines, and the newest version of both', async () => {
  await runLines(commandBlocks('Install')[0]);
  writeList({ cniVersions: ['1.0.0', '1.1.0'] });
  const toml = fileBlock('/etc/containerd/config.toml version 3');
  const node = await startAsDescribed({ toml, format: 3, programs: containerd2Programs });
  const pod = await startPod(node, 'newer', published);
  expect(await get(outside.netns, url(wire.node.ipv6, 8000))).toMatchObject({ stdout: 'newer\n' });
  expect(readFileSync(`/var/lib/cni/results/pods-${pod.id}-eth0`, 'utf8')).toContain('"cniVersion":"1.1.0"');
});

test('the list on the page is examples/pods.conflist', () => {
  expect(JSON.parse(fileBlock(listFile))).toEqual(example('pods'));
});
