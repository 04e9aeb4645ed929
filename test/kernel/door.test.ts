/** The public door: what a plugin author can import. */
import { expect, test } from 'bun:test';
import * as door from 'fairlead/kernel';

test('what `fairlead/kernel` offers to plugin authors: a narrow door', () => {
  expect(Object.keys(door).sort()).toEqual([
    'CodecError',
    'NETLINK_GENERIC',
    'NETLINK_NETFILTER',
    'NETLINK_ROUTE',
    'NetlinkError',
    'NotANamespaceError',
    'SysctlError',
    'SysctlNameError',
    'SystemError',
    'conntrack',
    'createNetns',
    'files',
    'iptables',
    'isNetlinkError',
    'isOwnNetns',
    'linkSysctl',
    'netnsCookie',
    'nftables',
    'openConnection',
    'openNetns',
    'openOwnNetns',
    'readSysctl',
    'removeNetns',
    'rtnetlink',
    'sameNetns',
    'setSysctl',
    'setSysctls',
    'sockets',
    'sysctlPath',
    'tap',
    'tryLockExclusive',
  ]);
});

test('the families that talk netlink are apart, because both have rules', () => {
  expect(door.rtnetlink.addRule).not.toBe(door.nftables.addRule as never);
  expect(Object.keys(door.conntrack)).toEqual(['deleteConntrackEntries']);
});
