#!/usr/bin/env bash
# Runs a command with one side's environment: in-env.sh native|web COMMAND...
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

side=${1:?"usage: in-env.sh native|web COMMAND..."}
shift
case $side in
    native) toolchain=$(native_toolchain) ;;
    web) toolchain=$(wasm_toolchain) ;;
    *) die "in-env.sh knows native and web, not '$side'" ;;
esac
export RUSTUP_TOOLCHAIN=$toolchain
# Two directories, so that the page's build and the native one never wait for each other's lock.
case $side in
    native) export CARGO_TARGET_DIR=${FERSNET_NATIVE_TARGET:-$FERSNET_HOME/native} ;;
    web) export CARGO_TARGET_DIR=${FERSNET_WASM_TARGET:-$FERSNET_HOME/wasm} ;;
esac
exec "$@"
