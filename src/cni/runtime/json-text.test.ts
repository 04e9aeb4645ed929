import { describe, expect, test } from 'bun:test';
import { findPlace, findSyntaxProblem } from './json-text.ts';

describe('findSyntaxProblem', () => {
  test.each([
    ['{}'],
    ['[]'],
    [' [1, -0.5e+3, "a\\u00e9\\n", null, true, false, {"a": {"b": []}}] \n'],
    ['"x"'],
    ['0'],
  ])('has nothing to say about %p', (text) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(findSyntaxProblem(text)).toBeUndefined();
  });

  test.each([
    ['', 1, 1, 'a value'],
    ['{\n  "a": 1,\n}', 3, 1, 'a member name in double quotes'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, "',' or '}'"],
    ['{ "a" 1 }', 1, 7, "':' after the member name"],
    ['[1, 2', 1, 6, "',' or ']'"],
    ['[1,]', 1, 4, 'a value'],
    ['{"a": 01}', 1, 7, 'a value'],
    ['{"a": tru}', 1, 7, 'a value'],
    ['{"a": "x\ny"}', 1, 9, 'the closing double quote (control characters must be escaped)'],
    ['{"a": "x', 1, 9, 'the closing double quote'],
    ['{"a": "\\x"}', 1, 8, 'an escape that JSON knows'],
    ['// comment\n{}', 1, 1, 'a value'],
    ['{} {}', 1, 4, 'the end of the text'],
    ["{'a': 1}", 1, 2, 'a member name in double quotes'],
  ])('says where %p goes wrong', (text, line, column, expected) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(findSyntaxProblem(text)).toEqual({ line, column, expected });
  });

  test('refuses nesting that would exhaust the stack', () => {
    expect(findSyntaxProblem('['.repeat(2_000_000))?.expected).toBe('at most 1000 levels of nesting');
  });

  test('reads a text of megabytes', () => {
    const text = JSON.stringify({
      long: 'x'.repeat(4_000_000),
      list: Array.from({ length: 50_000 }, (_, i) => i),
    });
    expect(findSyntaxProblem(text)).toBeUndefined();
    expect(findSyntaxProblem(`${text.slice(0, -1)}`)?.line).toBe(1);
  });
});

describe('findPlace', () => {
  const text =
    '{\n  "name": "n",\n  "plugins": [\n    { "type": "a" },\n    { "type": "b",\n      "x\\u0041": 1 }\n  ]\n}';
  test('gives the line of a member’s name and of an array’s item', () => {
    expect(findPlace(text, [])).toEqual({ line: 1, column: 1 });
    expect(findPlace(text, ['name'])).toEqual({ line: 2, column: 3 });
    expect(findPlace(text, ['plugins', 1])).toEqual({ line: 5, column: 5 });
    expect(findPlace(text, ['plugins', 1, 'xA'])).toEqual({ line: 6, column: 7 });
  });
  test('gives the nearest value around one that is missing', () => {
    expect(findPlace(text, ['plugins', 0, 'ipam', 'type'])).toEqual({ line: 4, column: 5 });
    expect(findPlace(text, ['cniVersion'])).toEqual({ line: 1, column: 1 });
  });
  test('a name given twice counts where it is given last', () => {
    expect(findPlace('{"a": 1,\n"a": 2}', ['a'])).toEqual({ line: 2, column: 1 });
    expect(findPlace('{"a": {"b": 1},\n"a": 2}', ['a', 'b'])).toEqual({ line: 2, column: 1 });
  });
});
