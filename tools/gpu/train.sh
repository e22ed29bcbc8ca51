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
# shellcheck source=tools/gpu/prepare.sh
source "$pack/prepare.sh"
name=$(basename "$preset" .toml)
run=$work/runs/${RUN:-$name}
mkdir -p "$out"

told() { sed -n "s/^# $1: //p" "$preset"; }
options=(--run "$run" --preset "$preset" --device "$device" --plain --finetune "${START:-$pack/start.safetensors}")
part=$(told part)
options+=(--part "${part:-network}" "$@")
# shellcheck disable=SC2046 # one word a set
draw_sets $(told data)
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
if [ -f "$run/checkpoint/adversary.safetensors" ]; then
    cp "$run/checkpoint/adversary.safetensors" "$out/$name-adversary.safetensors"
fi
tar -C "$run" -cJf "$out/$name-record.tar.xz" --exclude '*.safetensors' --exclude checkpoint --exclude '*.svg' .
tail -n 3 "$run/metrics.jsonl"
