import { existsSync, readFileSync, rmSync } from 'node:fs';
import { parseTrace, type TraceEntry } from '../../plugin/trace/entry.ts';
import { traceFile } from '../../plugin/trace/file.ts';
import type { Call, Command, Report } from '../command.ts';
import type { Option } from '../option.ts';
import { traceText } from '../trace/text.ts';
import { type TraceNode, traceTrees } from '../trace/tree.ts';

const fileOption: Option = {
  name: 'file',
  value: 'FILE',
  fallback: traceFile,
  about: 'the trace, where FAIRLEAD_TRACE names another one',
};
const clearOption: Option = { name: 'clear', about: 'removes the trace' };

/** `fairlead trace`. */
export const trace: Command = {
  name: 'trace',
  summary: 'shows what plugins did that a runtime called',
  about: `Shows the trace that plugins write where their configuration says "fairlead": {"trace": true}, or
where FAIRLEAD_TRACE is set in their environment (to 1, or to a file): every call with each step and
each kernel request, the oldest first.`,
  parameters: [
    { name: 'CONTAINER', about: 'a container id, or its beginning: only its calls', presence: 'optional' },
  ],
  options: [fileOption, clearOption],
  examples: ['fairlead trace', 'fairlead trace 7c01f2', 'fairlead trace --clear'],
  run,
};

function run(call: Call): Report {
  const file = call.options.text(fileOption) ?? traceFile;
  // What was put aside when it was full comes first.
  const parts = [`${file}.1`, file].filter((path) => existsSync(path));
  if (call.options.flag(clearOption)) {
    for (const path of parts) rmSync(path);
    return {
      text: () => `removed ${parts.length === 0 ? 'nothing: there is no trace' : parts.join(', ')}\n`,
      json: { removed: parts },
    };
  }
  const [container = ''] = call.parameters;
  const trees = traceTrees(parts.flatMap((path) => parseTrace(readFileSync(path, 'utf8')))).filter((tree) =>
    isAbout(tree, container),
  );
  return {
    text: (style) => traceText(trees, style) || `nothing traced in ${file}\n`,
    json: trees.flatMap(entriesOf),
  };
}

function isAbout({ entry, parts }: TraceNode, container: string): boolean {
  const { containerId = '' } = entry.attachment ?? {};
  return containerId.startsWith(container) || parts.some((part) => isAbout(part, container));
}

function entriesOf({ entry, parts }: TraceNode): readonly TraceEntry[] {
  return [entry, ...parts.flatMap(entriesOf)];
}
