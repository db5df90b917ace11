#!/bin/sh
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
# Builds copies of the examples' plugins against the installed tree through pkg-config, puts
# them into the user's plugin folder and runs them.
set -eu

fail()
{
    echo "out_of_tree.sh: $1" >&2
    exit 1
}

installed=$XG_TEST_STAGE$XG_TEST_PREFIX
command=$installed/$XG_TEST_BINDIR/xenograft
test -x "$command" || fail "$command is missing: the test \`install\` makes it, run that first"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset XENOGRAFT_PLUGIN_PATH CFLAGS LDFLAGS DESTDIR
export XDG_CACHE_HOME="$folder/cache" XDG_DATA_HOME="$folder/share" LC_ALL=C

cp -R "$XG_TEST_SOURCE/examples/plugin-backbone" "$folder/project"
test "$(grep -c . "$folder/project/meson.build")" -lt 10 || fail "meson.build: 10 lines or more"
test "$(wc -l < "$folder/project/tinynet.c")" -lt 40 || fail "tinynet.c: 40 lines or more"

# Only the stage is known to pkg-config, so that an installed copy cannot stand in for it.
unset PKG_CONFIG_PATH
export PKG_CONFIG_LIBDIR="$installed/$XG_TEST_LIBDIR/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$XG_TEST_STAGE"
"$XG_TEST_MESON" setup "$folder/build" "$folder/project" -Dwerror=true
"$XG_TEST_MESON" compile -C "$folder/build"

mkdir -p "$XDG_DATA_HOME/xenograft/plugins-1"
cp "$folder/build/tinynet.so" "$XDG_DATA_HOME/xenograft/plugins-1/"
shown=$("$command" show tinynet)
case $shown in
*"$XDG_DATA_HOME/xenograft/plugins-1/tinynet.so"*) ;;
*) fail "show tinynet: does not come from the user's folder: $shown" ;;
esac

for class in normal pneumonia; do
    mkdir -p "$folder/data/chest_xray/$class"
    for number in 1 2 3 4 5 6 7 8 9 10 11 12; do
        cp "$XG_TEST_SOURCE/examples/data/chest_xray/$class/$number.jpeg" \
            "$folder/data/chest_xray/$class/"
    done
done
"$command" run "$folder/project/study.ini"
test -s "$folder/project/runs/tinynet/result.json" || fail "no result.json"
test "$(wc -l < "$folder/project/runs/tinynet/history.csv")" -eq 2 || fail "not one epoch"
"$command" predict "$folder/project/runs/tinynet/model.safetensors" \
    "$folder/data/chest_xray/normal/1.jpeg"

# The strategies of examples/plugin-strategy, in C and C++: fitted, kept in the model, used again.
cp -R "$XG_TEST_SOURCE/examples/plugin-strategy" "$folder/strategies"
test "$(wc -l < "$folder/strategies/centroid.c")" -lt 60 || fail "centroid.c: 60 lines or more"
"$XG_TEST_MESON" setup "$folder/built" "$folder/strategies" -Dwerror=true
"$XG_TEST_MESON" compile -C "$folder/built"
cp "$folder/built/centroid.so" "$folder/built/nearest.so" "$XDG_DATA_HOME/xenograft/plugins-1/"
for strategy in centroid nearest; do
    "$command" run -s strategy.plugin=$strategy -s study.output="$folder/$strategy" \
        -s data.images="$folder/data/chest_xray" \
        "$XG_TEST_SOURCE/examples/chest-xray/study.ini" ||
        fail "$strategy: the run failed"
    "$command" predict "$folder/$strategy/model.safetensors" \
        "$folder/data/chest_xray/normal/1.jpeg" > "$folder/answer"
    stored=$(grep '^normal/1.jpeg,' "$folder/$strategy/predictions.csv" | cut -d, -f5,6)
    test "$(tail -1 "$folder/answer" | cut -d, -f3,4)" = "$stored" ||
        fail "$strategy: predict says $(tail -1 "$folder/answer"), the run said $stored"
done
