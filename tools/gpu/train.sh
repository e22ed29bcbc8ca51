#!/bin/bash
# train.sh SECONDS PRESET OUT [--set KEY=VALUE ...]: trains for so long what PRESET says, from a folder of pack.sh, and
# leaves weights, figures and sheets in OUT. Given again, it goes on where it stopped.
#
# The preset's comments name the part that is trained, its data sets (drawn first, where they are not there yet) and
# the key of its length. The length is what the speed of the first 100 steps leaves time for; STEPS=N states it instead.
# WORK (/tmp/fersnet) is where all of it lies in between; DEVICE is torch-cuda, or torch where there is no GPU.
set -euo pipefail
pack=$(cd "$(dirname "$0")" && pwd)
end=$((SECONDS + $1)) preset=$2 out=$3
shift 3
work=${WORK:-/tmp/fersnet}
name=$(basename "$preset" .toml)
run=$work/runs/${RUN:-$name}
mkdir -p "$work" "$out"

# Once: the program, the face model and the portraits.
unpack() {
    [ -e "$work/$1" ] || { xz -dc "$pack/$1.xz" >"$work/$1.part" && mv "$work/$1.part" "$work/$1"; }
}
unpack facemodel.safetensors
unpack fersnet
chmod +x "$work/fersnet"
if [ -f "$pack/portraits.tar.xz" ] && [ ! -d "$work/portraits" ]; then
    mkdir "$work/portraits"
    tar -C "$work/portraits" -xJf "$pack/portraits.tar.xz"
fi
mkdir -p "$work/sets"
for archive in "$pack"/sets/*.tar.xz; do
    set=$work/sets/$(basename "$archive" .tar.xz)
    [ ! -f "$archive" ] || [ -d "$set" ] || tar -C "$work/sets" -xJf "$archive"
done
export FERSNET_HOME=$work

torch=$(python3 -c 'import importlib.util; print(importlib.util.find_spec("torch").submodule_search_locations[0])')
export LD_LIBRARY_PATH=$torch/lib:${LD_LIBRARY_PATH:-}
# LibTorch's own threads would take the cores from those that cut the batches.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
device=${DEVICE:-$(nvidia-smi >/dev/null 2>&1 && echo torch-cuda || echo torch)}

sh "$pack/sets.sh" "$work/fersnet" "$work/portraits" "$pack/recipes.toml" "$work/sets"
told() { sed -n "s/^# $1: //p" "$preset"; }
options=(--run "$run" --preset "$preset" --device "$device" --plain --finetune "${START:-$pack/start.safetensors}")
part=$(told part)
options+=(--part "${part:-network}" "$@")
for set in $(told data); do
    options+=(--data "$work/sets/$set")
done

length() { options+=(--set "$(told steps)=$1"); }
if [ -n "${STEPS:-}" ]; then
    length "$STEPS"
elif [ ! -d "$run/checkpoint" ]; then
    "$work/fersnet" train "${options[@]}" --stop-after 100
    speed=$(tail -n 1 "$run/metrics.jsonl" | sed 's/.*"samples_per_second":\([0-9.]*\).*/\1/')
    batch=$(sed -n 's/^pairs = \([0-9]*\)/\1/p; s/^labelled = \([0-9]*\)/\1/p; s/^batch = \([0-9]*\)/\1/p' "$preset" |
        awk '{ sum += $1 } END { print sum }')
    # A tenth of the time is for reading the data again and for checkpoints.
    awk "BEGIN { print int(100 + 0.9 * ($end - $SECONDS) * $speed / $batch) }" >"$run/length"
fi
if [ -f "$run/length" ]; then
    length "$(cat "$run/length")"
fi
# At the end of the time it writes what it has, as at Ctrl-C.
timeout --signal INT $((end - SECONDS > 5 ? end - SECONDS : 5)) "$work/fersnet" train "${options[@]}" || [ $? = 124 ]

cp "$run/weights.safetensors" "$out/$name.safetensors"
tar -C "$run" -cJf "$out/$name-record.tar.xz" --exclude '*.safetensors' --exclude checkpoint --exclude '*.svg' .
tail -n 3 "$run/metrics.jsonl"
