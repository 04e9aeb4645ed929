import { expect, test } from 'bun:test';
import { oneError } from './problems.ts';

const told = (count: number) =>
  oneError(
    'invalidConfig',
    Array.from({ length: count }, (_, index) => index + 1),
    String,
    'of n: ',
  );

test('one problem is the message', () => {
  expect(told(1)).toMatchObject({ code: 7, msg: 'of n: 1', details: '' });
});

test('the others are the details', () => {
  expect(told(3)).toMatchObject({ msg: 'of n: 1', details: '2; 3' });
});

test('twenty are told, and how many more there are', () => {
  expect(told(20).details.endsWith('; 19; 20')).toBe(true);
  expect(told(1_000_000).details.endsWith('; 19; 20; and 999980 more')).toBe(true);
});
