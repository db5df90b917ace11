#!/bin/sh
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
# check-refusal.sh PROGRAM TEXT ARGUMENT...: the program must exit with 2 and say TEXT in one line.
program=$1 says=$2
shift 2
said=$("$program" "$@" 2>&1 >/dev/null)
status=$?
echo "$said"
test "$status" -eq 2 || { echo "exit status $status" >&2; exit 1; }
test "$(printf '%s\n' "$said" | wc -l)" -eq 1 || { echo "more than one line" >&2; exit 1; }
case $said in
*"$says"*) ;;
*) echo "does not say: $says" >&2; exit 1 ;;
esac
