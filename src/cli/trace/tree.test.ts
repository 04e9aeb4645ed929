import { describe, expect, test } from 'bun:test';
import { parseTrace, type TraceEntry } from '../../plugin/trace/entry.ts';
import { plain } from '../text/style.ts';
import { traceText } from './text.ts';
import { type TraceNode, traceTrees } from './tree.ts';

const entry = (given: Partial<TraceEntry> & Pick<TraceEntry, 'text'>): TraceEntry => ({
  event: 'end',
  time: Date.UTC(2026, 10, 25, 10, 30),
  ms: 1,
  pid: 10,
  ppid: 1,
  id: 1,
  parent: 0,
  kind: 'netlink',
  ...given,
});

const shape = ({ entry: { text }, parts }: TraceNode): unknown =>
  parts.length === 0 ? text : { [text]: parts.map(shape) };

const start = Date.UTC(2026, 10, 25, 10, 30);

describe('what was part of what', () => {
  test('in a process, by the numbers; entries are written when they end', () => {
    const entries = [
      entry({ text: 'link', id: 2, parent: 1, time: start + 1 }),
      entry({ text: 'address', id: 3, parent: 1, time: start + 2 }),
      entry({ text: 'ADD', id: 1, kind: 'plugin', ms: 5 }),
    ];
    expect(traceTrees(entries).map(shape)).toEqual([{ ADD: ['link', 'address'] }]);
  });

  test('a child process belongs to the call that was running when it began', () => {
    const call = (text: string, id: number, time: number) =>
      entry({ text, id, kind: 'call', time: start + time, ms: 10, parent: 1 });
    const entries = [
      entry({ text: 'add', kind: 'call', ms: 40 }),
      call('first', 2, 0),
      call('second', 3, 20),
      entry({ text: 'in the second', pid: 12, ppid: 10, time: start + 25 }),
      entry({ text: 'in the first', pid: 11, ppid: 10, time: start + 5 }),
      entry({ text: 'in none', pid: 13, ppid: 7, time: start + 5 }),
    ];
    expect(traceTrees(entries).map(shape)).toEqual([
      { add: [{ first: ['in the first'] }, { second: ['in the second'] }] },
      'in none',
    ]);
  });

  test('what began and never ended is told; half a line is passed over', () => {
    const lines = [
      JSON.stringify(entry({ event: 'begin', text: 'ADD', kind: 'plugin', ms: 0 })),
      JSON.stringify(entry({ text: 'create link', id: 2, parent: 1 })),
      '{"event":"end","ti',
      '{"event":"end"}',
    ];
    const [tree, ...others] = traceTrees(parseTrace(lines.join('\n')));
    expect(others).toEqual([]);
    expect(tree?.unfinished).toBe(true);
    expect(traceText(tree === undefined ? [] : [tree], plain)).toContain('└─ it did not end');
  });
});

test('as people see it', () => {
  const link = {
    operation: 'create veth link v',
    message: 'RTM_NEWLINK create',
    values: { name: 'v', mtu: 1400 },
  };
  const question = { operation: 'get link v', message: 'RTM_GETLINK' };
  const entries = [
    entry({
      text: 'get link v',
      id: 2,
      parent: 1,
      time: start + 1,
      requests: [question],
      error: 'get link v: none',
    }),
    entry({
      text: '2 requests in one datagram',
      id: 3,
      parent: 1,
      time: start + 2,
      netns: '/n',
      requests: [link, link],
    }),
    entry({
      text: 'commit 1 operation',
      id: 4,
      parent: 1,
      time: start + 3,
      kind: 'nftables',
      operations: ['add table inet t\n\u001b'],
    }),
    entry({
      text: 'create veth link v',
      id: 5,
      parent: 1,
      time: start + 4,
      requests: [link],
      error: 'create veth link v: taken',
    }),
    entry({
      text: 'ADD of plugin p',
      kind: 'plugin',
      ms: 12.3456,
      attachment: { network: 'n', containerId: 'c', ifname: 'eth0' },
    }),
  ];
  expect(
    traceText(traceTrees(entries), plain),
  ).toBe(`    AT ms   TOOK ms  2026-11-25 10:30:00.000 UTC, process 10
     0.00     12.35  ADD of plugin p, network n, container c, eth0
     1.00      1.00  ├─ get link v  RTM_GETLINK  → none
     2.00      1.00  ├─ 2 requests in one datagram in /n
                     │  ├─ create veth link v  RTM_NEWLINK create name=v mtu=1400
                     │  └─ create veth link v  RTM_NEWLINK create name=v mtu=1400
     3.00      1.00  ├─ commit 1 operation
                     │  └─ nft add table inet t; \ufffd
     4.00      1.00  └─ create veth link v  RTM_NEWLINK create name=v mtu=1400  ✗ taken
`);
});
