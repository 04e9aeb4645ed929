#!/usr/bin/env bash
# What the projects of `fairlead new` run, in the project's directory, with the tools of this checkout:
#
#   fairlead-plugin test [ARGUMENT...]    tests, as root, on a node of their own (sandbox.sh); arguments are bun test's
#   fairlead-plugin build ENTRY OUTPUT    one executable, compiled as fairlead itself is
#   fairlead-plugin check                 types
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
bun=$root/node_modules/.bin/bun

if [ ! -x "$bun" ]; then
  echo "fairlead-plugin: installing the npm packages of $root (once) ..." >&2
  npm ci --prefix "$root" --no-audit --no-fund --loglevel=error >&2
fi

case "${1:-}" in
test)
  if [ "$(id -u)" != 0 ]; then
    echo "fairlead-plugin: the tests make network namespaces and links, which takes root: sudo npm test" >&2
    exit 1
  fi
  exec "$root/scripts/sandbox.sh" "$bun" test "${@:2}"
  ;;
build)
  exec "$bun" run "$root/scripts/compile-plugin.ts" "${@:2}"
  ;;
check)
  exec "$root/node_modules/.bin/tsc" -p . "${@:2}"
  ;;
*)
  echo "usage: fairlead-plugin test [ARGUMENT...] | build ENTRY OUTPUT | check" >&2
  exit 2
  ;;
esac
