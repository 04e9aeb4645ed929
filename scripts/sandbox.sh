#!/usr/bin/env bash
# Runs a command as root on "a node of its own": new network, mount and process namespaces, in which everything that
# plugins and runtimes write is a tmpfs (/run, /etc, /var/lib; not /opt and /tmp). Nothing else outside changes, and
# nothing that the command starts outlives it:
# what it leaves running is named on standard error, and the exit code is then 97.
#
# usage: sandbox.sh COMMAND [ARGUMENT...]
set -euo pipefail

# The inner half: process 1 of the new namespaces.
inside() {
  mount -t proc proc /proc
  mount -t tmpfs -o mode=755 fairlead /run
  mkdir -p /run/netns /run/lock /run/.sandbox/cgroup
  fresh_sys
  for directory in /etc /var/lib; do over "$directory"; done
  for directory in /etc/cni /var/lib/cni /var/lib/fairlead /var/lib/containerd; do
    mkdir -p "$directory"
    mount -t tmpfs -o mode=755 fairlead "$directory"
  done
  ip link set lo up
  # In place of exec: process 1 must reap what becomes an orphan.
  local code=0
  FAIRLEAD_SANDBOX=1 "$@" || code=$?
  left_running || code=97
  exit "$code"
}

# /sys shows the links of the namespace that it was mounted in; the control groups in it are kept.
fresh_sys() {
  local keep=/run/.sandbox/cgroup
  mount --rbind /sys/fs/cgroup "$keep"
  mount -t sysfs sysfs /sys
  mount --rbind "$keep" /sys/fs/cgroup
  umount --recursive --lazy "$keep"
}

# A directory in which writes go to memory: an overlay with its upper half in /run, which is a tmpfs.
over() {
  local layer="/run/.sandbox$1"
  mkdir -p "$layer/upper" "$layer/work"
  mount -t overlay -o "lowerdir=$1,upperdir=$layer/upper,workdir=$layer/work" fairlead "$1"
}

# Names every process but this one; one that is ending gets a moment. A zombie has ended. One that is just being
# started has no command line yet.
left_running() {
  local left process stat line
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    left=''
    for process in /proc/[0-9]*; do
      if [ "$process" = /proc/1 ]; then continue; fi
      { stat=$(<"$process/stat") && mapfile -d '' -t line <"$process/cmdline"; } 2>/dev/null || continue
      if [[ $stat =~ \)\ [ZX] ]]; then continue; fi
      left+="sandbox: left running: ${line[*]:-$stat}"$'\n'
    done
    if [ -z "$left" ]; then return 0; fi
    sleep 0.1
  done
  printf '%s' "$left" >&2
  return 1
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
fi
exec unshare --net --mount --propagation private --pid --fork --kill-child "$0" --inside "$@"
