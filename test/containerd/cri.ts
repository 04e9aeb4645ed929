/** A client of the Kubernetes Container Runtime Interface, as kubelet is one: gRPC over containerd's Unix socket. */
import { Client, credentials, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const definition = loadSync(`${import.meta.dir}/cri.proto`, {
  keepCase: true,
  enums: String,
  longs: Number,
  defaults: true,
});
const services = ['runtime.v1.RuntimeService', 'runtime.v1.ImageService'].map(
  (name) => definition[name] as ServiceDefinition,
);

/** A port of a Pod that is published on its node. */
export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly container_port: number;
  readonly host_port: number;
  readonly host_ip?: string;
}

/** What a Pod is made from. */
export interface PodConfig {
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string };
  readonly hostname?: string;
  readonly port_mappings?: readonly PortMapping[];
  readonly linux?: { readonly cgroup_parent: string };
}

/** Whether the runtime, or its network, is ready, and if not why. */
export interface Condition {
  readonly type: 'RuntimeReady' | 'NetworkReady';
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

/** What the runtime says of a Pod. */
export interface PodStatus {
  readonly state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
  /** Every address, the first one first. */
  readonly ips: readonly string[];
  /** Process 1 of the Pod's own (pause) container. */
  readonly pid: number;
  /** The path of the Pod's network namespace. */
  readonly netns: string;
}

/** What a command in a container did. */
export interface Executed {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

interface StatusAnswer {
  readonly status: { readonly conditions: readonly Condition[] };
  readonly info: Readonly<Record<string, string>>;
}
interface PodStatusAnswer {
  readonly status: {
    readonly state: PodStatus['state'];
    readonly network: {
      readonly ip: string;
      readonly additional_ips: readonly { readonly ip: string }[];
    } | null;
  };
  readonly info: Readonly<Record<string, string>>;
}
interface ExecAnswer {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exit_code: number;
}

/** The calls that the tests make. Each rejects with gRPC's error, whose `details` is what the runtime says. */
export interface Cri {
  readonly status: () => Promise<readonly Condition[]>;
  /** The configuration lists that it has loaded, as text; loopback's own is among them. */
  readonly networks: () => Promise<readonly string[]>;
  readonly hasImage: (image: string) => Promise<boolean>;
  /** @returns The Pod's id. */
  readonly runPod: (config: PodConfig) => Promise<string>;
  readonly podStatus: (pod: string) => Promise<PodStatus>;
  readonly pods: () => Promise<readonly string[]>;
  readonly stopPod: (pod: string) => Promise<void>;
  readonly removePod: (pod: string) => Promise<void>;
  /** @returns The container's id; it runs. */
  readonly runContainer: (
    pod: string,
    config: PodConfig,
    container: { readonly name: string; readonly image: string; readonly command: readonly string[] },
  ) => Promise<string>;
  readonly stopContainer: (container: string) => Promise<void>;
  readonly removeContainer: (container: string) => Promise<void>;
  readonly exec: (container: string, command: readonly string[]) => Promise<Executed>;
  readonly close: () => void;
}

type Call = <Answer>(method: string, request: object) => Promise<Answer>;

/** Opens a connection; it is made again by itself where the daemon went and came back. */
export function openCri(socket: string): Cri {
  // Without a limit, a daemon that was away for a while would be tried again only after as long a while.
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), {
    'grpc.max_reconnect_backoff_ms': 100,
    'grpc.initial_reconnect_backoff_ms': 50,
  });
  const call: Call = (method, request) =>
    new Promise((resolve, reject) => {
      const found = services.map((service) => service[method]).find((known) => known !== undefined);
      if (found === undefined) throw new Error(`${method} is not in cri.proto`);
      client.makeUnaryRequest(
        found.path,
        found.requestSerialize,
        found.responseDeserialize,
        request,
        { deadline: Date.now() + 60_000 },
        (error: ServiceError | null, answer) => (error === null ? resolve(answer) : reject(error)),
      );
    });
  return { ...nodeCalls(call), ...podCalls(call), ...containerCalls(call), close: () => client.close() };
}

function nodeCalls(call: Call): Pick<Cri, 'status' | 'networks' | 'hasImage'> {
  return {
    status: async () => (await call<StatusAnswer>('Status', {})).status.conditions,
    networks: async () => {
      const { info } = await call<StatusAnswer>('Status', { verbose: true });
      const { Networks } = JSON.parse(info.cniconfig ?? '{}') as {
        Networks: readonly { Config: { Source: string } }[];
      };
      return Networks.map(({ Config }) => Config.Source);
    },
    hasImage: async (image) => {
      const { image: found } = await call<{ image: object | null }>('ImageStatus', { image: { image } });
      return found !== null;
    },
  };
}

function podCalls(call: Call): Pick<Cri, 'runPod' | 'podStatus' | 'pods' | 'stopPod' | 'removePod'> {
  return {
    runPod: async (config) =>
      (await call<{ pod_sandbox_id: string }>('RunPodSandbox', { config })).pod_sandbox_id,
    podStatus: async (pod) => {
      const answer = await call<PodStatusAnswer>('PodSandboxStatus', { pod_sandbox_id: pod, verbose: true });
      return podStatus(answer);
    },
    pods: async () => {
      const { items } = await call<{ items: readonly { id: string }[] }>('ListPodSandbox', {});
      return items.map(({ id }) => id);
    },
    stopPod: (pod) => call('StopPodSandbox', { pod_sandbox_id: pod }),
    removePod: (pod) => call('RemovePodSandbox', { pod_sandbox_id: pod }),
  };
}

/** The verbose part, `info`, is containerd's own JSON: the process, and the OCI configuration with the namespaces. */
function podStatus({ status, info }: PodStatusAnswer): PodStatus {
  const { network } = status;
  const { pid, runtimeSpec } = JSON.parse(info.info ?? '{}') as {
    pid: number;
    runtimeSpec?: { linux: { namespaces: readonly { type: string; path?: string }[] } };
  };
  const netns = runtimeSpec?.linux.namespaces.find(({ type }) => type === 'network')?.path ?? '';
  const first = network?.ip ?? '';
  const further = network?.additional_ips.map(({ ip }) => ip) ?? [];
  return { state: status.state, ips: first === '' ? [] : [first, ...further], pid, netns };
}

function containerCalls(
  call: Call,
): Pick<Cri, 'runContainer' | 'stopContainer' | 'removeContainer' | 'exec'> {
  return {
    runContainer: async (pod, sandbox_config, { name, image, command }) => {
      const config = { metadata: { name }, image: { image }, command };
      const request = { pod_sandbox_id: pod, config, sandbox_config };
      const { container_id } = await call<{ container_id: string }>('CreateContainer', request);
      await call('StartContainer', { container_id });
      return container_id;
    },
    // A timeout of 0 seconds kills: busybox as process 1 would not hear a SIGTERM.
    stopContainer: (container_id) => call('StopContainer', { container_id, timeout: 0 }),
    removeContainer: (container_id) => call('RemoveContainer', { container_id }),
    exec: async (container_id, cmd) => {
      const answer = await call<ExecAnswer>('ExecSync', { container_id, cmd, timeout: 20 });
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { stdout: text(answer.stdout), stderr: text(answer.stderr), exitCode: answer.exit_code };
    },
  };
}
