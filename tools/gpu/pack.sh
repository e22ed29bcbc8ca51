#!/bin/bash
# pack.sh OUT PORTRAITS... : what a machine with a GPU and PyTorch, but without Rust or a network, needs to train:
# the program, the weights to start from, the face model and folders of portraits to draw pairs from.
#
# The program is built with the PyTorch that python3 finds, which has to be of the other machine's version. The folders
# travel as one archive, links as what they point to; a picture in several of them travels once. A finished set (FER+) is
# laid beside as OUT/sets/NAME.tar.xz, or later in WORK/sets of train.sh, which is packed too and does the rest.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1
shift
mkdir -p "$out/sets"

LIBTORCH_USE_PYTORCH=1 tools/in-env.sh native \
    cargo build --release --features tch --bin fersnet
# shellcheck disable=SC2016 # the variable is set in there
program=$(tools/in-env.sh native sh -c 'echo "$CARGO_TARGET_DIR"')/release/fersnet
"$program" join weights/fersnet.safetensors --painter weights/fersnet-painter.safetensors -o "$out/start.safetensors"
strip -o "$out/fersnet" "$program"
xz -T0 -6 -f "$out/fersnet"
xz -T0 -6 -c weights/facemodel.safetensors >"$out/facemodel.safetensors.xz"

if [ $# -gt 0 ]; then
    from=()
    for folder in "$@"; do
        from+=(-C "$(realpath "$(dirname "$folder")")" "$(basename "$folder")")
    done
    # A dictionary that reaches over all folders finds pictures that come again.
    tar -chf - "${from[@]}" | xz -T1 --lzma2=preset=1,dict=128MiB >"$out/portraits.tar.xz"
fi
cp presets/pairs.toml "$out/recipes.toml"
cp tools/gpu/*.sh tools/gpu/*.toml "$out/"
du -ak "$out" | sort -n | tail -n 6
