#!/bin/sh
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
# check-symbols.sh PLUGIN...: one exported symbol, nothing of the host's wanted, and for backbones
# and strategies no library but libc and libm.
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
    *backbones/* | *strategies/*)
        libraries=$(readelf -d "$plugin" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
            grep -v -e '^libc\.' -e '^libm\.' -e '^ld-' -e '^lib[a-z]*san\.' || true)
        test -z "$libraries" || complain "$plugin" "is linked with: $(echo $libraries)"
        ;;
    esac
done
echo "$# plugins"
exit $failed
