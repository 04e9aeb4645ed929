/** Which calls count as changing something, by lines that strace(1) wrote. */
import { describe, expect, test } from 'bun:test';
import { changesSomething, harmlessCalls } from './changing.ts';

const message = (type: string) =>
  `{nlmsg_len=52, nlmsg_type=${type}, nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK, nlmsg_seq=1, nlmsg_pid=0}`;
const sent = (...types: readonly string[]) =>
  `sendto(7<socket:[1]>, [${types.map((type) => `[${message(type)}, "\\x00"]`).join(', ')}], 52, 0, NULL, 0) = 52`;

describe('changes something', () => {
  test.each([
    'openat(AT_FDCWD</>, "/run/x", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 8</run/x>',
    'openat(AT_FDCWD</>, "/run/x", O_RDONLY|O_CREAT|O_CLOEXEC, 0600) = 8</run/x>',
    'openat(AT_FDCWD</>, "/run/x", O_WRONLY|O_TRUNC) = 8</run/x>',
    'write(8</run/x>, "10.1.0.2", 8) = 8',
    'write(9</proc/sys/net/ipv4/conf/eth0/arp_notify>, "1\\n", 2) = 2',
    'write(8</run/x>, "10.1.0.2", 8 <unfinished ...>',
    'link("/run/x", "/run/y") = 0',
    'rename("/run/x", "/run/y") = 0',
    'unlink("/run/x") = 0',
    'mkdir("/run/x", 0755) = 0',
    'utimensat(AT_FDCWD</>, "/run/x", NULL, 0) = 0',
    'ioctl(8</dev/net/tun>, TUNSETPERSIST, 0x1) = 0',
    'setsockopt(7<socket:[1]>, SOL_IP, IPT_SO_SET_REPLACE, "filter"..., 2752) = 0',
    'setsockopt(7<socket:[1]>, SOL_IPV6, IP6T_SO_SET_REPLACE, "filter"..., 3368) = 0',
    'a_call_of_next_year(1) = 0',
    'exit_group(0) = ?',
    sent('RTM_NEWLINK'),
    sent('RTM_DELLINK'),
    sent('0x10 /* NLMSG_??? */'),
    sent('0x13 /* NLMSG_??? */'),
    sent('RTM_GETLINK', 'RTM_SETLINK'),
    sent('NFNL_MSG_BATCH_BEGIN', 'NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_GETRULE', 'NFNL_MSG_BATCH_END'),
    sent('0xa12 /* NLMSG_??? */'),
    'sendto(7<socket:[1]>, "\\x00", 1, 0, NULL, 0) = 1',
  ])('%s', (line) => expect(changesSomething(line)).toBe(true));
});

describe('changes nothing', () => {
  test.each([
    'openat(AT_FDCWD</>, "/run/x", O_RDONLY|O_CLOEXEC) = 8</run/x>',
    'openat(AT_FDCWD</>, "/proc/sys/net/ipv4/conf/eth0/arp_notify", O_WRONLY|O_CLOEXEC) = 9</proc/sys/x>',
    'mkdir("/run/x", 0755) = -1 EEXIST (File exists)',
    'unlink("/run/x") = -1 ENOENT (No such file or directory)',
    'write(1<pipe:[1]>, "{}", 2) = 2',
    'write(5<anon_inode:[eventfd]>, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) = 8',
    'read(0<pipe:[1]>, "{}", 2) = 2',
    'setsockopt(7<socket:[1]>, SOL_NETLINK, NETLINK_EXT_ACK, [1], 4) = 0',
    sent('RTM_GETLINK'),
    sent('0x12 /* NLMSG_??? */'),
    sent('0x16 /* NLMSG_??? */', 'RTM_GETROUTE'),
    sent('NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_GETGEN'),
  ])('%s', (line) => expect(changesSomething(line)).toBe(false));
});

test('no call that makes, changes or removes a file or sends a message is passed over', () => {
  const changing = [
    'openat',
    'creat',
    'write',
    'pwrite64',
    'rename',
    'renameat2',
    'link',
    'unlink',
    'mkdir',
    'rmdir',
  ];
  const others = [
    'sendto',
    'sendmsg',
    'setsockopt',
    'ioctl',
    'mount',
    'umount2',
    'utimensat',
    'fchmod',
    'ftruncate',
    'execve',
  ];
  expect([...changing, ...others].filter((name) => harmlessCalls.includes(name))).toEqual([]);
});
