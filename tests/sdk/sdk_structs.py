# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""The structs that the public headers define."""
import re

STRUCT = re.compile(r"(typedef\s+)?struct\s+(\w+)\s*\{(.*?)\}\s*(\w*)\s*;", re.S)


def declarations(body):
    depth, start = 0, 0
    for at, char in enumerate(body):
        depth += (char in "({") - (char in ")}")
        if char == ";" and depth == 0:
            yield body[start:at].strip()
            start = at + 1


def field_names(declaration):
    function = re.search(r"\(\s*\*\s*(?:const\s+)?(\w+)\s*\)", declaration)
    if function:
        return [function.group(1)]
    return [re.search(r"(\w+)\s*(\[[^\]]*\]\s*)*$", part).group(1)
            for part in declaration.split(",")]


def structs(include):
    """(header, struct name, field names) of every struct with a body."""
    for header in sorted(include.rglob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.S)
        text = re.sub(r"^\s*#.*?(?<!\\)$", "", text, flags=re.M | re.S)
        for typedef, tag, body, alias in STRUCT.findall(text):
            fields = [name for part in declarations(body) for name in field_names(part)]
            yield header.relative_to(include), alias if typedef else f"struct {tag}", fields
