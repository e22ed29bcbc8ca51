# shellcheck shell=bash disable=SC2154
# Sourced by train.sh, with `pack`, a folder of pack.sh: unpacks into $WORK (/tmp/fersnet) what is not there yet, and
# finds PyTorch's libraries and the GPU. Leaves `work` and `device`, and draw_sets. Of two runs that begin at once the
# second waits for what the first one unpacks or draws.

work=${WORK:-/tmp/fersnet}
mkdir -p "$work/sets"

unpack() {
    [ -e "$work/$1" ] || { xz -dc "$pack/$1.xz" >"$work/$1.part" && mv "$work/$1.part" "$work/$1"; }
}
exec 9>"$work/lock"
flock 9
unpack facemodel.safetensors
unpack fersnet
chmod +x "$work/fersnet"
if [ -f "$pack/portraits.tar.xz" ] && [ ! -d "$work/portraits" ]; then
    mkdir "$work/portraits"
    tar -C "$work/portraits" -xJf "$pack/portraits.tar.xz"
fi
for archive in "$pack"/sets/*.tar.xz; do
    set=$work/sets/$(basename "$archive" .tar.xz)
    [ ! -f "$archive" ] || [ -d "$set" ] || tar -C "$work/sets" -xJf "$archive"
done
flock -u 9

export FERSNET_HOME=$work
torch=$(python3 -c 'import importlib.util; print(importlib.util.find_spec("torch").submodule_search_locations[0])')
export LD_LIBRARY_PATH=$torch/lib:${LD_LIBRARY_PATH:-}
# LibTorch's own threads would take the cores from those that cut the batches.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
# shellcheck disable=SC2034 # for whoever sources this
device=${DEVICE:-$(nvidia-smi >/dev/null 2>&1 && echo torch-cuda || echo torch)}

# Those of the sets that are named, or all.
draw_sets() {
    flock 9
    sh "$pack/sets.sh" "$work/fersnet" "$work/portraits" "$pack/recipes.toml" "$work/sets" "$@"
    flock -u 9
}
