/** What a plugin's author gives, and what each verb gets: the types of the author's API. */
import type { CommonConfig } from './config.ts';
import { pluginTypeProblem } from './names.ts';
import type { Result } from './result.ts';
import { object } from './schema/object.ts';
import type { Schema } from './schema/schema.ts';
import { type CniVersion, cniVersions } from './version.ts';

/** What identifies an attachment: the network, the container and the interface in it. */
export interface Attachment {
  /** The network's name (`name` of the configuration). */
  readonly network: string;
  /** The container's id: letters, digits, `_`, `.`, `-`; at most 255 characters. */
  readonly containerId: string;
  /** The name of the interface in the container: at most 15 bytes, as the kernel takes it. */
  readonly ifname: string;
}

/** An attachment whose network namespace is known. */
export interface AttachmentInNamespace extends Attachment {
  /** The namespace's absolute path. Not yet opened: it may turn out not to be a namespace. */
  readonly netns: string;
  /** Whether the runtime allows that the namespace is the plugin's own (`CNI_NETNS_OVERRIDE`). */
  readonly netnsOverride?: boolean;
}

/** An attachment that is being removed; the runtime need not know the namespace any more. */
export interface AttachmentToRemove extends Attachment {
  /** The namespace's absolute path if the runtime still has it. It may be gone. */
  readonly netns?: string;
  /** Whether the runtime allows that the namespace is the plugin's own (`CNI_NETNS_OVERRIDE`). */
  readonly netnsOverride?: boolean;
}

/** An attachment that still exists, as the runtime lists them for GC. */
export interface ValidAttachment {
  readonly containerId: string;
  readonly ifname: string;
}

/** Another plugin, called with this request's environment and configuration. */
export interface Delegate {
  /** Its result; if this request's ADD fails later, its DEL is called. */
  add(): Promise<Result>;
  del(): Promise<void>;
  check(): Promise<void>;
  gc(): Promise<void>;
  status(): Promise<void>;
}

/** The IPAM plugin that the configuration names. */
export interface Ipam extends Delegate {
  /** Whether there is one (`ipam.type`); calling it when there is none is an error. */
  readonly configured: boolean;
}

/** What may differ when another plugin is called. */
export interface DelegateOptions {
  /** The configuration that it gets; this request's own, byte for byte, if not given. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Environment variables that replace this request's, e.g. `{ CNI_IFNAME: 'net1' }`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What every verb gets. */
export interface Request<C> {
  /** The name of the plugin that is called, for messages. */
  readonly plugin: string;
  /** The version that the runtime speaks; results are converted to it by the harness. */
  readonly cniVersion: CniVersion;
  /** The network's name. */
  readonly network: string;
  /** The plugin's own configuration, validated, with defaults. */
  readonly config: C;
  /** The keys that every plugin's configuration may have. */
  readonly common: CommonConfig;
  /** The whole configuration as it came. */
  readonly rawConfig: Readonly<Record<string, unknown>>;
  /** `CNI_ARGS` as keys and values. */
  readonly args: ReadonlyMap<string, string>;
  /** The directories of `CNI_PATH`. */
  readonly pluginPath: readonly string[];
  /** The IPAM plugin that the configuration names. */
  readonly ipam: Ipam;
  /** Another plugin, found on `CNI_PATH` by its type. */
  delegate(type: string, options?: DelegateOptions): Delegate;
}

/** What ADD gets. */
export interface AddRequest<C = unknown> extends Request<C> {
  readonly command: 'ADD';
  readonly attachment: AttachmentInNamespace;
  /** The result of the plugins before this one in the chain. */
  readonly previousResult?: Result;
  /** Registers how to undo a step just made. If ADD fails, the steps are undone in reverse; `what` names one in messages. */
  onFailure(what: string, undo: () => void | Promise<void>): void;
}

/** What DEL gets. */
export interface DelRequest<C = unknown> extends Request<C> {
  readonly command: 'DEL';
  readonly attachment: AttachmentToRemove;
  /** The final result of ADD, if the runtime still has it. */
  readonly previousResult?: Result;
}

/** What CHECK gets. */
export interface CheckRequest<C = unknown> extends Request<C> {
  readonly command: 'CHECK';
  readonly attachment: AttachmentInNamespace;
  /** The final result of ADD. */
  readonly previousResult: Result;
}

/** What GC gets. */
export interface GcRequest<C = unknown> extends Request<C> {
  readonly command: 'GC';
  /** Every attachment of this network that still exists; what belongs to others is to be removed. */
  readonly validAttachments: readonly ValidAttachment[];
}

/** What STATUS gets. */
export interface StatusRequest<C = unknown> extends Request<C> {
  readonly command: 'STATUS';
}

/** What an author gives. Verbs may be synchronous or not; what they throw becomes one CNI error. */
export interface PluginDefinition<C> {
  /** The plugin's type, as configurations name it and as its executable is called. */
  readonly name: string;
  /** One line for the person who starts the plugin by hand. */
  readonly about?: string;
  /** The versions it can be called in; every version if not given. */
  readonly versions?: readonly CniVersion[];
  /** The plugin's own configuration keys. */
  readonly config?: Schema<C>;
  /** Attaches the container; must fail if the interface exists already. */
  add(request: AddRequest<C>): Result | Promise<Result>;
  /** Removes the attachment; what is gone already is no error. */
  del(request: DelRequest<C>): void | Promise<void>;
  /** Throws unless everything is as ADD left it. */
  check(request: CheckRequest<C>): void | Promise<void>;
  /** Removes what belongs to no valid attachment, and forwards to the plugins it delegates to. Nothing to do if not given. */
  gc?(request: GcRequest<C>): void | Promise<void>;
  /** Throws code 50 or 51 unless ADD can work; forwards to the plugins it delegates to. Always ready if not given. */
  status?(request: StatusRequest<C>): void | Promise<void>;
}

/** A plugin, ready to be run by `runPlugin`. */
export interface Plugin {
  readonly name: string;
  readonly about: string;
  readonly versions: readonly CniVersion[];
  readonly config: Schema<unknown>;
  readonly verbs: Pick<PluginDefinition<unknown>, 'add' | 'del' | 'check' | 'gc' | 'status'>;
}

/** Makes a plugin. Throws if its name cannot be a type's, or it supports no version. */
export function definePlugin<C>(definition: PluginDefinition<C>): Plugin {
  const {
    name,
    about = '',
    versions = cniVersions,
    config = object({}),
    add,
    del,
    check,
    gc,
    status,
  } = definition;
  const problem = pluginTypeProblem(name);
  if (problem !== undefined) throw new Error(`a plugin's name ${problem}`);
  if (versions.length === 0) throw new Error(`plugin ${name} supports no CNI version`);
  return {
    name,
    about,
    versions: cniVersions.filter((version) => versions.includes(version)),
    config,
    verbs: { add, del, check, ...(gc && { gc }), ...(status && { status }) },
  };
}
