import { expect, test } from 'bun:test';
import type { Connection } from '../netlink/connection.ts';
import { NetlinkError } from '../netlink/error.ts';
import { getGeneration, NoNftablesError } from './generation.ts';

/** A kernel that refuses every request for one reason. */
function refusing(errno: number): Connection {
  const refuse = () => {
    throw new NetlinkError('ask', errno);
  };
  return {
    request: refuse,
    requestAll: refuse,
    dump: refuse,
    exchange: refuse,
    close: () => undefined,
    fd: -1,
  };
}

test('a kernel without nf_tables is told from one that refuses', () => {
  const [EPERM, EINVAL] = [1, 22];
  expect(() => getGeneration(refusing(EINVAL))).toThrow(NoNftablesError);
  expect(() => getGeneration(refusing(EPERM))).toThrow(NetlinkError);
});
