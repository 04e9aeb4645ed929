import { describe, expect, test } from 'bun:test';
import { describeOwner, goneFrom, isOwnedBy, ownedBy, ownerComment } from './owner.ts';

const attachment = { network: 'net', containerId: 'a'.repeat(64), ifname: 'eth0' };

describe('ownerComment', () => {
  test('says network, container and interface', () => {
    expect(ownerComment(attachment)).toBe(`net ${'a'.repeat(64)} eth0`);
  });

  test.each([
    [{ network: 'n'.repeat(47), containerId: 'c'.repeat(64), ifname: 'i'.repeat(15) }],
    [{ network: 'n'.repeat(300), containerId: 'c'.repeat(255), ifname: 'i'.repeat(15) }],
    [{ network: 'net', containerId: 'c', ifname: 'ä'.repeat(7) }],
    [{ network: 'net', containerId: 'c', ifname: 'say"hi"' }],
  ])('fits a comment that nft can print: %j', (one) => {
    const comment = ownerComment(one);
    expect(Buffer.byteLength(comment)).toBeLessThanOrEqual(128);
    expect(comment).not.toContain('"');
    expect(comment.split(' ')).toHaveLength(3);
  });

  test('tells long words apart', () => {
    const ids = ['b', 'c'].map((end) => ({ ...attachment, containerId: 'a'.repeat(200) + end }));
    expect(new Set(ids.map(ownerComment)).size).toBe(2);
  });
});

test('goneFrom: of this network only, and not the valid ones', () => {
  const gone = goneFrom('net', [{ containerId: 'kept', ifname: 'eth0' }]);
  const is = (network: string, containerId: string, ifname = 'eth0') =>
    isOwnedBy(gone, ownerComment({ network, containerId, ifname }));
  expect([is('net', 'gone'), is('net', 'kept', 'eth1')]).toEqual([true, true]);
  expect([is('net', 'kept'), is('net2', 'gone'), is('ne', 'gone')]).toEqual([false, false, false]);
  expect([isOwnedBy(gone, undefined), isOwnedBy(gone, 'net')]).toEqual([false, false]);
  const long = 'n'.repeat(100);
  expect(isOwnedBy(goneFrom(long, []), ownerComment({ ...attachment, network: long }))).toBe(true);
});

test('ownedBy: the one attachment', () => {
  const owned = ownedBy(attachment);
  expect(isOwnedBy(owned, ownerComment(attachment))).toBe(true);
  expect(isOwnedBy(owned, ownerComment({ ...attachment, ifname: 'eth1' }))).toBe(false);
});

test('describeOwner, for messages', () => {
  expect(describeOwner('net c eth0')).toBe('container c (network net, interface eth0)');
  expect(describeOwner('by hand')).toBe('"by hand"');
  expect(describeOwner(undefined)).toBe('somebody unknown');
});
