import { expect, test } from 'bun:test';
import { readJunit } from './junit.ts';

test('Bun’s own file is read: groups, entities, outcomes', () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="bun test" tests="4"><testsuite name="a.test.ts" file="a.test.ts">
      <testcase name="bad &lt;x&gt; &#x41;&#66;" classname="out" file="a.test.ts" line="2" assertions="1">
        <failure type="AssertionError" message="expect(received).toBe(expected)&#10;">text</failure>
      </testcase>
      <testcase name="no vlan here" classname="out" file="a.test.ts"><skipped /></testcase>
      <testcase name="later" classname="out" file="a.test.ts"><skipped message="TODO" /></testcase>
      <testcase name="a > b" classname="in &gt; out" time="0.000007" file="a.test.ts" />
    </testsuite></testsuites>`;
  const file = 'a.test.ts';
  expect(readJunit(xml)).toEqual([
    { name: 'out > bad <x> AB', file, outcome: 'failed' },
    { name: 'out > no vlan here', file, outcome: 'skipped' },
    { name: 'out > later', file, outcome: 'skipped' },
    { name: 'out > in > a > b', file, outcome: 'passed' },
  ]);
});

test('Node’s own file is read', () => {
  const xml = `<testsuites>
    <testsuite name="out" time="0.01" tests="1">
      <testcase name="good" time="0.001" classname="test" file="/x/a.test.mjs"/>
      <testcase name="bad" time="0.001" classname="test" failure="no"><failure type="x" message="no">[Error] {}</failure></testcase>
    </testsuite></testsuites>`;
  expect(readJunit(xml).map(({ name, outcome }) => [name, outcome])).toEqual([
    ['good', 'passed'],
    ['bad', 'failed'],
  ]);
});

test('a file without tests holds none', () => {
  expect(readJunit('<testsuites></testsuites>')).toEqual([]);
  expect(readJunit('')).toEqual([]);
});
