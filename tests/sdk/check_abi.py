#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""check_abi.py [--update] INCLUDE-FOLDER BASELINE COMPILER...

Compares every public type, as the compiler's debug information tells it, with the committed
baseline by libabigail. Any difference fails, also one that abidiff calls harmless: a wanted one
changes the baseline in the same commit. Skipped without abidw and abidiff."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

from sdk_structs import structs

DESCRIBE = ["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs",
            "--type-id-style", "hash"]


def library(include, compiler, folder):
    """A shared library with one variable of each public struct."""
    found = list(structs(include))
    lines = [f"#include <{header}>" for header in dict.fromkeys(h for h, _, _ in found)]
    lines += [f"{name} public_{name.split()[-1]};" for _, name, _ in found]
    source, binary = folder / "abi.c", folder / "libabi.so"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    subprocess.run([*compiler, "-std=c99", "-g", "-O0", "-shared", "-fPIC", "-I", include.resolve(),
                    source.name, "-o", binary], check=True, cwd=folder)
    return binary


def main():
    arguments = sys.argv[1:]
    update = arguments[:1] == ["--update"]
    include, baseline, *compiler = arguments[update:]
    if not shutil.which("abidw") or not shutil.which("abidiff"):
        print("abidw and abidiff (libabigail) are not installed")
        return 77
    target = subprocess.run([*compiler, "-dumpmachine"], check=True, capture_output=True, text=True)
    if not target.stdout.startswith("x86_64"):
        print("the baseline is that of x86_64")
        return 77
    with tempfile.TemporaryDirectory() as name:
        binary = library(pathlib.Path(include), compiler, pathlib.Path(name))
        found = subprocess.run([*DESCRIBE, binary], check=True, capture_output=True, text=True)
        if update:
            pathlib.Path(baseline).write_text(found.stdout, encoding="utf-8")
            return 0
        described = pathlib.Path(name, "found.abi")
        described.write_text(found.stdout, encoding="utf-8")
        result = subprocess.run(["abidiff", "--harmless", baseline, described])
        return 1 if result.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
