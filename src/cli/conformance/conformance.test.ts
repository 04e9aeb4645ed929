import { expect, test } from 'bun:test';
import { plain } from '../text/style.ts';
import { defaultPrevResult } from './defaults.ts';
import { printedObject } from './invoke.ts';
import { textReport } from './report.ts';
import type { Rule } from './rule.ts';
import { rules } from './rules/index.ts';
import type { Verdict } from './run.ts';
import { choose, type Subject } from './subject.ts';

test('every rule has an id of its own, one line of text, and a place in the specification', () => {
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  for (const { id, text, section } of rules) {
    expect(id).toMatch(/^[a-z0-9-]+$/);
    expect(text).toMatch(/^[^\n]{10,110}$/);
    expect(section).toMatch(/^SPEC\.md \d\.\d\.\d, /);
  }
});

test('what is printed beside the object is no reason not to read it', () => {
  expect(printedObject('{"code": 4}')).toEqual({ code: 4 });
  expect(printedObject('adding eth0\n{"code": 4}\n')).toEqual({ code: 4 });
  expect(printedObject('[1]')).toBeUndefined();
  expect(printedObject('} {')).toBeUndefined();
  expect(printedObject('')).toBeUndefined();
});

test('without a file, well-known plugins have a configuration, and others their type', () => {
  const none = { file: undefined, kind: undefined, ifname: undefined, prevResult: undefined };
  expect(choose({ ...none, type: 'loopback' })).toMatchObject({ ifname: 'lo', kind: 'interface' });
  expect(choose({ ...none, type: 'bridge' }).config).toMatchObject({ type: 'bridge', isGateway: true });
  expect(choose({ ...none, type: 'mine' })).toEqual({
    name: 'conformance',
    config: { type: 'mine' },
    prevResult: defaultPrevResult,
    origin: 'none but the type',
    kind: undefined,
    ifname: 'eth0',
  });
  expect(choose({ ...none, type: 'constructor' }).kind).toBeUndefined();
});

const subject: Subject = {
  path: '/opt/cni/bin/mine',
  type: 'mine',
  kind: 'interface',
  versions: ['1.0.0', '1.1.0'],
  version: '1.1.0',
  pluginPath: ['/opt/cni/bin'],
  env: {},
  timeoutMs: 1000,
  name: 'conformance',
  config: {},
  ifname: 'eth0',
  prevResult: {},
};

const rule = (id: string, group: Rule['group']): Rule => ({
  id,
  group,
  text: `what ${id} is about`,
  section: 'SPEC.md 1.1.0, section 2, "DEL"',
  level: 'must',
  run: async () => {},
});

test('the report', () => {
  const verdicts: Verdict[] = [
    { rule: rule('del-twice', 'DEL'), verdict: 'broken', seen: 'error 3:\x1b[2J gone', expected: 'success' },
    { rule: rule('add', 'ADD'), verdict: 'holds' },
    { rule: rule('del-other', 'DEL'), verdict: 'notTried', reason: 'ADD fails', applies: true },
    { rule: rule('chained-only', 'ADD'), verdict: 'notTried', reason: 'about others', applies: false },
  ];
  expect(textReport({ subject, origin: 'mine.conflist', verdicts }, plain)).toBe(
    `/opt/cni/bin/mine
  kind           interface
  versions       1.0.0, 1.1.0
  configuration  mine.conflist
  CNI_PATH       /opt/cni/bin

ADD
  ✓ add        what add is about

DEL
  ✗ del-twice  what del-twice is about
               seen       error 3:\ufffd[2J gone
               should be  success
               by         SPEC.md 1.1.0, section 2, "DEL"
  – del-other  what del-other is about
               not tried: ADD fails

✗ 1 of 4 rules broken, 1 hold, 1 not tried, 1 about other kinds and versions
`,
  );
});

test('a report in which nothing could be tried is none of success', () => {
  const verdicts: Verdict[] = [
    { rule: rule('add', 'ADD'), verdict: 'notTried', reason: 'ADD fails', applies: true },
  ];
  expect(textReport({ subject, origin: '', verdicts }, plain)).toEndWith('✗ no rule could be tried\n');
});
