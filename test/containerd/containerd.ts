/** A containerd of the tests' own: root, state, socket and configuration are below one directory, which is a tmpfs's. */
// packages: containerd runc busybox-static
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { createCgroup, emptyCgroup } from '../support/cgroup.ts';
import { eventually } from '../support/eventually.ts';
import { imageName, writeImage } from '../support/image.ts';
import { binDirectory } from '../support/plugin.ts';
import { output } from '../support/program.ts';
import { requireSandbox } from '../support/sandbox.ts';
import { type Cri, openCri } from './cri.ts';

/** A containerd that runs, and what the tests do with it. */
export interface Containerd {
  /** Where all its files are. */
  readonly directory: string;
  readonly socket: string;
  readonly cri: Cri;
  /** The control group that containers are put below: `cgroup_parent`. */
  readonly cgroup: string;
  /** The command that runs ctr against it, in the namespace `default`. */
  readonly ctrCommand: (...args: readonly string[]) => readonly string[];
  /** Runs ctr, which has to succeed; returns what it printed. */
  readonly ctr: (...args: readonly string[]) => Promise<string>;
  /** Kills the daemon alone, as a crash would; its containers run on. */
  readonly kill: () => Promise<void>;
  /** Starts it again, and waits until it answers. */
  readonly start: () => Promise<void>;
  /** Removes every Pod and container, stops the daemon, and leaves nothing. @throws Error naming what is left */
  readonly remove: () => Promise<void>;
}

/** How to start it. */
export interface ContainerdOptions {
  /** The network's configuration list, in a directory of its own that containerd is told of, as of our plugins. */
  readonly conflist?: object;
  /** In place of that: the part of config.toml that is about CNI. */
  readonly toml?: string;
  /** The format of config.toml that the part above is of: 2 if left out, or 3, of containerd 2. */
  readonly format?: 2 | 3;
  /** Whether it keeps its files where every containerd does, not in a directory of its own. */
  readonly standard?: boolean;
  /** The directory of other programs `containerd` and `containerd-shim-runc-v2` than Debian's. */
  readonly programs?: string;
}

/** Where a containerd keeps what. */
interface Places {
  readonly config: string;
  readonly socket: string;
  /** The lines of config.toml for these places. */
  readonly toml: string;
}

/** All below one directory. */
function ownPlaces(directory: string): Places {
  const socket = `${directory}/containerd.sock`;
  const toml = `root = "${directory}/root"
state = "${directory}/state"
[grpc]
  address = "${socket}"`;
  return { config: `${directory}/config.toml`, socket, toml };
}

/** Those of an ordinary node, where ctr, for one, looks: in a sandbox they are its own. */
const standardPlaces: Places = {
  config: '/etc/containerd/config.toml',
  socket: '/run/containerd/containerd.sock',
  toml: '',
};

/**
 * What containerd needs to run in the tests, besides its CNI lines. The score: a container's would be lowered, which
 * takes CAP_SYS_RESOURCE, and machines that tests run on may lack that.
 */
function configuration(directory: string, places: Places, { toml, format = 2 }: ContainerdOptions): string {
  const cri =
    format === 3
      ? `[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "${imageName}"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true`
      : `[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${imageName}"
  restrict_oom_score_adj = true`;
  return `version = ${format}
${places.toml}
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/opt"
${cri}
${toml ?? cniToml(`${directory}/net.d`)}
`;
}

/** The part of config.toml that makes containerd use a CNI bin and a configuration directory. */
function cniToml(confDirectory: string): string {
  return `[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${binDirectory}"
  conf_dir = "${confDirectory}"`;
}

/** Starts a containerd; the image is imported. What it logs is in DIRECTORY/log. */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  requireSandbox();
  // Below /run, which is the sandbox's own tmpfs: gone with it, whatever happens.
  const directory = mkdtempSync('/run/containerd-test-');
  const places = options.standard ? standardPlaces : ownPlaces(directory);
  mkdirSync(`${directory}/net.d`);
  if (options.conflist !== undefined) writeConflist(directory, options.conflist);
  mkdirSync(dirname(places.config), { recursive: true });
  writeFileSync(places.config, configuration(directory, places, options));
  const containerd = control(directory, places, options.programs);
  try {
    await containerd.start();
    await importImage(containerd);
  } catch (error) {
    throw new Error(`containerd: ${String(error)}\n${readFileSync(`${directory}/log`, 'utf8')}`);
  }
  return containerd;
}

