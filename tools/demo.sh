#!/usr/bin/env bash
# Builds the page, serves it with trunk on 127.0.0.1 and says so once it answers. The first time it is served as soon
# as the small program is there; the one that has WebGPU joins when it is built.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

port=${FERSNET_PORT:-8080}
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

! answers || die "port $port is taken: try FERSNET_PORT=8081 make demo"

gpu=fersnet-gpu
target=www/index.html
if [ ! -e dist/${gpu}_bg.wasm ]; then
    # The same page without the second program's line.
    target=www/index-cpu.html
    grep -v "data-bin=\"$gpu\"" www/index.html >"$target"
fi
say "building the page (the first time compiles Burn for the small program: some ten minutes on two cores)"
started=$(mktemp)
tools/in-env.sh web trunk serve --release --html-output index.html --address 127.0.0.1 --port "$port" "$target" &
trunk=$!
trap 'rm -rf "$started" www/index-cpu.html dist-gpu; kill "$trunk" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

until answers; do
    kill -0 "$trunk" 2>/dev/null || die "the page did not build; see the message above"
    sleep 1
done
# trunk serves even when its first build failed, perhaps the page of last time.
[ dist/index.html -nt "$started" ] || die "the page did not build; see the message above"
say "served at http://127.0.0.1:$port (Ctrl-C ends it)"
if [ "$target" != www/index.html ]; then
    say "it answers on the CPU; building the program for WebGPU behind it (the first time half an hour on two cores)"
    if tools/in-env.sh web nice trunk build --release --dist dist-gpu >/dev/null; then
        cp dist-gpu/$gpu* dist/
        node tools/release.mjs dist
        say "the program for WebGPU is there: reload the page"
    else
        say "the program for WebGPU did not build: 'make build-web' says why. The page goes on without it"
    fi
fi
wait "$trunk"
