/** Where Fairlead's base chains stand among others: enum nf_ip_hook_priorities, linux/netfilter_ipv4.h. */
export const priorities = {
  /** Before connection tracking, and so before any translation. */
  raw: -300,
  dstnat: -100,
  /** Where iptables' table `filter` is. */
  filter: 0,
  srcnat: 100,
} as const;
