#!/bin/sh
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
# check-broken.sh PROGRAM ARGUMENT...: conformance must exit with 1 and name what each backbone of
# broken/broken.c breaks.
said=$("$@" 2>&1)
status=$?
echo "$said"
test "$status" -eq 1 || { echo "exit status $status" >&2; exit 1; }
while read -r line; do
    case $said in
    *"$line"*) ;;
    *) echo "does not say: $line" >&2; exit 1 ;;
    esac
done <<'END'
too_small sizes FAILED: 16 px
unreached reached FAILED: forgotten.
by_size sizes FAILED: tensors, blocks or features at 16 px
setting settings FAILED: kernel=40
blind evaluation FAILED: two images give the same logits
5 backbones, 5 of them broken
END
