#!/usr/bin/env bash
# Runs a script of this repository with the Bun that package.json pins, installing npm packages first
# where they are missing or older than the lock file. The only shell in the project's commands: Node's npm
# starts it, and everything after it is TypeScript.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -x node_modules/.bin/bun ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "fairlead: installing npm packages (once) ..." >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
fi
exec node_modules/.bin/bun run "$@"
