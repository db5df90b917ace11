# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes what `xenograft show --table` prints, and the citations, into docs/backbones.md.

usage: update_backbones.py [--check] XENOGRAFT docs/backbones.md
"""
import json
import re
import subprocess
import sys


def show(command, *more):
    return subprocess.run([command, "show", "--table", *more], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def references(command):
    """One line a citation, in the order of the keys."""
    known = {row["citation_key"]: row["citation"] for row in json.loads(show(command, "--json"))
             if row["citation"]}
    return "".join("- **%s**: %s\n" % (key, known[key]) for key in sorted(known))


def updated(command, text):
    for name, content in (("table", show(command)), ("references", references(command))):
        pattern = r"(<!-- %s -->\n).*?(<!-- end of %s -->)" % (name, name)
        text, count = re.subn(pattern, lambda m: m.group(1) + content + m.group(2), text,
                              flags=re.S)
        if count != 1:
            sys.exit("%s: no place for the %s" % (sys.argv[-1], name))
    return text


def main():
    check = sys.argv[1] == "--check"
    command, path = sys.argv[-2:]
    with open(path, encoding="utf-8") as file:
        old = file.read()
    new = updated(command, old)
    if check and new != old:
        changed = [line for line in new.splitlines() if line not in old.splitlines()]
        sys.exit("%s is not what the command prints; run update_backbones.py. New lines:\n%s" %
                 (path, "\n".join(changed[:5])))
    if not check:
        with open(path, "w", encoding="utf-8") as file:
            file.write(new)


if __name__ == "__main__":
    main()
