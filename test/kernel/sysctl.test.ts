/** Settings in namespaces of their own, held against what cat(1) reads there. As root. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNetns, type NetworkNamespace, openNetns, removeNetns } from '../../src/kernel/netns/netns.ts';
import {
  linkSysctl,
  readSysctl,
  SysctlError,
  SysctlNameError,
  setSysctl,
  setSysctls,
} from '../../src/kernel/sysctl/index.ts';

let directory: string;
let netns: NetworkNamespace;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-sysctl-'));
  createNetns(join(directory, 'ns'));
  netns = openNetns(join(directory, 'ns'));
});

afterAll(() => {
  netns.close();
  removeNetns(join(directory, 'ns'));
  rmSync(directory, { recursive: true });
});

function cat(name: string): string {
  return execFileSync('nsenter', [`--net=${netns.path}`, 'cat', `/proc/sys/${name}`], {
    encoding: 'utf8',
  }).trim();
}

describe('set and read', () => {
  test.each([
    ['net/ipv4/ip_forward', '1'],
    ['net/ipv6/conf/lo/forwarding', '1'],
    ['net/ipv4/ping_group_range', '10\t20'],
    ['net/ipv4/tcp_congestion_control', 'reno'],
  ])('%s in the namespace and not here', (name, value) => {
    const here = readSysctl(name);
    const before = cat(name);
    expect(setSysctl(name, value, { netns })).toBe(before);
    expect(cat(name)).toBe(value);
    expect(readSysctl(name, { netns })).toBe(value);
    expect(readSysctl(name)).toBe(here);
  });

  test('dots for slashes, and spaces for tabs', () => {
    setSysctl('net.ipv4.ip_local_port_range', '30000 40000', { netns });
    expect(cat('net/ipv4/ip_local_port_range')).toBe('30000\t40000');
  });

  test('several at once, with the values before', () => {
    setSysctls({ 'net/ipv4/conf/lo/arp_notify': '0', 'net/ipv4/conf/lo/arp_filter': '0' }, { netns });
    const before = setSysctls(
      { 'net/ipv4/conf/lo/arp_notify': '1', 'net/ipv4/conf/lo/arp_filter': '1' },
      { netns },
    );
    expect(before).toEqual({ 'net/ipv4/conf/lo/arp_notify': '0', 'net/ipv4/conf/lo/arp_filter': '0' });
    expect(cat('net/ipv4/conf/lo/arp_filter')).toBe('1');
  });

  test('one that can only be written: there is no value before', () => {
    expect(setSysctl('net/ipv4/route/flush', '1', { netns })).toBeUndefined();
  });

  test("a link's own with a dot in its name", () => {
    const run = (...argv: string[]) => execFileSync('nsenter', [`--net=${netns.path}`, 'ip', ...argv]);
    run('link', 'add', 'a.b', 'type', 'bridge');
    setSysctl(linkSysctl('ipv4', 'a.b', 'rp_filter'), '2', { netns });
    expect(cat('net/ipv4/conf/a.b/rp_filter')).toBe('2');
    run('link', 'del', 'a.b');
  });
});

describe('what cannot be set', () => {
  test('a setting that is not there', () => {
    const name = linkSysctl('ipv6', 'nolink', 'accept_dad');
    expect(() => setSysctl(name, '0', { netns })).toThrow(
      `set sysctl net/ipv6/conf/nolink/accept_dad to "0" in ${netns.path}: this kernel has no such setting, or there is no such link (ENOENT)`,
    );
    expect(setSysctl(name, '0', { netns, ifSupported: true })).toBeUndefined();
    expect(readSysctl(name, { netns, ifSupported: true })).toBeUndefined();
  });

  test('a value that the kernel refuses: those before it are set, those after it are not', () => {
    setSysctls({ 'net/ipv4/conf/lo/arp_notify': '0', 'net/ipv4/conf/lo/arp_filter': '0' }, { netns });
    const values = {
      'net/ipv4/conf/lo/arp_notify': '1',
      'net/ipv4/ip_forward': 'yes',
      'net/ipv4/conf/lo/arp_filter': '1',
    };
    expect(() => setSysctls(values, { netns })).toThrow(
      /^set sysctl net\/ipv4\/ip_forward to "yes" in .*: the kernel does not take this value \(EINVAL\)$/,
    );
    expect([cat('net/ipv4/conf/lo/arp_notify'), cat('net/ipv4/conf/lo/arp_filter')]).toEqual(['1', '0']);
  });

  test('a bad name: nothing is set at all', () => {
    setSysctl('net/ipv4/conf/lo/arp_notify', '0', { netns });
    const values = { 'net/ipv4/conf/lo/arp_notify': '1', '../etc/passwd': 'x' };
    expect(() => setSysctls(values, { netns })).toThrow(SysctlNameError);
    expect(cat('net/ipv4/conf/lo/arp_notify')).toBe('0');
  });

  test('a directory', () => {
    expect(() => readSysctl('net/ipv4')).toThrow(SysctlError);
    expect(() => readSysctl('net/ipv4')).toThrow(
      'read sysctl net/ipv4: this is a group of settings (EISDIR)',
    );
  });

  test('one that can only be read', () => {
    expect(() => setSysctl('kernel/random/boot_id', 'x')).toThrow(
      /^set sysctl kernel\/random\/boot_id to "x": not permitted/,
    );
  });
});
