#!/bin/bash
# Process 1 of the second kernel (second-kernel.ts boots it): its root is the machine's own, so everything that is
# written goes to a tmpfs, except for the results. Runs the lines of $FAIRLEAD_RESULTS/jobs, each NAME SECONDS COMMAND…,
# in a sandbox each, with the first network namespace as descriptor 9, leaves NAME.output, NAME.code and NAME.seconds, and turns the kernel off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/tmp FAIRLEAD_TEST_KERNEL=second BUN_RUNTIME_TRANSPILER_CACHE_PATH=0 NO_COLOR=1

power_off() {
  echo o >/proc/sysrq-trigger
  sleep 60
}

mount_all() {
  mount -t proc proc /proc
  trap power_off EXIT
  mount -t sysfs sysfs /sys
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mkdir -p /dev/pts /dev/shm
  mount -t devpts devpts /dev/pts
  mount -t tmpfs tmpfs /dev/shm
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/machine/tmp
  mount --bind /tmp /run/machine/tmp
  mount -t tmpfs -o mode=1777 tmpfs /tmp
  local directory
  for directory in "$FAIRLEAD_ROOT" "$FAIRLEAD_DIST" "$FAIRLEAD_RESULTS"; do keep "$directory"; done
}

# What is needed of the machine's /tmp.
keep() {
  case "$1" in
    /tmp/*)
      mkdir -p "$1"
      mount --bind "/run/machine$1" "$1"
      ;;
  esac
}

# The kernel asks for a module when it first needs one; Debian keeps this kernel's elsewhere.
load_modules_on_demand() {
  mkdir -p /run/modules/lib
  ln -s /usr/lib/uml/modules /run/modules/lib/modules
  printf '#!/bin/sh\nexec /sbin/modprobe -d /run/modules "$@"\n' >/run/modprobe
  chmod 755 /run/modprobe
  echo /run/modprobe >/proc/sys/kernel/modprobe
  # Asked for by the first socket only, not by the first address.
  /run/modprobe ipv6
}

run_jobs() {
  local name seconds command start
  while read -r name seconds command; do
    start=$SECONDS
    # shellcheck disable=SC2086 # the words of the command
    timeout --signal=KILL "$seconds" scripts/sandbox.sh $command >"$FAIRLEAD_RESULTS/$name.output" 2>&1 </dev/null 9</proc/1/ns/net
    echo $? >"$FAIRLEAD_RESULTS/$name.code"
    echo $((SECONDS - start)) >"$FAIRLEAD_RESULTS/$name.seconds"
  done <"$FAIRLEAD_RESULTS/jobs"
}

mount_all
load_modules_on_demand
uname -r >"$FAIRLEAD_RESULTS/release"
cd "$FAIRLEAD_ROOT" || exit
run_jobs
