/**
 * A CNI plugin that makes a network: a cable between the node and each container. The IPAM plugin gives the addresses;
 * the node is the gateway, and knows each container by a route.
 */
import {
  addAddress,
  addRoute,
  configureInterface,
  createLink,
  definePlugin,
  deleteHostLink,
  deleteStrayHostLinks,
  formatPrefix,
  gatewayOf,
  hostPrefix,
  identityOf,
  integer,
  interfaceProblems,
  object,
  openContainer,
  openNode,
  pluginMain,
  prefixOf,
  presentLink,
  refuseExistingInterface,
  refuseProblems,
  result,
  runAll,
  setSysctl,
} from 'fairlead/plugin';

export const plugin = definePlugin({
  name: 'point-to-point',
  about: 'connects each container to its node by a cable',
  config: object({ mtu: integer({ min: 1280, max: 65535 }).default(1500) }),

  async add({ attachment, config: { mtu }, ipam, onFailure }) {
    const { ifname, netns } = attachment;
    const { hostName, hostMac, containerMac } = identityOf(attachment);
    using container = openContainer(attachment);
    using node = openNode();
    refuseExistingInterface(container, ifname, netns);
    const { ips = [], dns = {} } = await ipam.add();

    const peer = { name: ifname, mac: containerMac, mtu, netns: container.netns.fd };
    createLink(node, { kind: 'veth', name: hostName, mac: hostMac, mtu, up: true, data: { peer } });
    onFailure(`making link ${hostName}`, () => deleteHostLink(attachment));

    const made = result({ dns, interfaces: [{ name: hostName, mac: hostMac }] });
    const own = made.addInterface({ name: ifname, mac: containerMac, sandbox: netns });
    const oif = presentLink(node, hostName);
    for (const ip of ips) {
      const [address, gateway] = [hostPrefix(prefixOf(ip.address).address), hostPrefix(gatewayOf(ip))];
      addAddress(node, oif, { prefix: gateway, noDad: true });
      addRoute(node, { dst: address, oif });
      made.addIp({ ...ip, address: formatPrefix(address), interface: own });
      made.addRoute({ dst: formatPrefix(gateway), scope: 253 }); // by the cable itself
      made.addRoute({ dst: gateway.length === 32 ? '0.0.0.0/0' : '::/0' });
    }
    await configureInterface(container, ifname, made);
    setSysctl('net/ipv4/ip_forward', '1');
    setSysctl('net/ipv6/conf/all/forwarding', '1');
    return made;
  },

  del: ({ attachment, ipam }) => runAll([() => deleteHostLink(attachment), () => ipam.del()]),

  async check({ attachment, ipam, previousResult }) {
    using container = openContainer(attachment);
    refuseProblems(interfaceProblems(container, attachment, previousResult));
    await ipam.check();
  },

  gc: (request) => runAll([() => deleteStrayHostLinks(request), () => request.ipam.gc()]),

  status: ({ ipam }) => ipam.status(),
});

if (import.meta.main) await pluginMain(plugin);
