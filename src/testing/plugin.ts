/** A plugin under test: its life cycle, as a container runtime drives it. */
import { type CniVersion, currentVersion, decodeResult, encodeResult, type Result } from '../cni/index.ts';
import { throwingAtTheTest } from './at-the-test.ts';
import { callPlugin, nameOf, type PluginOrPath } from './call.ts';
import { refuseClaims } from './claims.ts';
import type { Container } from './container.ts';
import { ownPluginDirectory } from './own-plugins.ts';
import { requireSandbox } from './sandbox.ts';

/** How a plugin is tested. */
export interface PluginOptions {
  /** The plugin's configuration, as it stands in a list's `plugins`; `type` and the network's name need not be given. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The network's name; `test` if left out. */
  readonly network?: string;
  /** The version that is spoken; the newest if left out. */
  readonly cniVersion?: CniVersion;
  /** Directories in which plugins to delegate to are found, before Fairlead's own. */
  readonly pluginPath?: readonly string[];
  /** How long one call may take; 10 seconds if left out. */
  readonly timeoutSeconds?: number;
}

/** What one call may have of its own. */
export interface CallOptions {
  /** The interface's name; `eth0` if left out. */
  readonly ifname?: string;
  /** CNI_ARGS. */
  readonly args?: string;
  /** `runtimeConfig`: values of capabilities. */
  readonly runtimeConfig?: Readonly<Record<string, unknown>>;
  /**
   * The result of the plugins before it in a chain, for ADD; for DEL and CHECK in place of what ADD returned. `null`
   * for none.
   */
  readonly previousResult?: Result | null;
  /** Further environment variables; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A plugin under test. Each verb rejects with the `CniError` that the plugin answers. */
export interface PluginUnderTest {
  /** ADD. The result, of which every interface and address is really there: see `refuseClaims`. */
  add(container: Container, options?: CallOptions): Promise<Result>;
  /** CHECK, with what ADD returned. */
  check(container: Container, options?: CallOptions): Promise<void>;
  /** DEL, with what ADD returned. */
  del(container: Container, options?: CallOptions): Promise<void>;
  /** GC: these containers' attachments (of `eth0`, where no other name is given) are valid, all others go. */
  gc(valid: readonly (Container | { container: Container; ifname: string })[]): Promise<void>;
  /** STATUS. */
  status(): Promise<void>;
  /** VERSION: the versions that it supports. */
  versions(): Promise<readonly string[]>;
}

/** Puts a plugin under test: a value of `definePlugin`, or the path of any executable. In a sandbox only. */
export function testPlugin(plugin: PluginOrPath, options: PluginOptions = {}): PluginUnderTest {
  requireSandbox();
  const { network = 'test', cniVersion = currentVersion, timeoutSeconds = 10 } = options;
  const results = new Map<string, Result>();
  const key = (container: Container, { ifname = 'eth0' }: CallOptions) => `${container.id} ${ifname}`;

  const call = (command: string, keys: object, env: Record<string, string | undefined>) =>
    callPlugin({
      plugin,
      timeoutSeconds,
      env: { PATH: process.env.PATH, CNI_COMMAND: command, CNI_PATH: pluginPath(options), ...env },
      config: { cniVersion, name: network, type: nameOf(plugin), ...options.config, ...keys },
    });
  const attach = (command: string, container: Container, own: CallOptions, previous: Result | undefined) => {
    const keys = {
      ...(own.runtimeConfig && { runtimeConfig: own.runtimeConfig }),
      ...(previous && { prevResult: encodeResult(previous, cniVersion) }),
    };
    return call(command, keys, { ...environmentOf(container, own), ...own.env });
  };
  const previousOf = (container: Container, own: CallOptions) =>
    own.previousResult === undefined ? results.get(key(container, own)) : (own.previousResult ?? undefined);

  const verbs: PluginUnderTest = {
    async add(container, own = {}) {
      const before = own.previousResult ?? undefined;
      const json = await attach('ADD', container, own, before);
      const result = decodeResult(json, {
        version: cniVersion,
        subject: `the result of \`${nameOf(plugin)}\``,
      });
      results.set(key(container, own), result);
      refuseClaims(nameOf(plugin), container, result, before);
      return result;
    },
    async check(container, own = {}) {
      await attach('CHECK', container, own, previousOf(container, own));
    },
    async del(container, own = {}) {
      await attach('DEL', container, own, previousOf(container, own));
      results.delete(key(container, own));
    },
    async gc(valid) {
      const attachments = valid.map((one) => {
        const { container, ifname } = 'container' in one ? one : { container: one, ifname: 'eth0' };
        return { containerID: container.id, ifname };
      });
      await call('GC', { 'cni.dev/valid-attachments': attachments }, {});
    },
    async status() {
      await call('STATUS', {}, {});
    },
    async versions() {
      const answer = (await call('VERSION', {}, {})) as { supportedVersions?: readonly string[] } | undefined;
      return answer?.supportedVersions ?? [];
    },
  };
  return {
    add: throwingAtTheTest(verbs.add),
    check: throwingAtTheTest(verbs.check),
    del: throwingAtTheTest(verbs.del),
    gc: throwingAtTheTest(verbs.gc),
    status: throwingAtTheTest(verbs.status),
    versions: throwingAtTheTest(verbs.versions),
  };
}

function pluginPath({ pluginPath = [] }: PluginOptions): string {
  return [...pluginPath, ownPluginDirectory()].join(':');
}

function environmentOf({ id, netns }: Container, { ifname = 'eth0', args }: CallOptions) {
  return { CNI_CONTAINERID: id, CNI_NETNS: netns, CNI_IFNAME: ifname, ...(args && { CNI_ARGS: args }) };
}
