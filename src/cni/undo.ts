/** The steps of an ADD that must be undone when a later one fails. */
import { tracer } from '../lib/trace.ts';
import { messageOf } from './error.ts';

/** Steps made so far. */
export interface UndoSteps {
  /** Registers how to undo a step; `what` names it in messages. */
  add(what: string, undo: () => void | Promise<void>): void;
  /** Undoes every step, the last one first, going on after failures; returns what could not be undone and why. */
  run(): Promise<string[]>;
}

interface Step {
  readonly what: string;
  undo(): void | Promise<void>;
}

function undone(step: Step): void | Promise<void> {
  if (tracer === undefined) return step.undo();
  return tracer.span({ kind: 'undo', text: `undo ${step.what}` }, () => step.undo());
}

/** No steps yet. */
export function undoSteps(): UndoSteps {
  const steps: Step[] = [];
  return {
    add: (what, undo) => {
      steps.push({ what, undo });
    },
    async run() {
      const failures: string[] = [];
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        try {
          await undone(step);
        } catch (error) {
          failures.push(`could not undo ${step.what}: ${messageOf(error)}`);
        }
      }
      return failures;
    },
  };
}
