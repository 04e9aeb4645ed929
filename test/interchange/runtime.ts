/** A runtime that takes each plugin of a list from the reference or from Fairlead: SPEC.md section 3, a process a plugin. */
import type { Container } from '../support/container.ts';
import { type AddResult, binDirectory, successful } from '../support/plugin.ts';
import { reference } from '../support/reference.ts';

/** Whose plugins are called. */
export type Side = 'reference' | 'Fairlead';

const directories = { reference, Fairlead: binDirectory } as const;

/** A plugin of a list. */
export interface PluginConfig {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** A configuration list, and what the runtime has for it. */
export interface List {
  readonly name: string;
  readonly cniVersion: string;
  readonly plugins: readonly PluginConfig[];
  /** Whose each plugin is. */
  readonly sides: readonly Side[];
  /** What the runtime gives to plugins that have these capabilities. */
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** CNI_IFNAME. */
  readonly ifname: string;
  /** PATH of the plugins: which iptables the reference finds. */
  readonly path?: string;
  /** The bin directory of all plugins, whosever are in it at the time; by `sides` if left out. */
  readonly bin?: string;
}

/** An attached container: CHECK and DEL get its result. */
export interface Attached {
  readonly container: Container;
  readonly result: AddResult;
}

/** The same list, every plugin of it one side's. */
export function by(side: Side, list: List): List {
  return { ...list, sides: list.plugins.map(() => side) };
}

async function call(list: List, index: number, command: string, more: object, container?: Container) {
  const { name, cniVersion, capabilities = {}, ifname, path, bin, plugins, sides } = list;
  const plugin = plugins[index];
  const side = sides[index];
  if (plugin === undefined || side === undefined) throw new Error(`list ${name} has no plugin ${index}`);
  const runtimeConfig = Object.fromEntries(
    Object.entries(capabilities).filter(
      ([key]) => (plugin.capabilities as Record<string, boolean> | undefined)?.[key],
    ),
  );
  const config = {
    cniVersion,
    name,
    ...plugin,
    ...(Object.keys(runtimeConfig).length > 0 && { runtimeConfig }),
    ...more,
  };
  const { json } = await successful({
    plugin: plugin.type,
    command,
    config,
    ifname,
    binDirectory: bin ?? directories[side],
    ...(container !== undefined && { container }),
    ...(path !== undefined && { env: { PATH: path } }),
  });
  return json;
}

/** ADD of the whole list. @throws Error with the first plugin's error */
export async function addList(list: List, container: Container): Promise<Attached> {
  let result: unknown;
  for (const index of list.plugins.keys())
    result = await call(list, index, 'ADD', result === undefined ? {} : { prevResult: result }, container);
  return { container, result: result as AddResult };
}

/** CHECK of the whole list, in ADD's order. */
export async function checkList(list: List, { container, result }: Attached): Promise<void> {
  for (const index of list.plugins.keys())
    await call(list, index, 'CHECK', { prevResult: result }, container);
}

/** DEL of the whole list, from its end; the first error ends it, as with libcni. */
export async function delList(list: List, { container, result }: Attached): Promise<void> {
  for (const index of [...list.plugins.keys()].reverse())
    await call(list, index, 'DEL', { prevResult: result }, container);
}

/** GC of the whole list by Fairlead: the containers that are still there. */
export async function gcList(list: List, valid: readonly Attached[]): Promise<void> {
  const attachments = valid.map(({ container }) => ({ containerID: container.id, ifname: list.ifname }));
  const newer = { ...by('Fairlead', list), cniVersion: '1.1.0' };
  for (const index of list.plugins.keys())
    await call(newer, index, 'GC', { 'cni.dev/valid-attachments': attachments });
}
