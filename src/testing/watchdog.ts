/**
 * An end for code that never ends. A plugin that is tested in process shares its thread with the test, so a timer
 * cannot stop its endless loop; a second thread watches, and ends the process with a message that says where it was.
 */
import { Worker } from 'node:worker_threads';

/** Runs in the second thread: waits until it is called off, as often as it is asked to. */
const guard = `
const { parentPort, workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
parentPort.on('message', ({ generation, ms, text }) => {
  if (Atomics.wait(workerData, 0, generation, ms) !== 'timed-out') return;
  writeSync(2, text);
  process.kill(process.pid, 'SIGKILL');
});`;

interface Dog {
  readonly worker: Worker;
  readonly state: Int32Array;
}

let dog: Dog | undefined;

function wake(): Dog {
  const state = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(guard, { eval: true, workerData: state });
  worker.unref();
  return { worker, state };
}

/** Ends this process after so many milliseconds, with a text on standard error, unless it is called off before. */
export function watchdog(ms: number, text: string): () => void {
  dog ??= wake();
  const { worker, state } = dog;
  const generation = Atomics.load(state, 0);
  worker.postMessage({ generation, ms, text });
  return () => {
    Atomics.add(state, 0, 1);
    Atomics.notify(state, 0);
  };
}
