import { expect, test } from 'bun:test';
import { undoSteps } from './undo.ts';

test('steps are undone in reverse, each once, whatever fails', async () => {
  const done: string[] = [];
  const steps = undoSteps();
  steps.add('one', () => {
    done.push('one');
  });
  steps.add('two', () => {
    throw new Error('busy');
  });
  steps.add('three', async () => {
    await Promise.resolve();
    done.push('three');
    throw 'gone';
  });
  expect(await steps.run()).toEqual(['could not undo three: gone', 'could not undo two: busy']);
  expect(done).toEqual(['three', 'one']);
  expect(await steps.run()).toEqual([]);
});
