import { describe, expect, test } from 'bun:test';
import { stripVTControlCharacters } from 'node:util';
import { nearest } from './nearest.ts';
import { printable } from './printable.ts';
import { plain, styleFor } from './style.ts';
import { definitions, table } from './table.ts';

describe('nearest', () => {
  const commands = ['add', 'check', 'del', 'list', 'status', 'validate', 'install', 'version'];
  test.each([
    ['vresion', 'version'],
    ['stauts', 'status'],
    ['instal', 'install'],
    ['ADD', 'add'],
    ['lst', 'list'],
    ['dell', 'del'],
    ['chekc', 'check'],
    ['validtae', 'validate'],
  ])('%s: %s', (text, meant) => {
    expect(nearest(text, commands)).toBe(meant);
  });

  test.each([['frobnicate'], ['xyz'], ['']])('%s: nothing', (text) => {
    expect(nearest(text, commands)).toBeUndefined();
  });

  test('a very long text: nothing, at once', () => {
    expect(nearest('a'.repeat(1_000_000), commands)).toBeUndefined();
  });

  test('the nearest of several, of case and dashes alike', () => {
    expect(nearest('range-end', ['rangeStart', 'rangeEnd'])).toBe('rangeEnd');
    expect(nearest('vlam', ['vlanTrunk', 'vlan'])).toBe('vlan');
  });
});

describe('table', () => {
  test('aligned, nothing after the last column, several lines in a cell', () => {
    const rows = [
      ['pods', ['10.1.0.2/24', 'fd00::2/64'], ''],
      ['a-long-name', '', '/run/netns/blue'],
    ];
    expect(table(['NETWORK', 'ADDRESS', 'NAMESPACE'], rows, plain)).toBe(
      [
        'NETWORK      ADDRESS      NAMESPACE',
        'pods         10.1.0.2/24',
        '             fd00::2/64',
        'a-long-name               /run/netns/blue',
        '',
      ].join('\n'),
    );
  });

  test('nothing without rows', () => {
    expect(table(['NETWORK'], [], plain)).toBe('');
  });

  test('colours take no room', () => {
    const style = styleFor(true, {});
    const rows = [
      [{ text: 'ready', style: style.green }, 'a'],
      [{ text: 'error 50', style: style.red }, 'b'],
    ];
    const coloured = table(['STATUS', 'X'], rows, style);
    expect(coloured).toContain('\x1b[32mready\x1b[39m     a\n');
    expect(stripVTControlCharacters(coloured)).toBe('STATUS    X\nready     a\nerror 50  b\n');
  });
});

test('definitions: names padded, no spaces at the end of a line', () => {
  expect(
    definitions([
      ['a', 'first'],
      ['long', ''],
      ['', 'more'],
    ]),
  ).toBe('  a     first\n  long\n        more\n');
});

test('printable: one line that says nothing to the terminal', () => {
  expect(printable(' a\n\n b\x1b[31m\x07c\u009b\n')).toBe('a; b\ufffd[31m\ufffdc\ufffd');
  expect(table(['A'], [['x\x1b[2Jy']], plain)).toBe('A\nx\ufffd[2Jy\n');
});
