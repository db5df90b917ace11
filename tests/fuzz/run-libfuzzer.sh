#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
#
# usage: run-libfuzzer.sh [-s SECONDS] [-b BUILD] [TARGET...]
# Builds the fuzz targets with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer
# and runs each (or those named: keras torch ...) for SECONDS (600) from its corpus. One line a
# target; exits 1 when one found something, whose input then lies in BUILD (build-libfuzzer).
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
seconds=600
build=$source/build-libfuzzer
while getopts s:b: option; do
  case $option in
    s) seconds=$OPTARG ;;
    b) build=$OPTARG ;;
    *) sed -n '5s/^# //p' "$0" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))

[ -f "$build/build.ninja" ] ||
  CC=clang meson setup "$build" "$source" -Dlibfuzzer=true -Db_sanitize=address,undefined -Db_lundef=false
build=$(cd "$build" && pwd)
mapfile -t targets < <(meson introspect --targets "$build" | python3 -c '
import json, sys
names = [t["name"][len("fuzz_"):] for t in json.load(sys.stdin) if t["name"].startswith("fuzz_")]
wanted = sys.argv[1:] or names
unknown = set(wanted) - set(names)
if unknown:
    sys.exit("no fuzz target %s; there are: %s" % (", ".join(sorted(unknown)), " ".join(names)))
print("\n".join(wanted))' "$@")
[ ${#targets[@]} -gt 0 ] || exit 2
ninja -C "$build" "${targets[@]/#/tests/fuzz/fuzz_}"

status=0
for name in "${targets[@]}"; do
  found=$build/found-$name
  mkdir -p "$found" "$build/corpus-$name"
  log=$build/$name.log
  result=clean
  # libhdf5 loses memory on damaged files and reads past its own buffers: see fuzz_keras.c.
  leaks=$([ "$name" = keras ] && echo 0 || echo 1)
  ASAN_OPTIONS=detect_leaks=$leaks UBSAN_OPTIONS=halt_on_error=1 \
    "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=4096 \
    -print_final_stats=1 -artifact_prefix="$found/" \
    "$build/corpus-$name" "$source/tests/fuzz/corpus/$name" >"$log" 2>&1 || { result=FOUND; status=1; }
  awk -v name="$name" -v result="$result" '
    /stat::number_of_executed_units/ {runs = $2} /stat::average_exec_per_sec/ {rate = $2}
    END {printf "%-12s %10d executions %7d a second  %s\n", name, runs, rate, result}' "$log"
  [ "$result" = clean ] || tail -n 40 "$log"
done
exit "$status"
