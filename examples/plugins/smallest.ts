/** The smallest CNI plugin: in a chain, it sets the MTU of the container's interface. */
import { rtnetlink } from 'fairlead/kernel';
import { definePlugin, integer, object, openContainer, pluginMain, refuseProblems } from 'fairlead/plugin';

export const plugin = definePlugin({
  name: 'smallest',
  config: object({ mtu: integer({ min: 1280, max: 65535 }) }),

  add({ attachment, config: { mtu }, previousResult = {} }) {
    using container = openContainer(attachment);
    rtnetlink.changeLink(container, attachment.ifname, { mtu });
    return previousResult;
  },

  del() {}, // the interface goes with the container

  check({ attachment, config: { mtu } }) {
    using container = openContainer(attachment);
    const link = rtnetlink.getLink(container, attachment.ifname);
    refuseProblems(link?.mtu === mtu ? [] : [`${attachment.ifname} has MTU ${link?.mtu}, not ${mtu}`]);
  },
});

if (import.meta.main) await pluginMain(plugin);
