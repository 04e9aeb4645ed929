import { expect, test } from 'bun:test';
import type { Traced } from '../../lib/trace.ts';
import type { TraceEntry } from './entry.ts';
import { createTracer } from './tracer.ts';

function traced() {
  const entries: TraceEntry[] = [];
  let clock = 1000;
  const tracer = createTracer({
    pid: 7,
    ppid: 1,
    now: () => clock++,
    write: (entry) => entries.push(entry),
    describe: ({ operation }) => ({ operation, message: 'RTM_GETLINK' }),
  });
  return { tracer, entries };
}

const what = (kind: Traced['kind'], text: string): Traced => ({ kind, text });

test('what is part of what, results and errors as they are; long things are told when they begin', async () => {
  const { tracer, entries } = traced();
  const failing = tracer.span(what('plugin', 'ADD'), async () => {
    expect(tracer.span(what('sysctl', 'set x'), () => 5)).toBe(5);
    await Promise.resolve();
    tracer.span(what('netlink', 'create'), () => {
      throw new Error('taken');
    });
  });
  await expect(failing).rejects.toThrow('taken');
  expect(entries.map(({ event, text, id, parent, error }) => [event, text, id, parent, error])).toEqual([
    ['begin', 'ADD', 1, 0, undefined],
    ['end', 'set x', 2, 1, undefined],
    ['end', 'create', 3, 1, 'taken'],
    ['end', 'ADD', 1, 0, 'taken'],
  ]);
  expect(entries.at(-1)).toMatchObject({ time: 1000, pid: 7, ppid: 1 });
});

test('calls of libc: those that name a file, and none inside what is told as a whole', () => {
  const { tracer, entries } = traced();
  const file = (text: string) => tracer.span(what('file', text), () => undefined);
  for (const text of ['open /run/x', 'send', 'recv', 'close', 'stat descriptor 5', 'rename a to b'])
    file(text);
  tracer.span(what('sysctl', 'read x'), () => file('open /proc/sys/x'));
  file('unlink /run/x');
  expect(entries.map(({ text }) => text)).toEqual([
    'open /run/x',
    'rename a to b',
    'read x',
    'unlink /run/x',
  ]);
});

test('a trace that cannot be written changes nothing', () => {
  const tracer = createTracer({
    pid: 7,
    ppid: 1,
    now: () => 0,
    write: () => {
      throw new Error('disk full');
    },
    describe: ({ operation }) => ({ operation, message: '' }),
  });
  expect(tracer.span(what('plugin', 'ADD'), () => 'result')).toBe('result');
});

test('what writing does is not traced itself', () => {
  const texts: string[] = [];
  const tracer = createTracer({
    pid: 7,
    ppid: 1,
    now: () => 0,
    write: ({ text }) => {
      tracer.span(what('file', 'open the trace'), () => texts.push(text));
    },
    describe: ({ operation }) => ({ operation, message: '' }),
  });
  tracer.span(what('file', 'open /run/x'), () => undefined);
  expect(texts).toEqual(['open /run/x']);
});
