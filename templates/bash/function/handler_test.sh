#!/usr/bin/env bash
# Runs the handler as the platform does and compares its answers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

expect() {
  local wanted=$1 got=$2
  if [[ $got != "$wanted" ]]; then
    printf 'expected %q, got %q\n' "$wanted" "$got" >&2
    exit 1
  fi
}

expect 'Hello, Ada!' "$(printf 'Ada' | bash handler.sh)"
expect 'Hello, world!' "$(bash handler.sh </dev/null)"
echo 'ok'
