/** From a trace's entries, in the order in which they ended and of several processes, to what was part of what. */
import type { TraceEntry } from '../../plugin/trace/entry.ts';

/** An entry with its parts, in the order in which they began. */
export interface TraceNode {
  readonly entry: TraceEntry;
  /** It never ended: the process was killed, or is still at it. */
  readonly unfinished: boolean;
  readonly parts: readonly TraceNode[];
}

interface Growing extends TraceNode {
  readonly parts: Growing[];
}

/** Milliseconds by which a child process's clock may seem to be ahead of its parent's. */
const tolerance = 1;

/** The trees of a trace, one for each process that none of the traced ones had started, by their time. */
export function traceTrees(entries: readonly TraceEntry[]): readonly TraceNode[] {
  const nodes = new Map<string, Growing>();
  for (const entry of entries) {
    const key = keyOf(entry);
    if (entry.event === 'end' || !nodes.has(key))
      nodes.set(key, { entry, unfinished: entry.event === 'begin', parts: [] });
  }
  const all = [...nodes.values()].sort((a, b) => a.entry.time - b.entry.time || a.entry.id - b.entry.id);
  const roots: Growing[] = [];
  for (const node of all) (parentOf(node.entry, nodes, all)?.parts ?? roots).push(node);
  return roots;
}

/** Process numbers are used again; a process's first entry tells one from another. */
function keyOf({ pid, ppid, id }: TraceEntry): string {
  return `${pid} ${ppid} ${id}`;
}

function parentOf(
  entry: TraceEntry,
  nodes: ReadonlyMap<string, Growing>,
  all: readonly Growing[],
): Growing | undefined {
  if (entry.parent !== 0) return nodes.get(keyOf({ ...entry, id: entry.parent }));
  return all.findLast(({ entry: other, unfinished }) => {
    if (other.kind !== 'call' || other.pid !== entry.ppid || other.time > entry.time + tolerance)
      return false;
    return unfinished || entry.time <= other.time + (other.ms ?? 0) + tolerance;
  });
}
