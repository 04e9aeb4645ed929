/**
 * Deleting links without waiting for what nobody needs. RTM_DELLINK takes a link out of its namespace and says so to all who listen;
 * then it waits, mostly ten to thirty milliseconds, until no part of the kernel can be using what the link was made of
 * (rcu_barrier in netdev_run_todo, net/core/dev.c), and only then answers. A thread of the kernel's can do that waiting.
 */
import { readU32 } from '../netlink/bytes.ts';
import type { Connection } from '../netlink/connection.ts';
import type { Frame, Request } from '../netlink/message.ts';
import { send, setSocketOption } from '../sys/libc.ts';
import { openSendRing, type SendLater } from '../sys/send-later.ts';
import { removeLinksBy } from './link-change.ts';
import { RTM_DELLINK } from './link-message.ts';

/** linux/netlink.h, linux/rtnetlink.h. */
const SOL_NETLINK = 270;
const [NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP] = [1, 2];
const RTNLGRP_LINK = 1;

/**
 * From now on `deleteLink` returns when the link has left its namespace. For a process that stays, as its end would wait for
 * all. False, and all stays as it was, where the kernel has no io_uring for this process.
 */
export function removeLinksWithoutWaiting(): boolean {
  const sendLater = openSendRing();
  if (sendLater === undefined) return false;
  removeLinksBy((connection, request, link) => {
    if (typeof link === 'string') connection.request(request);
    else remove(connection, request, link.index, sendLater);
  });
  return true;
}

function remove(connection: Connection, request: Request, index: number, sendLater: SendLater): void {
  setMembership(connection, NETLINK_ADD_MEMBERSHIP);
  try {
    connection.request(request, {
      send: (datagram) => {
        if (!sendLater(connection.fd, datagram)) send(connection.fd, datagram);
      },
      isDone: (frame) => isRemoval(frame, index),
    });
  } finally {
    setMembership(connection, NETLINK_DROP_MEMBERSHIP);
  }
}

/** A bridge tells with the same type, and its own family, that a port has left. */
function isRemoval({ type, body }: Frame, index: number): boolean {
  const AF_UNSPEC = 0;
  return type === RTM_DELLINK && body[0] === AF_UNSPEC && readU32(body, 4) === index;
}

function setMembership({ fd }: Connection, option: number): void {
  setSocketOption(fd, SOL_NETLINK, option, new Uint8Array(new Int32Array([RTNLGRP_LINK]).buffer));
}
