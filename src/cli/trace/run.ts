/** `--trace`: a command with everything that it and the plugins it starts do, written down. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTracer, tracer } from '../../lib/trace.ts';
import { parseTrace } from '../../plugin/trace/entry.ts';
import { startTrace } from '../../plugin/trace/start.ts';
import type { CliIo } from '../io.ts';
import { styleFor } from '../text/style.ts';
import { traceText } from './text.ts';
import { traceTrees } from './tree.ts';

/**
 * Runs a command, whatever becomes of it, and prints the trace on standard error: a tree, or JSON lines. Plugins that
 * are not Fairlead's are in it as one call each.
 */
export async function runTraced<T>(
  what: string,
  asJson: boolean,
  io: CliIo,
  run: (io: CliIo) => T | Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-trace-'));
  const file = join(directory, 'trace.jsonl');
  const traced = { ...io, env: { ...io.env, FAIRLEAD_TRACE: file } };
  const problem = startTrace(file);
  if (problem !== undefined) io.writeStderr(problem);
  const command = () => Promise.resolve(run(traced));
  try {
    return await (tracer === undefined ? command() : tracer.span({ kind: 'call', text: what }, command));
  } finally {
    setTracer(undefined);
    const text = problem === undefined ? readFileSync(file, 'utf8') : '';
    const style = styleFor(io.stderrIsTerminal, io.env);
    io.writeStderr(asJson ? text : traceText(traceTrees(parseTrace(text)), style));
    rmSync(directory, { recursive: true });
  }
}
