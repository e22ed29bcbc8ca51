#!/usr/bin/env bash
# Measures the speed, natively and in the page, beside others: bench.sh [native] [pairs] [network] [page] [faces] [growth] [profile].
#
# Results go to BENCH_OUT (bench-out/), and from there into docs/performance.md. A part that fails does
# not keep the others from running. BENCH_PYTHON is a Python that has what tools/export_onnx.py needs.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$root"

[ $# -gt 0 ] || set -- native pairs network page faces growth profile
FERSNET_CHROMIUM=$(chromium_path) || die "no Chromium: run 'make setup'"
export FERSNET_CHROMIUM

failed=()
attempt() {
    local name=$1
    shift
    "$@" || failed+=("$name")
}

for part in "$@"; do
    case $part in
        native) attempt native node tools/bench/native.mjs tools/in-env.sh native cargo bench --profile release --bench kernels ;;
        pairs | network)
            # The graphs of the very weights that the page has; once is enough.
            if [ -z "${exported:-}" ]; then
                attempt export "${BENCH_PYTHON:-python3}" tools/export_onnx.py
                exported=1
            fi
            attempt "$part" node tools/bench_page.mjs "$part"
            ;;
        page | faces | growth | profile) attempt "$part" node tools/bench_page.mjs "$part" ;;
        *) die "bench.sh knows native, pairs, network, page, faces, growth and profile, not '$part'" ;;
    esac
done
node tools/bench/fill.mjs
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}; the others are measured"
