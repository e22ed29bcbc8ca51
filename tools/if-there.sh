#!/usr/bin/env bash
# Runs a command where its program is installed, and says so where it is not:
# if-there.sh PROGRAM ARGUMENTS...
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

program=${1:?"usage: if-there.sh PROGRAM ARGUMENTS..."}
if ! command -v "$program" >/dev/null; then
    say "$program is not installed: left out '$*'"
    exit 0
fi
exec "$@"
