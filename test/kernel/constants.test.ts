/**
 * The numbers in src/kernel, held against the kernel's own headers. They are read from the source, so that none is
 * forgotten: a constant or an attribute that is new in the source and not named here is a failure.
 */
// packages: linux-libc-dev
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { errnoName } from '../../src/lib/errno.ts';
import { readHeaders } from './headers.ts';

const kernel = new URL('../../src/kernel', import.meta.url).pathname;
const source = (path: string) => readFileSync(`${kernel}/${path}`, 'utf8');
const files = [...new Bun.Glob('**/*.ts').scanSync({ cwd: kernel })]
  .filter((path) => !path.endsWith('.test.ts'))
  .sort();

const headers = readHeaders([
  'linux/netlink.h',
  'linux/rtnetlink.h',
  'linux/if.h',
  'linux/if_link.h',
  'linux/if_addr.h',
  'linux/if_bridge.h',
  'linux/neighbour.h',
  'linux/fib_rules.h',
  'linux/veth.h',
  'linux/netfilter.h',
  'linux/netfilter_arp.h',
  'linux/netfilter/nfnetlink.h',
  'linux/netfilter/nf_tables.h',
  'linux/netfilter/nf_nat.h',
  'linux/netfilter/nfnetlink_conntrack.h',
  'linux/magic.h',
  'linux/sched.h',
  'linux/mount.h',
  'linux/fcntl.h',
  'linux/stat.h',
  'asm-generic/fcntl.h',
  'asm-generic/socket.h',
]);

function header(name: string): number {
  const value = headers.get(name);
  if (value === undefined) throw new Error(`the headers have no ${name}`);
  return value;
}

/** Constants of the C library's headers, or of headers that are not published: what shows that they are right. */
const elsewhere: Readonly<Record<string, string>> = {
  AF_UNSPEC: 'bits/socket.h of the C library; every socket',
  AF_INET: 'bits/socket.h; test/kernel/addresses.test.ts',
  AF_INET6: 'bits/socket.h; test/kernel/addresses.test.ts',
  AF_BRIDGE: 'bits/socket.h; test/kernel/neighbours.test.ts',
  AF_NETLINK: 'bits/socket.h; every socket',
  SOCK_RAW: 'bits/socket_type.h; every socket',
  SOCK_CLOEXEC: 'bits/socket_type.h; test/kernel/netns.test.ts',
  SOL_NETLINK: 'bits/socket.h; extended acknowledgements in test/kernel/links.test.ts',
  MSG_TRUNC: 'bits/socket.h; src/kernel/netlink/socket.test.ts',
  MSG_DONTWAIT: 'bits/socket.h; src/kernel/netlink/socket.test.ts',
  MNT_DETACH: 'sys/mount.h; test/kernel/netns.test.ts',
  CTA_FILTER_F_IP_DST: 'net/netfilter/nf_internals.h; test/kernel/conntrack.test.ts',
  CTA_FILTER_F_PROTO_NUM: 'net/netfilter/nf_internals.h; test/kernel/conntrack.test.ts',
  CTA_FILTER_F_PROTO_DST_PORT: 'net/netfilter/nf_internals.h; test/kernel/conntrack.test.ts',
};

