import { describe, expect, test } from 'bun:test';
import { isUnicastMac, macToBytes } from '../lib/mac.ts';
import { identityOf, isHostLinkOf, isHostMacOf, ownerAlias } from './attachment-identity.ts';

const attachment = { network: 'net', containerId: 'c1', ifname: 'eth0' };

test('it is the same each time, also in versions to come: what runs was made with it', () => {
  expect(identityOf(attachment)).toEqual(identityOf({ ...attachment }));
  expect(identityOf(attachment)).toEqual({
    hostName: 'veth820d8eb1',
    hostMac: 'fa:a0:8a:fb:46:bc',
    containerMac: 'fa:10:28:d3:7e:65',
  });
});

test.each([
  { ...attachment, network: 'net2' },
  { ...attachment, containerId: 'c2' },
  { ...attachment, ifname: 'eth1' },
  { network: 'netc', containerId: '1', ifname: 'eth0' },
])('%j has another', (other) => {
  const [one, two] = [identityOf(attachment), identityOf(other)];
  expect(two.hostName).not.toBe(one.hostName);
  expect(two.hostMac).not.toBe(one.hostMac);
  expect(two.containerMac).not.toBe(one.containerMac);
});

test('addresses are unicast, locally administered, and differ on both sides', () => {
  const { hostMac, containerMac, hostName } = identityOf(attachment);
  for (const mac of [hostMac, containerMac]) {
    expect(isUnicastMac(mac)).toBe(true);
    expect((macToBytes(mac)[0] ?? 0) & 2).toBe(2);
  }
  expect(hostMac).not.toBe(containerMac);
  expect(hostName).toMatch(/^veth[0-9a-f]{8}$/);
});

describe('the host side’s address tells the network', () => {
  test('of its attachments, and of no other’s', () => {
    for (let index = 0; index < 100; index++) {
      const { hostMac } = identityOf({ ...attachment, containerId: `c${index}` });
      expect(isHostMacOf('net', hostMac)).toBe(true);
      expect(isHostMacOf('net2', hostMac)).toBe(false);
    }
  });

  test('networks that share its bits are told apart by the alias', () => {
    const { hostMac } = identityOf(attachment);
    const alias = ownerAlias(attachment);
    expect(isHostLinkOf('net', { mac: hostMac })).toBe(true);
    expect(isHostLinkOf('net', { mac: hostMac, alias })).toBe(true);
    expect(isHostLinkOf('net', { mac: hostMac, alias: `other${alias}` })).toBe(false);
    expect(isHostLinkOf('net', { mac: '02:00:00:00:00:01', alias })).toBe(false);
  });

  test('and not of links that others made', () => {
    expect(isHostMacOf('net', '02:00:00:00:00:01')).toBe(false);
    expect(isHostMacOf('net', '')).toBe(false);
  });
});
