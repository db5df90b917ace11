#!/bin/sh
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
# check-symbols.sh PLUGIN...: one exported symbol, nothing of the host's wanted, none of the host's
# libraries; for backbones and strategies no library but libc and libm; besides them only
# protobuf-c for readers of protobuf files and, for three classical heads, the library that fits.
set -eu
failed=0
complain()
{
    echo "$1: $2" >&2
    failed=1
}
for plugin; do
    exported=$(nm -D --defined-only "$plugin" | awk '{ print $NF }' | grep -v '^__\(odr_\)\?asan' || true)
    test "$exported" = xenograft_entry_v1 || complain "$plugin" "exports: $(echo $exported)"
    wanted=$(nm -D --undefined-only "$plugin" | awk '{ print $NF }' | grep '^xg_' || true)
    test -z "$wanted" || complain "$plugin" "wants of the host: $(echo $wanted)"
    case $plugin in
    *strategies/classical/svm.so) own='^libsvm\.' ;;
    *strategies/classical/logistic.so) own='^liblinear\.' ;;
    *strategies/classical/lda.so) own='^libopenblas\.' ;;
    *backbones/* | *strategies/*) own='^none$' ;;
    *weights/caffe/* | *weights/onnx/*) own='^libprotobuf-c\.' ;;
    *) own='^lib' ;;
    esac
    libraries=$(readelf -d "$plugin" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    foreign=$(echo "$libraries" | grep -v -e '^libc\.' -e '^libm\.' -e '^ld-' \
        -e '^lib[a-z]*san\.' -e "$own" || true)
    hosts=$(echo "$libraries" | grep -e '^libglib-' -e '^libg[a-z]*-2' -e '^libxenograft' || true)
    test -z "$foreign$hosts" || complain "$plugin" "is linked with: $(echo $foreign $hosts)"
done
echo "$# plugins"
exit $failed
