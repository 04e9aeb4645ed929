import { expect, test } from 'bun:test';
import { CniError, decodeError, encodeError, toCniError } from './error.ts';

test('an error is printed as the specification has it', () => {
  const error = new CniError('invalidConfig', 'Invalid Configuration', 'Network 192.168.0.0/31 too small');
  expect(JSON.stringify(encodeError(error, '1.1.0'))).toBe(
    '{"cniVersion":"1.1.0","code":7,"msg":"Invalid Configuration","details":"Network 192.168.0.0/31 too small"}',
  );
  expect(encodeError(new CniError(104, 'no'), '0.4.0')).toEqual({
    cniVersion: '0.4.0',
    code: 104,
    msg: 'no',
  });
  expect(decodeError(encodeError(error, '1.1.0'))).toEqual(error);
});

test.each([[null], ['x'], [[]], [{}], [{ code: '7', msg: 'x' }], [{ code: 7 }], [{ code: 1.5, msg: 'x' }]])(
  '%j is no error',
  (json) => {
    expect(decodeError(json)).toBeUndefined();
  },
);

const kernelError = Object.assign(new Error('create link veth1: exists already (EEXIST)'), {
  code: 'EEXIST',
  errno: 17,
});
const diskError = Object.assign(new Error("ENOSPC: no space left on device, write '/x'"), {
  code: 'ENOSPC',
  errno: -28,
});
const foreign = Object.assign(new Error('m'), { name: 'CniError', code: 11, msg: 'busy', details: 'd' });

test.each([
  ['its own kind', new CniError(11, 'busy', 'd'), 11, 'busy', 'd'],
  ['another copy of the library’s', foreign, 11, 'busy', 'd'],
  ['a kernel error', kernelError, 999, 'create link veth1: exists already (EEXIST)', ''],
  ['a full disk', diskError, 5, "ENOSPC: no space left on device, write '/x'", ''],
  ['several lines', new Error('a\n  b\n'), 999, 'a; b', ''],
  [
    'causes',
    new Error('outer', { cause: new Error('inner', { cause: 'root' }) }),
    999,
    'outer',
    'inner; root',
  ],
  ['several errors', new AggregateError([new Error('one'), 'two'], 'both'), 999, 'both', 'one; two'],
  ['an error without message', new TypeError(''), 999, 'TypeError', ''],
  ['a text', 'text', 999, 'text', ''],
  ['nothing', undefined, 999, 'failed without saying why', ''],
  ['null', null, 999, 'null', ''],
  ['a message', { message: 'like an error' }, 999, 'like an error', ''],
  ['an object', { a: 1 }, 999, '{"a":1}', ''],
])('%s becomes one CNI error', (_name, thrown, code, msg, details) => {
  const error = toCniError(thrown);
  expect({ code: error.code, msg: error.msg, details: error.details }).toEqual({ code, msg, details });
});

test('what a text has beyond 4096 characters is not printed', () => {
  const text = 'x'.repeat(4096);
  expect(encodeError(new CniError(100, text, text), '1.0.0')).toMatchObject({ msg: text, details: text });
  const cut = `${'x'.repeat(4095)}…`;
  expect(encodeError(new CniError(100, `${text}x`, `${text}x`), '1.0.0')).toMatchObject({
    msg: cut,
    details: cut,
  });
});
