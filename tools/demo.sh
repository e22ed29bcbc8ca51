#!/usr/bin/env bash
# Builds the page, serves it with trunk on 127.0.0.1 and says so once it answers.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

port=${FERSNET_PORT:-8080}
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

! answers || die "port $port is taken: try FERSNET_PORT=8081 make demo"

say "building the page (the first time compiles Burn for two programs: half an hour to an hour on two cores)"
started=$(mktemp)
tools/in-env.sh web trunk serve --release --address 127.0.0.1 --port "$port" &
trunk=$!
trap 'rm -f "$started"; kill "$trunk" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

until answers; do
    kill -0 "$trunk" 2>/dev/null || die "the page did not build; see the message above"
    sleep 1
done
# trunk serves even when its first build failed, perhaps the page of last time.
[ dist/index.html -nt "$started" ] || die "the page did not build; see the message above"
say "served at http://127.0.0.1:$port (Ctrl-C ends it)"
wait "$trunk"
