/**
 * How Fairlead's table tells other firewalls what to accept: an accept in one table does not help against a drop in
 * another, so the packets get a bit of the mark before the others' chains, which they lose after those. One rule `accept
 * what is marked` in another firewall is enough for all containers.
 */

/** Nobody else's, as far as is known: portmap has 13, Kubernetes 14 and 15, Cilium 8–11, Calico 20–31, Tailscale 16–23. */
export const acceptBit = 12;
