# shellcheck shell=bash
# Sourced by the scripts beside it: where things lie, which toolchain is meant, how to speak.

# shellcheck disable=SC2034 # the sourcing scripts use it
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Everything that is downloaded or built goes here, so that a second clone pays nothing.
FERSNET_HOME=${FERSNET_HOME:-$HOME/.cache/fersnet}
export FERSNET_HOME
tool_bin=$FERSNET_HOME/tools/bin


# make starts no login shell, so rustup's line in the profile may not have been read; and rustup's
# programs go before Debian's, which the wasm32 fallback may have brought.
PATH=$tool_bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
export PATH

say() { printf 'fersnet: %s\n' "$*"; }
die() {
    printf 'fersnet: error: %s\n' "$*" >&2
    exit 1
}

# The native toolchain: "stable" where rustup has one (its lints are the ones the code is held
# to), else whatever is active.
native_toolchain() {
    if [ -n "${RUSTUP_TOOLCHAIN:-}" ]; then
        printf '%s\n' "$RUSTUP_TOOLCHAIN"
    elif rustup toolchain list | grep '^stable-' >/dev/null; then
        printf 'stable\n'
    else
        rustup show active-toolchain | cut -d ' ' -f 1
    fi
}

# The toolchain that has wasm32-unknown-unknown, as the set-up wrote it down.
wasm_toolchain() {
    cat "$FERSNET_HOME/wasm-toolchain" 2>/dev/null ||
        die "no wasm toolchain yet: run 'make setup'"
}

# The browser of the tests: the caller's, Debian's, or the one that the set-up unpacked.
chromium_path() {
    local candidate
    for candidate in "${FERSNET_CHROMIUM:-}" /usr/bin/chromium "$FERSNET_HOME/chromium/chrome"; do
        [ -x "$candidate" ] || continue
        printf '%s\n' "$candidate"
        return 0
    done
    return 1
}