const constants = files.flatMap((path) =>
  [...source(path).matchAll(/\bconst ([A-Z][A-Z0-9]*_[A-Z0-9_]+) = ([^;{]+);/g)].map(
    ([, name = '', value = '']) => [name, value, path] as const,
  ),
);

describe('constants by their names', () => {
  test.each(constants)('%s = %s in %s', (name, value) => {
    if (elsewhere[name] !== undefined) return;
    expect(Number(value.replaceAll('_', ''))).toBe(header(name));
  });

  test('those that are elsewhere are in the source, and not in the headers', () => {
    const names = constants.map(([name]) => name);
    expect(Object.keys(elsewhere).filter((name) => !names.includes(name) || headers.has(name))).toEqual([]);
  });

  test('there are some', () => {
    expect(constants.length).toBeGreaterThan(60);
  });
});

/** Where attributes are declared (`name: attribute(NUMBER, …)`), and what the kernel calls them. */
const attributes: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>> = {
  'netlink/error.ts': { message: 'NLMSGERR_ATTR_MSG', offset: 'NLMSGERR_ATTR_OFFS' },
  'nftables/table.ts': { name: 'NFTA_TABLE_NAME', userdata: 'NFTA_TABLE_USERDATA' },
  'nftables/chain.ts': {
    table: 'NFTA_CHAIN_TABLE',
    name: 'NFTA_CHAIN_NAME',
    hook: 'NFTA_CHAIN_HOOK',
    number: 'NFTA_HOOK_HOOKNUM',
    priority: 'NFTA_HOOK_PRIORITY',
    device: 'NFTA_HOOK_DEV',
    policy: 'NFTA_CHAIN_POLICY',
    references: 'NFTA_CHAIN_USE',
    type: 'NFTA_CHAIN_TYPE',
    userdata: 'NFTA_CHAIN_USERDATA',
  },
  'nftables/rule.ts': {
    table: 'NFTA_RULE_TABLE',
    chain: 'NFTA_RULE_CHAIN',
    handle: 'NFTA_RULE_HANDLE',
    expressions: 'NFTA_RULE_EXPRESSIONS',
    userdata: 'NFTA_RULE_USERDATA',
  },
  'nftables/set.ts': {
    table: 'NFTA_SET_TABLE',
    name: 'NFTA_SET_NAME',
    flags: 'NFTA_SET_FLAGS',
    keyType: 'NFTA_SET_KEY_TYPE',
    keyLength: 'NFTA_SET_KEY_LEN',
    dataType: 'NFTA_SET_DATA_TYPE',
    dataLength: 'NFTA_SET_DATA_LEN',
    description: 'NFTA_SET_DESC',
    concat: 'NFTA_SET_DESC_CONCAT',
    length: 'NFTA_SET_FIELD_LEN',
    id: 'NFTA_SET_ID',
    userdata: 'NFTA_SET_USERDATA',
  },
  'nftables/element.ts': {
    flags: 'NFTA_SET_ELEM_FLAGS',
    key: 'NFTA_SET_ELEM_KEY',
    keyEnd: 'NFTA_SET_ELEM_KEY_END',
    data: 'NFTA_SET_ELEM_DATA',
    userdata: 'NFTA_SET_ELEM_USERDATA',
    table: 'NFTA_SET_ELEM_LIST_TABLE',
    set: 'NFTA_SET_ELEM_LIST_SET',
    elements: 'NFTA_SET_ELEM_LIST_ELEMENTS',
  },
  'nftables/data.ts': {
    value: 'NFTA_DATA_VALUE',
    verdict: 'NFTA_DATA_VERDICT',
    code: 'NFTA_VERDICT_CODE',
    chain: 'NFTA_VERDICT_CHAIN',
  },
  'nftables/generation.ts': { id: 'NFTA_GEN_ID' },
  'nftables/transaction.ts': { generation: 'NFNL_BATCH_GENID' },
  'nftables/expr/expression.ts': { name: 'NFTA_EXPR_NAME', data: 'NFTA_EXPR_DATA' },
  'nftables/expr/bitwise.ts': {
    source: 'NFTA_BITWISE_SREG',
    destination: 'NFTA_BITWISE_DREG',
    length: 'NFTA_BITWISE_LEN',
    mask: 'NFTA_BITWISE_MASK',
    xor: 'NFTA_BITWISE_XOR',
  },
  'nftables/expr/cmp.ts': { source: 'NFTA_CMP_SREG', operator: 'NFTA_CMP_OP', data: 'NFTA_CMP_DATA' },
  'nftables/expr/counter.ts': { bytes: 'NFTA_COUNTER_BYTES', packets: 'NFTA_COUNTER_PACKETS' },
  'nftables/expr/ct.ts': {
    destination: 'NFTA_CT_DREG',
    key: 'NFTA_CT_KEY',
    direction: 'NFTA_CT_DIRECTION',
    source: 'NFTA_CT_SREG',
  },
  'nftables/expr/fib.ts': {
    destination: 'NFTA_FIB_DREG',
    result: 'NFTA_FIB_RESULT',
    flags: 'NFTA_FIB_FLAGS',
  },
  'nftables/expr/immediate.ts': { destination: 'NFTA_IMMEDIATE_DREG', data: 'NFTA_IMMEDIATE_DATA' },
  'nftables/expr/lookup.ts': {
    set: 'NFTA_LOOKUP_SET',
    source: 'NFTA_LOOKUP_SREG',
    destination: 'NFTA_LOOKUP_DREG',
    flags: 'NFTA_LOOKUP_FLAGS',
  },
  'nftables/expr/masq.ts': { flags: 'NFTA_MASQ_FLAGS' },
  'nftables/expr/meta.ts': { destination: 'NFTA_META_DREG', key: 'NFTA_META_KEY', source: 'NFTA_META_SREG' },
  'nftables/expr/nat.ts': {
    type: 'NFTA_NAT_TYPE',
    family: 'NFTA_NAT_FAMILY',
    address: 'NFTA_NAT_REG_ADDR_MIN',
    port: 'NFTA_NAT_REG_PROTO_MIN',
    flags: 'NFTA_NAT_FLAGS',
  },
  'nftables/expr/payload.ts': {
    destination: 'NFTA_PAYLOAD_DREG',
    base: 'NFTA_PAYLOAD_BASE',
    offset: 'NFTA_PAYLOAD_OFFSET',
    length: 'NFTA_PAYLOAD_LEN',
  },
  'nftables/expr/range.ts': {
    source: 'NFTA_RANGE_SREG',
    operator: 'NFTA_RANGE_OP',
    from: 'NFTA_RANGE_FROM_DATA',
    to: 'NFTA_RANGE_TO_DATA',
  },
  'nftables/expr/reject.ts': { type: 'NFTA_REJECT_TYPE', code: 'NFTA_REJECT_ICMP_CODE' },
  'conntrack/tuple.ts': {
    ip: 'CTA_TUPLE_IP',
    source4: 'CTA_IP_V4_SRC',
    destination4: 'CTA_IP_V4_DST',
    source6: 'CTA_IP_V6_SRC',
    destination6: 'CTA_IP_V6_DST',
    protocol: 'CTA_TUPLE_PROTO',
    number: 'CTA_PROTO_NUM',
    sourcePort: 'CTA_PROTO_SRC_PORT',
    destinationPort: 'CTA_PROTO_DST_PORT',
  },
  'conntrack/conntrack.ts': {
    original: ['CTA_TUPLE_ORIG', 'CTA_FILTER_ORIG_FLAGS'],
    id: 'CTA_ID',
    zone: 'CTA_ZONE',
    filter: 'CTA_FILTER',
    reply: 'CTA_FILTER_REPLY_FLAGS',
  },
  'rtnetlink/link-message.ts': {
    kind: 'IFLA_INFO_KIND',
    data: 'IFLA_INFO_DATA',
    slaveKind: 'IFLA_INFO_SLAVE_KIND',
    slaveData: 'IFLA_INFO_SLAVE_DATA',
    mac: 'IFLA_ADDRESS',
    name: 'IFLA_IFNAME',
    mtu: 'IFLA_MTU',
    parent: 'IFLA_LINK',
    master: 'IFLA_MASTER',
    txQueueLength: 'IFLA_TXQLEN',
    operState: 'IFLA_OPERSTATE',
    info: 'IFLA_LINKINFO',
    alias: 'IFLA_IFALIAS',
    afSpec: 'IFLA_AF_SPEC',
    group: 'IFLA_GROUP',
    netnsFd: 'IFLA_NET_NS_FD',
    extMask: 'IFLA_EXT_MASK',
    promiscuity: 'IFLA_PROMISCUITY',
    txQueues: 'IFLA_NUM_TX_QUEUES',
    rxQueues: 'IFLA_NUM_RX_QUEUES',
    parentNetnsId: 'IFLA_LINK_NETNSID',
    permanentMac: 'IFLA_PERM_ADDRESS',
  },
  'rtnetlink/bridge-port-data.ts': {
    state: 'IFLA_BRPORT_STATE',
    priority: 'IFLA_BRPORT_PRIORITY',
    cost: 'IFLA_BRPORT_COST',
    hairpin: 'IFLA_BRPORT_MODE',
    bpduGuard: 'IFLA_BRPORT_GUARD',
    rootBlock: 'IFLA_BRPORT_PROTECT',
    fastLeave: 'IFLA_BRPORT_FAST_LEAVE',
    learning: 'IFLA_BRPORT_LEARNING',
    unicastFlood: 'IFLA_BRPORT_UNICAST_FLOOD',
    proxyArp: 'IFLA_BRPORT_PROXYARP',
    multicastFlood: 'IFLA_BRPORT_MCAST_FLOOD',
    broadcastFlood: 'IFLA_BRPORT_BCAST_FLOOD',
    groupForwardMask: 'IFLA_BRPORT_GROUP_FWD_MASK',
    neighbourSuppress: 'IFLA_BRPORT_NEIGH_SUPPRESS',
    isolated: 'IFLA_BRPORT_ISOLATED',
    locked: 'IFLA_BRPORT_LOCKED',
    number: 'IFLA_BRPORT_NO',
  },
  'rtnetlink/bridge-vlan.ts': {
    flags: 'IFLA_BRIDGE_FLAGS',
    info: 'BRIDGE_VLANDB_ENTRY_INFO',
    last: 'BRIDGE_VLANDB_ENTRY_RANGE',
  },
  'rtnetlink/neighbour-message.ts': {
    dst: 'NDA_DST',
    mac: 'NDA_LLADDR',
    vlan: 'NDA_VLAN',
    port: 'NDA_PORT',
    vni: 'NDA_VNI',
    linkIndex: 'NDA_IFINDEX',
    master: 'NDA_MASTER',
  },
  'rtnetlink/address.ts': {
    address: 'IFA_ADDRESS',
    local: 'IFA_LOCAL',
    label: 'IFA_LABEL',
    broadcast: 'IFA_BROADCAST',
    lifetimes: 'IFA_CACHEINFO',
    flags: 'IFA_FLAGS',
    metric: 'IFA_RT_PRIORITY',
    protocol: 'IFA_PROTO',
  },
  'rtnetlink/route-message.ts': {
    mtu: 'RTAX_MTU',
    advmss: 'RTAX_ADVMSS',
    gateway: ['RTA_GATEWAY', 'RTA_GATEWAY'],
    via: ['RTA_VIA', 'RTA_VIA'],
    dst: 'RTA_DST',
    src: 'RTA_SRC',
    iif: 'RTA_IIF',
    oif: 'RTA_OIF',
    priority: 'RTA_PRIORITY',
    prefSrc: 'RTA_PREFSRC',
    metrics: 'RTA_METRICS',
    nextHops: 'RTA_MULTIPATH',
    table: 'RTA_TABLE',
    mark: 'RTA_MARK',
  },
  'rtnetlink/rule.ts': {
    dst: 'FRA_DST',
    src: 'FRA_SRC',
    iif: 'FRA_IFNAME',
    priority: 'FRA_PRIORITY',
    mark: 'FRA_FWMARK',
    suppressPrefixLength: 'FRA_SUPPRESS_PREFIXLEN',
    table: 'FRA_TABLE',
    mask: 'FRA_FWMASK',
    oif: 'FRA_OIFNAME',
    protocol: 'FRA_PROTOCOL',
  },
  'rtnetlink/kinds/bridge.ts': {
    forwardDelay: 'IFLA_BR_FORWARD_DELAY',
    helloTime: 'IFLA_BR_HELLO_TIME',
    maxAge: 'IFLA_BR_MAX_AGE',
    ageingTime: 'IFLA_BR_AGEING_TIME',
    stpState: 'IFLA_BR_STP_STATE',
    priority: 'IFLA_BR_PRIORITY',
    vlanFiltering: 'IFLA_BR_VLAN_FILTERING',
    vlanProtocol: 'IFLA_BR_VLAN_PROTOCOL',
    groupForwardMask: 'IFLA_BR_GROUP_FWD_MASK',
    groupAddress: 'IFLA_BR_GROUP_ADDR',
    multicastRouter: 'IFLA_BR_MCAST_ROUTER',
    multicastSnooping: 'IFLA_BR_MCAST_SNOOPING',
    multicastQuerier: 'IFLA_BR_MCAST_QUERIER',
    callIptables: 'IFLA_BR_NF_CALL_IPTABLES',
    callIp6tables: 'IFLA_BR_NF_CALL_IP6TABLES',
    callArptables: 'IFLA_BR_NF_CALL_ARPTABLES',
    vlanDefaultPvid: 'IFLA_BR_VLAN_DEFAULT_PVID',
  },
  'rtnetlink/kinds/ipvlan.ts': { mode: 'IFLA_IPVLAN_MODE', isolation: 'IFLA_IPVLAN_FLAGS' },
  'rtnetlink/kinds/macvlan.ts': {
    mode: 'IFLA_MACVLAN_MODE',
    broadcastQueueLength: 'IFLA_MACVLAN_BC_QUEUE_LEN',
  },
  'rtnetlink/kinds/veth.ts': { peer: 'VETH_INFO_PEER' },
  'rtnetlink/kinds/vlan.ts': { id: 'IFLA_VLAN_ID', flags: 'IFLA_VLAN_FLAGS', protocol: 'IFLA_VLAN_PROTOCOL' },
};

/** Every attribute that a file declares, as `name=number`, sorted. */
function declared(path: string): string[] {
  return [...source(path).matchAll(/\b(\w+): attribute\(\s*(\d+)/g)]
    .map(([, name, number]) => `${name}=${number}`)
    .sort();
}

describe('attributes', () => {
  test('every file that declares some is named here', () => {
    expect(Object.keys(attributes).sort()).toEqual(files.filter((path) => declared(path).length > 0));
  });

  test.each(Object.keys(attributes))('%s', (path) => {
    const wanted = Object.entries(attributes[path] ?? {}).flatMap(([name, names]) =>
      [names].flat().map((each) => `${name}=${header(each)}`),
    );
    expect(declared(path)).toEqual(wanted.sort());
  });
});

/** Tables of words for numbers (`name = { word: number, … }`) in the source. */
const tables: readonly (readonly [path: string, table: string, names: Readonly<Record<string, string>>])[] = [
  [
    'nftables/table.ts',
    'familyNumbers',
    {
      inet: 'NFPROTO_INET',
      ip: 'NFPROTO_IPV4',
      arp: 'NFPROTO_ARP',
      netdev: 'NFPROTO_NETDEV',
      bridge: 'NFPROTO_BRIDGE',
      ip6: 'NFPROTO_IPV6',
    },
  ],
  [
    'nftables/data.ts',
    'verdictCodes',
    {
      drop: 'NF_DROP',
      accept: 'NF_ACCEPT',
      continue: 'NFT_CONTINUE',
      jump: 'NFT_JUMP',
      goto: 'NFT_GOTO',
      return: 'NFT_RETURN',
    },
  ],
  [
    'nftables/expr/payload.ts',
    'bases',
    {
      link: 'NFT_PAYLOAD_LL_HEADER',
      network: 'NFT_PAYLOAD_NETWORK_HEADER',
      transport: 'NFT_PAYLOAD_TRANSPORT_HEADER',
    },
  ],
  [
    'nftables/expr/meta.ts',
    'keys',
    {
      protocol: 'NFT_META_PROTOCOL',
      mark: 'NFT_META_MARK',
      iif: 'NFT_META_IIF',
      oif: 'NFT_META_OIF',
      iifname: 'NFT_META_IIFNAME',
      oifname: 'NFT_META_OIFNAME',
      nfproto: 'NFT_META_NFPROTO',
      l4proto: 'NFT_META_L4PROTO',
      ibrname: 'NFT_META_BRI_IIFNAME',
      obrname: 'NFT_META_BRI_OIFNAME',
    },
  ],
  [
    'nftables/expr/ct.ts',
    'keys',
    {
      state: 'NFT_CT_STATE',
      direction: 'NFT_CT_DIRECTION',
      status: 'NFT_CT_STATUS',
      mark: 'NFT_CT_MARK',
      protocol: 'NFT_CT_PROTOCOL',
      'proto-src': 'NFT_CT_PROTO_SRC',
      'proto-dst': 'NFT_CT_PROTO_DST',
      'ip saddr': 'NFT_CT_SRC_IP',
      'ip daddr': 'NFT_CT_DST_IP',
      'ip6 saddr': 'NFT_CT_SRC_IP6',
      'ip6 daddr': 'NFT_CT_DST_IP6',
    },
  ],
  ['nftables/expr/fib.ts', 'flags', { saddr: 'NFTA_FIB_F_SADDR', daddr: 'NFTA_FIB_F_DADDR' }],
  [
    'nftables/expr/reject.ts',
    'types',
    {
      icmp: 'NFT_REJECT_ICMP_UNREACH',
      'tcp reset': 'NFT_REJECT_TCP_RST',
      icmpx: 'NFT_REJECT_ICMPX_UNREACH',
    },
  ],
  [
    'nftables/expr/nat-flags.ts',
    'bits',
    {
      random: 'NF_NAT_RANGE_PROTO_RANDOM',
      persistent: 'NF_NAT_RANGE_PERSISTENT',
      'fully-random': 'NF_NAT_RANGE_PROTO_RANDOM_FULLY',
    },
  ],
  [
    'nftables/expr/cmp.ts',
    'operators',
    {
      '==': 'NFT_CMP_EQ',
      '!=': 'NFT_CMP_NEQ',
      '<': 'NFT_CMP_LT',
      '<=': 'NFT_CMP_LTE',
      '>': 'NFT_CMP_GT',
      '>=': 'NFT_CMP_GTE',
    },
  ],
  ['nftables/expr/nat.ts', 'types', { snat: 'NFT_NAT_SNAT', dnat: 'NFT_NAT_DNAT' }],
  ['nftables/expr/nat.ts', 'families', { 4: 'NFPROTO_IPV4', 6: 'NFPROTO_IPV6' }],
  ['conntrack/conntrack.ts', 'familyNumbers', { 4: 'NFPROTO_IPV4', 6: 'NFPROTO_IPV6' }],
  [
    'rtnetlink/kinds/macvlan.ts',
    'modes',
    {
      private: 'MACVLAN_MODE_PRIVATE',
      vepa: 'MACVLAN_MODE_VEPA',
      bridge: 'MACVLAN_MODE_BRIDGE',
      passthru: 'MACVLAN_MODE_PASSTHRU',
      source: 'MACVLAN_MODE_SOURCE',
    },
  ],
  [
    'rtnetlink/link-message.ts',
    'operStates',
    {
      unknown: 'IF_OPER_UNKNOWN',
      notPresent: 'IF_OPER_NOTPRESENT',
      down: 'IF_OPER_DOWN',
      lowerLayerDown: 'IF_OPER_LOWERLAYERDOWN',
      testing: 'IF_OPER_TESTING',
      dormant: 'IF_OPER_DORMANT',
      up: 'IF_OPER_UP',
    },
  ],
  [
    'rtnetlink/link-settings.ts',
    'linkFlags',
    {
      up: 'IFF_UP',
      broadcast: 'IFF_BROADCAST',
      loopback: 'IFF_LOOPBACK',
      pointToPoint: 'IFF_POINTOPOINT',
      running: 'IFF_RUNNING',
      noArp: 'IFF_NOARP',
      promisc: 'IFF_PROMISC',
      allMulticast: 'IFF_ALLMULTI',
      multicast: 'IFF_MULTICAST',
      lowerUp: 'IFF_LOWER_UP',
    },
  ],
  [
    'rtnetlink/route.ts',
    'routeScopes',
    {
      universe: 'RT_SCOPE_UNIVERSE',
      site: 'RT_SCOPE_SITE',
      link: 'RT_SCOPE_LINK',
      host: 'RT_SCOPE_HOST',
      nowhere: 'RT_SCOPE_NOWHERE',
    },
  ],
  [
    'rtnetlink/route.ts',
    'routeProtocols',
    {
      unspecified: 'RTPROT_UNSPEC',
      redirect: 'RTPROT_REDIRECT',
      kernel: 'RTPROT_KERNEL',
      boot: 'RTPROT_BOOT',
      static: 'RTPROT_STATIC',
      ra: 'RTPROT_RA',
    },
  ],
  [
    'rtnetlink/route-message.ts',
    'routeTypes',
    {
      unspecified: 'RTN_UNSPEC',
      unicast: 'RTN_UNICAST',
      local: 'RTN_LOCAL',
      broadcast: 'RTN_BROADCAST',
      anycast: 'RTN_ANYCAST',
      multicast: 'RTN_MULTICAST',
      blackhole: 'RTN_BLACKHOLE',
      unreachable: 'RTN_UNREACHABLE',
      prohibit: 'RTN_PROHIBIT',
      throw: 'RTN_THROW',
      nat: 'RTN_NAT',
    },
  ],
  [
    'rtnetlink/route-message.ts',
    'nextHopFlags',
    { dead: 'RTNH_F_DEAD', onlink: 'RTNH_F_ONLINK', linkDown: 'RTNH_F_LINKDOWN' },
  ],
  [
    'rtnetlink/rule.ts',
    'actions',
    {
      table: 'FR_ACT_TO_TBL',
      goto: 'FR_ACT_GOTO',
      nop: 'FR_ACT_NOP',
      blackhole: 'FR_ACT_BLACKHOLE',
      unreachable: 'FR_ACT_UNREACHABLE',
      prohibit: 'FR_ACT_PROHIBIT',
    },
  ],
  [
    'rtnetlink/bridge-port-data.ts',
    'states',
    {
      disabled: 'BR_STATE_DISABLED',
      listening: 'BR_STATE_LISTENING',
      learning: 'BR_STATE_LEARNING',
      forwarding: 'BR_STATE_FORWARDING',
      blocking: 'BR_STATE_BLOCKING',
    },
  ],
  [
    'rtnetlink/bridge-vlan.ts',
    'vlanFlags',
    {
      pvid: 'BRIDGE_VLAN_INFO_PVID',
      untagged: 'BRIDGE_VLAN_INFO_UNTAGGED',
      rangeBegin: 'BRIDGE_VLAN_INFO_RANGE_BEGIN',
      rangeEnd: 'BRIDGE_VLAN_INFO_RANGE_END',
    },
  ],
  [
    'rtnetlink/neighbour-message.ts',
    'neighbourStates',
    {
      none: 'NUD_NONE',
      incomplete: 'NUD_INCOMPLETE',
      reachable: 'NUD_REACHABLE',
      stale: 'NUD_STALE',
      delay: 'NUD_DELAY',
      probe: 'NUD_PROBE',
      failed: 'NUD_FAILED',
      noArp: 'NUD_NOARP',
      permanent: 'NUD_PERMANENT',
    },
  ],
  [
    'rtnetlink/neighbour-message.ts',
    'neighbourFlags',
    {
      self: 'NTF_SELF',
      master: 'NTF_MASTER',
      proxy: 'NTF_PROXY',
      externallyLearned: 'NTF_EXT_LEARNED',
      sticky: 'NTF_STICKY',
      router: 'NTF_ROUTER',
    },
  ],
  [
    'rtnetlink/address.ts',
    'givenFlags',
    {
      noDad: 'IFA_F_NODAD',
      optimistic: 'IFA_F_OPTIMISTIC',
      homeAddress: 'IFA_F_HOMEADDRESS',
      manageTempAddress: 'IFA_F_MANAGETEMPADDR',
      noPrefixRoute: 'IFA_F_NOPREFIXROUTE',
    },
  ],
  [
    'rtnetlink/address.ts',
    'flags',
    {
      secondary: 'IFA_F_SECONDARY',
      dadFailed: 'IFA_F_DADFAILED',
      deprecated: 'IFA_F_DEPRECATED',
      tentative: 'IFA_F_TENTATIVE',
      permanent: 'IFA_F_PERMANENT',
    },
  ],
];

test.each(tables)('%s, %s', (path, table, names) => {
  const [, body = ''] = new RegExp(`const ${table}\\b[^={]*= \\{([^}]*)\\}`).exec(source(path)) ?? [];
  const withoutComments = body.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\.\.\..*$/gm, '');
  const found = [...withoutComments.matchAll(/(?:'([^']+)'|(\w+)): (-?[\w]+)/g)].map(
    ([, quoted, plain, number = '']) => `${quoted ?? plain}=${Number(number.replaceAll('_', ''))}`,
  );
  expect(found.sort()).toEqual(
    Object.entries(names)
      .map(([word, name]) => `${word}=${header(name)}`)
      .sort(),
  );
});

test('nf_tables messages', () => {
  const found = [
    ...source('nftables/operation.ts').matchAll(/^ {2}(\w+): nfnetlinkType\(NFNL_SUBSYS_NFTABLES, (\d+)\)/gm),
  ];
  expect(found.length).toBeGreaterThan(15);
  for (const [, name, number] of found)
    expect(`${name} ${number}`).toBe(`${name} ${header(`NFT_MSG_${name}`)}`);
});

test('error numbers', () => {
  const errors = [...readHeaders(['asm-generic/errno-base.h', 'asm-generic/errno.h'])].filter(
    ([name]) => /^E[A-Z]/.test(name) && name !== 'EWOULDBLOCK' && name !== 'EDEADLOCK',
  );
  expect(errors.length).toBeGreaterThan(100);
  const known = errors.map(([name, number]) => [errnoName(number), name] as const);
  const named = known.filter(([ours]) => !/^E\d/.test(ours));
  expect(named.length).toBeGreaterThan(50);
  for (const [ours, name] of named) expect(ours as string).toBe(name);
});

describe('the reader of headers', () => {
  test('numbers, shifts, enums that go on counting, and names for names', () => {
    expect(header('NLM_F_DUMP')).toBe(0x300);
    expect(header('IFLA_UNSPEC')).toBe(0);
    expect(header('IFLA_ADDRESS')).toBe(1);
    expect(header('NFT_JUMP')).toBe(-3);
    expect(header('IFF_LOWER_UP')).toBe(1 << 16);
    expect(() => header('NO_SUCH_NAME')).toThrow('NO_SUCH_NAME');
  });
});
