#!/usr/bin/env bash
# Runs the browser tests over dist/: tests/web/*.test.{js,mjs}, in node's own runner.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

[ -e dist/index.html ] || die "no page in dist/: run 'make build-web'"
FERSNET_CHROMIUM=$(chromium_path) || die "no Chromium: run 'make setup'"
export FERSNET_CHROMIUM
# The files are named one by one: node 20 takes a folder here, later ones a pattern.
shopt -s nullglob
tests=(tests/web/*.test.js tests/web/*.test.mjs)
# An empty folder must not pass for a green run.
[ ${#tests[@]} -gt 0 ] || die "no browser tests: tests/web/*.test.js or *.test.mjs"
# One at a time: each starts a browser that renders in software.
exec node --test --test-concurrency=1 "${tests[@]}"
