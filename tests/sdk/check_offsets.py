#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""check_offsets.py [--update] INCLUDE-FOLDER TABLE COMPILER...

Compares the size of every public struct and the offset and size of every field with the
committed table. A difference means that plugins built before it no longer work."""
import difflib
import pathlib
import subprocess
import sys
import tempfile

from sdk_structs import structs

def program(include):
    found = list(structs(include))
    lines = ["#include <stddef.h>", "#include <stdio.h>"]
    lines += [f"#include <{header}>" for header in dict.fromkeys(h for h, _, _ in found)]
    lines += ["int main(void)", "{"]
    for header, name, fields in found:
        lines.append(f'printf("{name} size %zu align %zu  ({header})\\n", sizeof({name}), '
                     f'(size_t) __alignof__({name}));')
        for field in fields:
            lines.append(f'printf("    %4zu %4zu {field}\\n", offsetof({name}, {field}), '
                         f'sizeof((({name} *) 0)->{field}));')
    return "\n".join(lines + ["return 0;", "}", ""])


def main():
    arguments = sys.argv[1:]
    update = arguments[:1] == ["--update"]
    include, table, *compiler = arguments[update:]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "offsets.c")
        source.write_text(program(pathlib.Path(include)), encoding="utf-8")
        binary = pathlib.Path(folder, "offsets")
        subprocess.run([*compiler, "-std=c99", "-I", include, source, "-o", binary], check=True)
        found = subprocess.run([binary], check=True, capture_output=True, text=True).stdout
        source.write_text("int check[sizeof(void *) == 8 ? 1 : -1];\n", encoding="utf-8")
        if subprocess.run([*compiler, "-fsyntax-only", source], capture_output=True).returncode:
            return 77  # the table is that of 64-bit machines
    if update:
        pathlib.Path(table).write_text(found, encoding="utf-8")
        return 0
    known = pathlib.Path(table).read_text(encoding="utf-8")
    print(f"{known.count(' size ')} structs in the table")
    difference = list(difflib.unified_diff(known.splitlines(), found.splitlines(), "committed",
                                           "now", lineterm=""))
    print("\n".join(difference))
    return 1 if difference or not known else 0


if __name__ == "__main__":
    sys.exit(main())
