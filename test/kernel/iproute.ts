/** iproute2 as the oracle of rtnetlink: what it made and what Fairlead's code made have to look the same to it. */
import { output } from '../support/program.ts';
import { limit, requireSandbox } from '../support/sandbox.ts';

/** Runs `ip` or `bridge` with words separated by spaces. @throws Error with its message */
export async function iproute(command: string): Promise<string> {
  requireSandbox();
  return await output(command.split(' '));
}

/** What changes by itself or counts on: not compared. */
const chance = new Set([
  'ifindex',
  'link_index',
  'updated',
  'used',
  'gc_timer',
  'hello_timer',
  'valid_life_time',
]);

/** The JSON that a command prints, without numbers that are different each time and without empty objects. */
export async function show(command: string): Promise<unknown[]> {
  const text = await iproute(command.replace(/^(ip|bridge) /, '$1 -j '));
  if (text.trim() === '') return [];
  const objects = JSON.parse(text, (key, value) => (chance.has(key) ? undefined : value)) as object[];
  return objects.filter((each) => Object.keys(each).length > 0);
}

/** Kinds of links that this kernel can make. */
export async function kernelHasKind(kind: string): Promise<boolean> {
  requireSandbox();
  const words = { vlan: ' id 5', vrf: ' table 5' }[kind] ?? '';
  await iproute('ip link add probe0 type veth peer name probe1');
  try {
    await iproute(`ip link add link probe0 name probe2 type ${kind}${words}`);
    await iproute('ip link del probe2');
    return true;
  } catch (error) {
    if (String(error).includes('Unknown device type')) return false;
    throw error;
  } finally {
    await iproute('ip link del probe0');
  }
}

/** The reason against a test that needs a kind of link; undefined where the kernel has it. */
export async function unlessKind(kind: string): Promise<string | undefined> {
  return (await kernelHasKind(kind)) ? undefined : `this kernel has no ${kind} links`;
}

/** What a command prints once it prints the same twice: the kernel does some of its work for IPv6 a moment later. */
export async function settled(look: string): Promise<unknown[]> {
  for (let attempt = 0, last: unknown[] | undefined; attempt < 100; attempt++) {
    const now = await show(look);
    if (last !== undefined && Bun.deepEquals(now, last)) return now;
    last = now;
    await Bun.sleep(limit(0.03));
  }
  throw new Error(`${look}: never the same twice`);
}

/** What `look` prints after iproute2's command and after ours, each from the same beginning, which `undo` restores. */
export async function both(
  command: string,
  ours: () => void,
  look: string,
  undo: string,
): Promise<{ readonly wanted: unknown[]; readonly found: unknown[] }> {
  const before = await settled(look);
  await iproute(command);
  const wanted = await settled(look);
  await iproute(undo);
  if (!Bun.deepEquals(await settled(look), before)) throw new Error(`${undo} leaves something`);
  ours();
  const found = await settled(look);
  await iproute(undo);
  return { wanted, found };
}

/** Waits until `is()` holds, which the kernel may take a moment for. @throws Error that says what for, after a while */
export async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await is()) return;
    await Bun.sleep(limit(0.02));
  }
  throw new Error(`${what}: not within ${limit(4)} ms`);
}
