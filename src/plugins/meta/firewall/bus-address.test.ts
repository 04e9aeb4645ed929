import { expect, test } from 'bun:test';
import { addressIn } from './bus-address.ts';

test.each([
  ['unix:path=/run/bus', '/run/bus'],
  ['unix:path=/run/a%20b,guid=12', '/run/a b'],
  ['tcp:host=localhost,port=1;unix:guid=1,abstract=bus', '@bus'],
  ['unix:tmpdir=/tmp', undefined],
  ['', undefined],
])('%s', (list, path) => {
  expect(addressIn(list)).toBe(path);
});
