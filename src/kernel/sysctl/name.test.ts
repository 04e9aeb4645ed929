import { describe, expect, test } from 'bun:test';
import { linkSysctl, SysctlNameError, sysctlPath } from './name.ts';

describe('names', () => {
  test.each([
    ['net/ipv4/ip_forward', 'net/ipv4/ip_forward'],
    ['net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
    ['net/ipv4/conf/eth0.100/forwarding', 'net/ipv4/conf/eth0.100/forwarding'],
    ['net.ipv4.conf.eth0/100.forwarding', 'net/ipv4/conf/eth0.100/forwarding'],
    ['net.ipv6.conf.all.disable_ipv6', 'net/ipv6/conf/all/disable_ipv6'],
    ['kernel/random/boot_id', 'kernel/random/boot_id'],
  ])('%s', (name, path) => expect(sysctlPath(name)).toBe(path));

  test.each([
    ['../../etc/passwd', 'a part of the name is empty'],
    ['net/../../etc/passwd', '".." cannot be a part'],
    ['net.//.passwd', '".." cannot be a part'],
    ['/etc/passwd', 'a part of the name is empty'],
    ['net//ipv4', 'a part of the name is empty'],
    ['net.ipv4.', 'a part of the name is empty'],
    ['net/./ipv4', '"." cannot be a part'],
    ['net/ipv4/a\0b', 'a space or a control character'],
    ['net/ipv4/a\nb', 'a space or a control character'],
    ['net', 'at least two parts'],
    ['', 'at least two parts'],
  ])('%p is refused', (name, message) => {
    expect(() => sysctlPath(name)).toThrow(SysctlNameError);
    expect(() => sysctlPath(name)).toThrow(message);
  });

  test("a link's own setting keeps the dots of the link's name", () => {
    expect(sysctlPath(linkSysctl('ipv6', 'eth0.5', 'accept_dad'))).toBe('net/ipv6/conf/eth0.5/accept_dad');
  });
});
