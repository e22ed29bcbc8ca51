#!/usr/bin/env bash
# Runs a command where its program is installed, and says so where it is not:
# if-there.sh PROGRAM ARGUMENTS..., or if-there.sh cargo SUBCOMMAND ARGUMENTS...
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

is_there() {
    if [ "$1" = cargo ]; then
        # rustup has every cargo-SUBCOMMAND of its own, with or without the toolchain's component.
        cargo "$2" --version >/dev/null 2>&1
    else
        command -v "$1" >/dev/null
    fi
}

program=${1:?"usage: if-there.sh PROGRAM ARGUMENTS..."}
if [ "$program" = cargo ]; then program="cargo ${2:?"usage: if-there.sh cargo SUBCOMMAND ARGUMENTS..."}"; fi
if ! is_there "$@"; then
    say "$program is not installed: left out '$*'"
    exit 0
fi
exec "$@"
