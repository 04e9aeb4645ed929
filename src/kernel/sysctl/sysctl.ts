/** Kernel settings under /proc/sys; those of the network belong to the namespace in which their file is opened. */
import { tracer } from '../../lib/trace.ts';
import type { NetworkNamespace } from '../netns/netns.ts';
import { closeSync, constants, openSync, readText, writeSync } from '../sys/file.ts';
import { sysctlPath } from './name.ts';

/** Where, and how strictly. */
export interface SysctlOptions {
  /** The process's own namespace when absent. */
  readonly netns?: NetworkNamespace | undefined;
  /** A setting that this kernel does not have (IPv6 turned off, for one) is passed over. */
  readonly ifSupported?: boolean | undefined;
}

/** A sysctl that could not be read or written. */
export class SysctlError extends Error {
  override readonly name = 'SysctlError';

  constructor(
    /** What was tried, e.g. `set sysctl net/ipv4/ip_forward to 1`. */
    readonly operation: string,
    /** The error's name, as in errno(3). */
    readonly code: string,
  ) {
    super(`${operation}: ${explain(code)}`);
  }
}

function explain(code: string): string {
  if (code === 'ENOENT') return 'this kernel has no such setting, or there is no such link (ENOENT)';
  if (code === 'EROFS') return '/proc/sys is mounted read-only (EROFS)';
  if (code === 'EINVAL') return 'the kernel does not take this value (EINVAL)';
  if (code === 'EISDIR') return 'this is a group of settings (EISDIR)';
  if (code === 'EACCES' || code === 'EPERM') return `not permitted (${code})`;
  return code;
}

/**
 * Reads a setting, without the line end; several values are separated by tabs. Undefined only for a setting that is
 * not there, with `ifSupported`. Throws SysctlError, SysctlNameError.
 */
export function readSysctl(name: string, options: SysctlOptions = {}): string | undefined {
  const path = sysctlPath(name);
  return attempt(`read sysctl ${name}`, options, () => read(path, options.netns));
}

/** Makes a setting have a value: setSysctls with a single one. */
export function setSysctl(name: string, value: string, options: SysctlOptions = {}): string | undefined {
  return setSysctls({ [name]: value }, options)[name];
}

/**
 * Makes settings have values, in order. What has its value already is not written,
 * so that a read-only /proc/sys does not matter then. Returns the values they had before, by name; without those
 * that can only be written, and with `ifSupported` without those that are not there. Throws SysctlError for the first that fails, SysctlNameError before any.
 */
export function setSysctls(
  values: Readonly<Record<string, string>>,
  options: SysctlOptions = {},
): Record<string, string> {
  const wanted = Object.entries(values).map(([name, value]) => ({ name, value, path: sysctlPath(name) }));
  const before: Record<string, string> = {};
  for (const { name, value, path } of wanted) {
    const operation = `set sysctl ${name} to ${JSON.stringify(value)}`;
    const old = attempt(operation, options, () => set(path, value, options.netns));
    if (old !== undefined) before[name] = old;
  }
  return before;
}

function attempt<T>(operation: string, options: SysctlOptions, call: () => T): T | undefined {
  if (tracer === undefined) return attempted(operation, options, call);
  const what = { kind: 'sysctl', text: operation, netns: options.netns?.path } as const;
  return tracer.span(what, () => attempted(operation, options, call));
}

function attempted<T>(
  operation: string,
  { netns, ifSupported }: SysctlOptions,
  call: () => T,
): T | undefined {
  try {
    return call();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== 'string') throw error;
    if (ifSupported && code === 'ENOENT') return undefined;
    throw new SysctlError(netns === undefined ? operation : `${operation} in ${netns.path}`, code);
  }
}

/** Opens a setting's file, uses it and closes it. Only opening needs the namespace. */
function withFile<T>(
  path: string,
  flags: number,
  netns: NetworkNamespace | undefined,
  use: (fd: number) => T,
): T {
  const file = `/proc/sys/${path}`;
  const fd = netns === undefined ? openSync(file, flags) : netns.open(file, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function read(path: string, netns: NetworkNamespace | undefined): string {
  return withFile(path, constants.O_RDONLY, netns, (fd) => readText(fd, path)).replace(/\n$/, '');
}

/** Returns the value before, undefined for a setting that can only be written (net/ipv4/route/flush). */
function set(path: string, value: string, netns: NetworkNamespace | undefined): string | undefined {
  const before = readIfPermitted(path, netns);
  if (before !== undefined && normal(before) === normal(value)) return before;
  // The file exists: without O_CREAT and O_TRUNC, which mean nothing here. One write, as the kernel wants it.
  withFile(path, constants.O_WRONLY, netns, (fd) => writeSync(fd, `${value}\n`));
  return before;
}

function readIfPermitted(path: string, netns: NetworkNamespace | undefined): string | undefined {
  try {
    return read(path, netns);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EACCES') return undefined;
    throw error;
  }
}

/** Values of several numbers are the same whatever stands between them. */
function normal(value: string): string {
  return value.trim().replaceAll(/\s+/g, ' ');
}
