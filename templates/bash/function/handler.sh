#!/usr/bin/env bash
# Answers one call: the request's body on standard input, the answer on standard output.
set -euo pipefail

name=$(cat)
printf 'Hello, %s!\n' "${name:-world}"
