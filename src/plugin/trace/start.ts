/** Beginning a trace. Loaded only where one is asked for. */
import { messageOf } from '../../cni/index.ts';
import { writeSync } from '../../kernel/sys/file.ts';
import { setTracer, tracer } from '../../lib/trace.ts';
import { openTraceFile, traceFile } from './file.ts';
import { describeRequest } from './requests.ts';
import { createTracer } from './tracer.ts';

/**
 * Traces what this process does from now on, to a file; `1` stands for the usual one. Returns why it cannot be, in words: a trace
 * never makes a call fail. What is traced already goes on being so.
 */
export function startTrace(path: string): string | undefined {
  if (tracer !== undefined) return undefined;
  try {
    const fd = openTraceFile(path === '1' ? traceFile : path);
    setTracer(
      createTracer({
        pid: process.pid,
        ppid: process.ppid,
        now: () => performance.timeOrigin + performance.now(),
        // One write a line, at the file's end: what several processes write does not mix.
        write: (entry) => writeSync(fd, `${JSON.stringify(entry)}\n`),
        describe: describeRequest,
      }),
    );
    return undefined;
  } catch (error) {
    return `fairlead: no trace is written: ${messageOf(error)}\n`;
  }
}
