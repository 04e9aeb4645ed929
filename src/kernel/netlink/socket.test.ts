/** Real sockets: reading lo, which needs no privilege. */
import { describe, expect, test } from 'bun:test';
import { getLink, listLinks } from '../rtnetlink/link.ts';
import { linkMessage, RTM_GETLINK, RTM_SETLINK } from '../rtnetlink/link-message.ts';
import { setSocketOption } from '../sys/libc.ts';
import { connectionOn } from './connection.ts';
import { NETLINK_ROUTE, openSocket } from './socket.ts';

const getLo = {
  operation: 'get lo',
  type: RTM_GETLINK,
  body: linkMessage.encode({ index: 1 }, {}),
};

describe('answers that do not fit', () => {
  test('a datagram longer than the buffer is an error, not half an answer', () => {
    const connection = connectionOn(openSocket(NETLINK_ROUTE, undefined, 64));
    try {
      expect(() => connection.request(getLo)).toThrow(
        /^get lo: receive \d+ bytes into a buffer of 64: message too long \(EMSGSIZE\)$/,
      );
    } finally {
      connection.close();
    }
  });

  test('ENOBUFS is an error at once, and the connection goes on working', () => {
    const socket = openSocket(NETLINK_ROUTE);
    const connection = connectionOn(socket);
    try {
      const [SOL_SOCKET, SO_RCVBUF] = [1, 8];
      setSocketOption(socket.fd, SOL_SOCKET, SO_RCVBUF, Uint8Array.of(0, 16, 0, 0));
      const started = Date.now();
      expect(() => connection.requestAll(Array.from({ length: 100 }, () => getLo))).toThrow(
        'get lo: recv: no buffer space (ENOBUFS)',
      );
      expect(Date.now() - started).toBeLessThan(1000);
      expect(getLink(connection, 1)?.name).toBe('lo');
      expect(listLinks(connection).map(({ name }) => name)).toContain('lo');
    } finally {
      connection.close();
    }
  });

  test('the acknowledgements of very many requests fit the default buffer', () => {
    const connection = connectionOn(openSocket(NETLINK_ROUTE));
    const body = linkMessage.encode({ index: 0x7fff_fff0 }, { mtu: 1 });
    const requests = Array.from({ length: 5000 }, () => ({ operation: 'set mtu', type: RTM_SETLINK, body }));
    try {
      expect(() => connection.requestAll(requests)).toThrow(
        /^set mtu: (no such device|operation not permitted)/,
      );
    } finally {
      connection.close();
    }
  });
});

test('nothing there is undefined, without waiting', () => {
  const socket = openSocket(NETLINK_ROUTE);
  expect(socket.receiveNow()).toBeUndefined();
  socket.close();
});

test('a family that the kernel does not have says which', () => {
  expect(() => openSocket(31)).toThrow('open netlink socket of family 31: protocol not supported');
});

test('an answer is a copy: the next one does not change it', () => {
  const connection = connectionOn(openSocket(NETLINK_ROUTE));
  const [first] = connection.request(getLo);
  const before = first?.body.slice();
  connection.request({
    ...getLo,
    operation: 'get all',
    body: linkMessage.encode({ index: 1 }, { extMask: 8 }),
  });
  expect(first?.body).toEqual(before);
  connection.close();
});
