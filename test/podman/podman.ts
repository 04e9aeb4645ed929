/** podman on the sandbox's node, with everything that it keeps in the sandbox's own directories and control group. */
// packages: podman runc conmon catatonit busybox-static containernetworking-plugins iptables
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createCgroup, emptyCgroup } from '../support/cgroup.ts';
import { eventually } from '../support/eventually.ts';
import { imageName, writeImage } from '../support/image.ts';
import { fileBlock } from '../support/page.ts';
import { output, runProgram } from '../support/program.ts';
import { requireSandbox } from '../support/sandbox.ts';

/** podman, and what the tests do with it. */
export interface Podman {
  /** Runs podman, which has to succeed; what it printed, without the last line's end. */
  readonly podman: (...args: readonly string[]) => Promise<string>;
  /** Runs a line of a shell in which `podman` is this one. */
  readonly shell: (line: string) => Promise<string>;
  /** How podman fails that has to: what it said. @throws Error where it succeeds */
  readonly refusal: (...args: readonly string[]) => Promise<string>;
  /** The path of a container's network namespace. */
  readonly netnsOf: (name: string) => Promise<string>;
  /** The addresses of a container in a network. */
  readonly addressesOf: (
    name: string,
    network: string,
  ) => Promise<{ ipv4: string; ipv6: string; mac: string }>;
  /** Removes every container, pod and network, and podman's own files. */
  readonly remove: () => Promise<void>;
}

/** Where Fairlead's plugins are installed in these tests, as on the page. */
export const binDirectory = '/opt/cni/bin';

/** The page's containers.conf, and what it needs besides where there is no systemd and no journal. */
function configuration(): string {
  return `${fileBlock('/etc/containers/containers.conf', 'podman.md')}
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
`;
}

/** Sets podman up, with the page's configuration; what the page has installed before has to be there. */
export async function startPodman(): Promise<Podman> {
  requireSandbox();
  const directory = mkdtempSync('/run/podman-test-');
  const cgroup = createCgroup();
  mkdirSync('/etc/containers', { recursive: true });
  writeFileSync('/etc/containers/containers.conf', configuration());
  writeFileSync(
    '/etc/containers/storage.conf',
    `[storage]\ndriver = "overlay"\nrunroot = "${directory}/run"\ngraphroot = "${directory}/root"\n`,
  );
  const env = environmentWith(directory, cgroup);
  const shell = async (line: string) =>
    (await output(['sh', '-ec', line], { env, timeoutSeconds: 60 })).trimEnd();
  const podman = async (...args: readonly string[]) =>
    (await output([`${directory}/bin/podman`, ...args], { env, timeoutSeconds: 60 })).trimEnd();
  const refusal = async (...args: readonly string[]) => {
    const { exitCode, stderr } = await runProgram([`${directory}/bin/podman`, ...args], { env });
    if (exitCode === 0) throw new Error(`podman ${args.join(' ')} should have failed`);
    return stderr;
  };
  await loadImage(directory, podman);
  return {
    podman,
    shell,
    refusal,
    netnsOf: (name) => podman('inspect', name, '--format', '{{.NetworkSettings.SandboxKey}}'),
    addressesOf: async (name, network) => {
      const { NetworkSettings } = JSON.parse(await podman('inspect', name))[0] as Inspected;
      const {
        IPAddress = '',
        GlobalIPv6Address = '',
        MacAddress = '',
      } = NetworkSettings.Networks[network] ?? {};
      return { ipv4: IPAddress, ipv6: GlobalIPv6Address, mac: MacAddress };
    },
    remove: async () => {
      await podman('pod', 'rm', '--all', '--force', '--time=0');
      await podman('rm', '--all', '--force', '--time=0');
      await podman('network', 'prune', '--force');
      await emptyCgroup(cgroup);
      // podman binds this directory over itself, as iproute2 does, and with it a copy of what was there.
      await runProgram(['umount', '--lazy', '/run/netns']);
      await eventually('podman has let its storage go', async () => {
        await runProgram(['umount', `${directory}/root/overlay`]);
        rmSync(directory, { recursive: true });
        return true;
      });
    },
  };
}

interface Inspected {
  readonly NetworkSettings: {
    readonly Networks: Readonly<
      Record<string, { IPAddress?: string; GlobalIPv6Address?: string; MacAddress?: string }>
    >;
  };
}

/**
 * The environment, in which `podman` puts containers and pods below the tests' own control group: those are the machine's.
 * Temporary files go to the tests' directory.
 */
function environmentWith(directory: string, cgroup: string): Record<string, string> {
  mkdirSync(`${directory}/bin`);
  mkdirSync(`${directory}/tmp`);
  const script = `#!/bin/sh
case "$1 $2" in
"pod create") shift 2; exec /usr/bin/podman pod create --cgroup-parent=${cgroup} "$@" ;;
"run "*) shift; exec /usr/bin/podman run --cgroup-parent=${cgroup} "$@" ;;
esac
exec /usr/bin/podman "$@"
`;
  writeFileSync(`${directory}/bin/podman`, script);
  chmodSync(`${directory}/bin/podman`, 0o755);
  const { PATH = '', HOME = '/root' } = process.env;
  return { PATH: `${directory}/bin:${PATH}`, HOME, TMPDIR: `${directory}/tmp` };
}

/** The image by its own name, and by the one that the page uses, which cannot be pulled here. */
async function loadImage(directory: string, podman: Podman['podman']): Promise<void> {
  mkdirSync(`${directory}/image`);
  await writeImage(`${directory}/image`, `${directory}/image.tar`);
  const loaded = await podman('load', '--quiet', '--input', `${directory}/image.tar`);
  const image = loaded.replace(/^.*: /, '');
  for (const name of [imageName, 'docker.io/library/busybox:latest']) await podman('tag', image, name);
}
