#!/bin/bash
# Process 1 of a user-mode kernel with SELinux (selinux.test.ts boots it, on the machine's own files): loads the policy,
# enforces it, and calls the plugin once for each line of $DIRECTORY/calls, COMMAND CONFIGURATION. Leaves call.N and link.N.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

power_off() {
  echo o >/proc/sysrq-trigger
  sleep 60
}

mount -t proc proc /proc
trap power_off EXIT
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/modules/lib /run/netns
ln -s /usr/lib/uml/modules /run/modules/lib/modules
modprobe -d /run/modules tun
modprobe -d /run/modules ipv6

mount -t selinuxfs selinuxfs /sys/fs/selinux
# In one write, as the kernel wants it.
dd if="$DIRECTORY/policy" of=/sys/fs/selinux/load bs=1M status=none
echo 1 >/sys/fs/selinux/enforce

ip netns add blue
export CNI_CONTAINERID=blue CNI_NETNS=/run/netns/blue CNI_IFNAME=eth0 CNI_PATH="$PLUGINS"
number=0
while read -r command configuration; do
  CNI_COMMAND=$command "$PLUGINS/tap" <<<"$configuration" >"$DIRECTORY/call.$number" 2>&1
  ip -n blue -j -d link >"$DIRECTORY/link.$number"
  number=$((number + 1))
done <"$DIRECTORY/calls"
cat /proc/self/attr/current >"$DIRECTORY/context"
