#!/bin/sh
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
# check-headers.sh LANGUAGE STANDARD INCLUDE-FOLDER COMPILER: each public header alone, and twice.
set -eu
language=$1 standard=$2 include=$3
shift 3
command -v "$1" >/dev/null || exit 77
count=0
for header in $(cd "$include" && find . -name '*.h' | sort); do
    printf '#include <%s>\n#include <%s>\nint main(void) { return 0; }\n' \
        "${header#./}" "${header#./}" |
        "$@" -x "$language" "-std=$standard" -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
            -I "$include" - || { echo "$header is not clean as $standard" >&2; exit 1; }
    count=$((count + 1))
done
echo "$count headers are clean as $standard with $*"
test "$count" -gt 0
