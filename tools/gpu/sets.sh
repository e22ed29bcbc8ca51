#!/bin/sh
# sets.sh FERSNET PORTRAITS RECIPES SETS [NAME ...]: draws the sets that network.toml and painter.toml name, all at once,
# from the folders neutral-sharp, neutral-lfw, sharp, lfw-open-400, ld, photo and lfw-open of PORTRAITS
# (weights/fersnet/sets.md says who is in them). A set that is there already is left as it is.
set -eu
fersnet=$1 portraits=$2 recipes=$3 sets=$4
shift 4
wanted=" $* "
mkdir -p "$sets"
# Recipes that differ from the shipped ones: no random pictures, or many; nothing shut; nothing opened otherwise.
edit() { sed "$1" "$recipes"; }
nothing_shut() { awk '/^\[\[closed\]\]/ { exit } { print }'; }
without_expressions() { awk '/^\[\[/ { exit } { print }'; }
edit 's/^times = .*/times = 6/; s/^units = \[.*/units = [1, 2, 3, 5]/; s/^lids = .*/lids = 0.5/' >"$sets/many.toml"
edit 's/^times = .*/times = 4/; s/^units = \[.*/units = [1, 2, 3, 5]/; s/^lids = .*/lids = 0.5/' >"$sets/soft.toml"
edit 's/^times = .*/times = 30/; s/^units = \[.*/units = [1, 2, 3, 5]/; s/^lids = .*/lids = 0.6/; s/^reopened = .*/reopened = []/' |
    without_expressions >"$sets/units.toml"
edit 's/^times = .*/times = 0/' | nothing_shut >"$sets/drawn.toml"
sed 's/^reopened = .*/reopened = []/' "$sets/drawn.toml" >"$sets/photo.toml"

draw() {
    name=$1 from=$2 samples=$3 size=$4 recipe=$5
    [ "$wanted" = "  " ] || case $wanted in *" $name "*) ;; *) return ;; esac
    if [ -d "$portraits/$from" ] && [ ! -f "$sets/$name/manifest.csv" ]; then
        "$fersnet" pairs "$portraits/$from" -o "$sets/$name" --samples "$samples" --size "$size" --mouth-size 64 \
            --recipes "$sets/$recipe.toml" --resume >"$sets/$name.log" 2>&1 || cat "$sets/$name.log"
    fi
}
draw n-sharp sharp "${SAMPLES:-2}" 192 many &
draw n-lfw neutral-lfw 1 192 many &
draw o-lfw lfw-open-400 1 192 soft &
draw u-sharp neutral-sharp 1 192 units &
draw p-drawn ld 2 448 drawn &
draw p-photo photo 1 448 photo &
draw p-lfw lfw-open 1 288 photo &
wait
