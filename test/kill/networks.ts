/** The networks that are tested: between them, they have every kind of thing that a plugin makes. */
import type { Network } from './chain.ts';

const hostLocal = {
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]] },
};
const only4 = { ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }]] } };
const bridge = { type: 'bridge', bridge: 'br0' };

/** Reservations only. */
export const reservations: Network = {
  ifname: 'eth0',
  plugins: [{ ...bridge, ...hostLocal, executable: 'host-local' }],
};

/** Links and addresses, and nothing that is shared but the bridge. */
export const plain: Network = { ifname: 'eth0', plugins: [{ ...bridge, ...hostLocal }] };

/** Links, and addresses that nobody reserves. */
export const fixed: Network = {
  ifname: 'eth0',
  plugins: [
    {
      ...bridge,
      ipam: { type: 'static', addresses: [{ address: '10.1.0.9/24' }, { address: 'fd00:1::9/64' }] },
    },
  ],
};

/** All that bridge does. */
export const full: Network = {
  ifname: 'eth0',
  plugins: [
    {
      ...bridge,
      ...hostLocal,
      isDefaultGateway: true,
      ipMasq: true,
      macspoofchk: true,
      hairpinMode: true,
      portIsolation: true,
    },
  ],
};

/** Ports of both protocols and families. */
export const published: Network = {
  ifname: 'eth0',
  plugins: [
    { ...bridge, ...hostLocal, isGateway: true },
    {
      type: 'portmap',
      runtimeConfig: {
        portMappings: [
          { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
          { hostPort: 5353, containerPort: 53, protocol: 'udp' },
        ],
      },
    },
  ],
};

/** Elements in two tables, a chain that comes with the first container of a bridge. */
export const guarded: Network = {
  ifname: 'eth0',
  plugins: [...fixed.plugins, { type: 'firewall', ingressPolicy: 'isolated' }],
};

/** The container's own loopback. */
export const loopback: Network = { ifname: 'lo', plugins: [{ type: 'loopback' }] };

/** Settings of the interface, kept in a file for DEL. */
export const tuned: Network = {
  ifname: 'eth0',
  plugins: [
    ...fixed.plugins,
    {
      type: 'tuning',
      sysctl: { 'net.core.somaxconn': '99' },
      mtu: 1400,
      mac: '02:00:00:00:00:77',
      promisc: true,
    },
  ],
};

/** Qdiscs, filters, an ifb. */
export const limited: Network = {
  ifname: 'eth0',
  plugins: [
    ...fixed.plugins,
    {
      type: 'bandwidth',
      ingressRate: 8_000_000,
      ingressBurst: 800_000,
      egressRate: 8_000_000,
      egressBurst: 800_000,
    },
  ],
};

/** Rules and tables in the container. */
export const routed: Network = { ifname: 'eth0', plugins: [...fixed.plugins, { type: 'sbr' }] };

/** A vrf in the container. */
export const separate: Network = {
  ifname: 'eth0',
  plugins: [...fixed.plugins, { type: 'vrf', vrfname: 'blue' }],
};

/** A cable, its routes, its masquerading. */
export const cabled: Network = { ifname: 'eth0', plugins: [{ type: 'ptp', ...hostLocal, ipMasq: true }] };

/** A link on the node's link `up0`, which the tests of these make; IPv4, since IPv6 waits for its neighbours. */
export const onMaster = (type: 'ipvlan' | 'macvlan' | 'vlan', keys: object = {}): Network => ({
  ifname: 'eth0',
  plugins: [{ type, master: 'up0', ...keys, ...only4 }],
});

/** A tap. */
export const tapped: Network = {
  ifname: 'eth0',
  plugins: [{ type: 'tap', ...hostLocal, owner: 1000, group: 1000, mtu: 1400 }],
};

/** A link that sits on none; the second kernel, which is slow, has it. */
export const alone: Network = { ifname: 'eth0', plugins: [{ type: 'dummy', ...only4 }] };

/** A device of the node's, which the tests of these make. */
export const given = (device: string): Network => ({
  ifname: 'eth0',
  plugins: [{ type: 'host-device', device, ...only4 }],
});
