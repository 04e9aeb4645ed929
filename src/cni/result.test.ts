import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { decodeResult, problemsOfResult } from './result-decode.ts';
import { encodeResult } from './result-encode.ts';
import { formatPath } from './schema/schema.ts';
import { errorOf } from './testing.ts';
import { cniVersions } from './version.ts';

interface Vector {
  readonly input: unknown;
  readonly output: Readonly<Record<string, string>>;
}

/** What the reference library prints; testdata/results/main.go says how they were made. */
const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('./testdata/results/results.json', import.meta.url), 'utf8'),
);

const context = { version: '0.1.0', subject: 'the result' } as const;

/** Four spaces, and the characters escaped that Go escapes. */
const goText = (json: object) =>
  JSON.stringify(json, null, 4).replaceAll(
    /[<>&\u2028]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

describe('results are printed byte for byte as the reference library prints them', () => {
  test('there are vectors', () => expect(vectors.length).toBe(29));

  for (const [index, { input, output }] of vectors.entries()) {
    test.each([...cniVersions])(`vector ${index} in %s`, (version) => {
      const convert = () => goText(encodeResult(decodeResult(input, context), version));
      const expected = output[version] ?? '';
      if (expected.startsWith('error')) expect(errorOf(convert).code).toBeGreaterThan(0);
      else expect(convert()).toBe(expected);
    });
  }
});

test('a result survives the way through 1.1.0 unchanged', () => {
  const result = decodeResult(vectors[0]?.input, context);
  expect(decodeResult(encodeResult(result, '1.1.0'), context)).toEqual(result);
});

test('a version that cannot say all drops what it cannot say', () => {
  const result = decodeResult(vectors[0]?.input, context);
  const old = decodeResult(encodeResult(result, '0.2.0'), context);
  expect(old.ips).toEqual([
    { address: '10.1.0.5/16', gateway: '10.1.0.1' },
    { address: 'fd00::5/64', gateway: 'fd00::1' },
  ]);
  expect(old.interfaces).toBeUndefined();
});

test('a result without version has the configuration’s (libcni issue 895)', () => {
  const json = { ips: [{ address: '10.0.0.1/8' }] };
  expect(decodeResult(json, { ...context, version: '1.0.0' }).ips).toHaveLength(1);
});

describe('wrong results', () => {
  test.each([
    [null, 'the result is no JSON object'],
    [[], 'the result is no JSON object'],
    [{ cniVersion: '1.2.0' }, 'has the CNI version "1.2.0", which is none of 0.1.0'],
    [{ cniVersion: 1 }, 'has the CNI version 1,'],
    [
      { cniVersion: '1.0.0', ips: [{ address: '10.0.0.1' }] },
      '`ips[0].address` must be an IP address with its prefix',
    ],
    [{ cniVersion: '1.0.0', ips: [{}] }, '`ips[0].address` is missing'],
    [{ cniVersion: '1.0.0', ips: {} }, '`ips` must be a list, got an object'],
    [{ cniVersion: '1.0.0', ips: [{ address: '10.0.0.1/8', interface: -1 }] }, '`ips[0].interface` must be'],
    [
      { cniVersion: '1.0.0', ips: [{ address: '10.0.0.1/8', gateway: 'x' }] },
      '`ips[0].gateway` must be an IP',
    ],
    [{ cniVersion: '1.0.0', interfaces: [{ mac: 'x' }] }, '`interfaces[0].name` is missing'],
    [{ cniVersion: '1.0.0', routes: [{ dst: 'default' }] }, '`routes[0].dst` must be'],
    [{ cniVersion: '0.2.0', ip4: { ip: 7 } }, '`ip4.ip` must be'],
    [{ cniVersion: '0.2.0', ip6: { ip: '::1/128', routes: [{}] } }, '`ip6.routes[0].dst` is missing'],
  ])('%j', (json, message) => {
    const error = errorOf(() => decodeResult(json, context));
    expect(error.code).toBe(6);
    expect(error.msg).toContain(message);
  });

  test('all problems are named', () => {
    const error = errorOf(() =>
      decodeResult({ cniVersion: '1.0.0', ips: [{ address: 1 }], routes: 2 }, context),
    );
    expect(error.msg).toContain('ips[0].address');
    expect(error.details).toContain('`routes` must be a list, got 2');
  });
});

test('an address of an interface that is not in the result is a plugin’s mistake', () => {
  const problems = problemsOfResult({
    interfaces: [{ name: 'a' }],
    ips: [{ address: '10.0.0.1/8', interface: 1 }],
  });
  expect(problems.map(({ path, message }) => `${formatPath(path)} ${message}`)).toEqual([
    'ips[0].interface is 1, but the result has 1 interfaces',
  ]);
});