/** Puts a configuration list, in place of the one before, where this containerd looks. */
function writeConflist(directory: string, conflist: object): void {
  const file = `${directory}/net.d/10-fairlead.conflist`;
  writeFileSync(`${file}.next`, JSON.stringify(conflist));
  renameSync(`${file}.next`, file);
}

/** Replaces the configuration list while containerd runs, and waits until it has seen that. */
export async function useConflist({ directory, cri }: Containerd, conflist: object): Promise<void> {
  writeConflist(directory, conflist);
  const text = JSON.stringify(conflist);
  await eventually('containerd has loaded the list', async () => (await cri.networks()).includes(text));
}

function control(directory: string, { config, socket }: Places, programs: string | undefined): Containerd {
  const cri = openCri(socket);
  const cgroup = createCgroup();
  const ctrCommand: Containerd['ctrCommand'] = (...args) => ['ctr', `--address=${socket}`, ...args];
  const ctr: Containerd['ctr'] = (...args) => output(ctrCommand(...args));
  let daemon: Bun.Subprocess | undefined;
  const stop = async (signal: 'SIGKILL' | 'SIGTERM') => {
    daemon?.kill(signal);
    await daemon?.exited;
  };
  const start = async () => {
    daemon = spawn(config, `${directory}/log`, programs);
    // The network is not waited for: whether that is ready is a matter of the test.
    await eventually('containerd answers', async () => {
      return (await cri.status()).some(({ type, status }) => type === 'RuntimeReady' && status);
    });
  };
  const remove = async () => {
    try {
      await removeContainers({ cri, ctr });
    } finally {
      cri.close();
      await stop('SIGTERM');
      await endShims({ socket });
      await emptyCgroup(cgroup);
    }
    // After a failure containers' file systems are mounted in it still. Those go with the sandbox.
    rmSync(directory, { recursive: true });
  };
  return { directory, socket, cri, cgroup, ctrCommand, ctr, kill: () => stop('SIGKILL'), start, remove };
}

function spawn(config: string, logFile: string, programs: string | undefined): Bun.Subprocess {
  const log = openSync(logFile, 'a');
  const { PATH = '' } = process.env;
  const daemon = Bun.spawn(['containerd', `--config=${config}`], {
    env: { ...process.env, PATH: programs === undefined ? PATH : `${programs}:${PATH}` },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return daemon;
}

/** The processes that hold this containerd's containers, containerd-shim, by their ids. */
export function shims({ socket }: Pick<Containerd, 'socket'>): readonly number[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.map(Number).filter((pid) => {
    const [program = '', ...rest] = commandLine(pid);
    return program.endsWith('/containerd-shim-runc-v2') && rest.includes(socket);
  });
}

/** Ends those that are left: containerd, when it is killed or busy, forgets one now and then. */
export async function endShims(containerd: Pick<Containerd, 'socket'>): Promise<void> {
  await eventually('no shim is left', async () => {
    for (const shim of shims(containerd)) process.kill(shim, 'SIGKILL');
    return shims(containerd).length === 0;
  });
}

function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // It has ended meanwhile.
  }
}

/** Into both namespaces: CRI's, which learns of it by an event, and that of ctr. */
async function importImage({ directory, ctr, cri }: Containerd): Promise<void> {
  mkdirSync(`${directory}/image`);
  await writeImage(`${directory}/image`, `${directory}/image.tar`);
  for (const namespace of ['k8s.io', 'default']) {
    await ctr(`--namespace=${namespace}`, 'images', 'import', `${directory}/image.tar`);
  }
  await eventually('CRI knows the image', () => cri.hasImage(imageName));
}

async function removeContainers({ cri, ctr }: Pick<Containerd, 'cri' | 'ctr'>): Promise<void> {
  for (const pod of await cri.pods()) {
    await cri.stopPod(pod);
    await cri.removePod(pod);
  }
  const listed = async (kind: string) => (await ctr(kind, 'list', '--quiet')).split('\n').filter(Boolean);
  for (const task of await listed('tasks')) await ctr('tasks', 'delete', '--force', task);
  for (const container of await listed('containers')) await ctr('containers', 'delete', container);
}
