# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes the parameters that `xenograft show ID --json` prints into docs/strategies.md: those that all
strategies that train share, and each one's own.

usage: update_strategies.py [--check] XENOGRAFT docs/strategies.md
"""
import json
import re
import subprocess
import sys

HEADER = "| key | type | default | range | meaning |\n|---|---|---|---|---|\n"
PLACE = r"(<!-- %s -->\n).*?(<!-- end of %s -->)"


def ask(command, *arguments):
    done = subprocess.run([command, *arguments, "--json"], check=True, text=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def trained(command):
    """The parameters of each strategy that trains in epochs, by its id, in their order."""
    shown = {}
    for entry in ask(command, "list", "strategies"):
        parameters = ask(command, "show", entry["id"])["parameters"]
        if any(p["name"] == "epochs" for p in parameters):
            shown[entry["id"]] = {p["name"]: p for p in parameters}
    return shown


def row(parameter, default):
    limits = ""
    if parameter["choices"]:
        limits = ", ".join("`%s`" % word for word in parameter["choices"].split("|"))
    elif parameter["minimum"] is not None and parameter["maximum"] is not None:
        limits = "%s to %s" % (parameter["minimum"], parameter["maximum"])
    elif parameter["minimum"] is not None:
        limits = "at least %s" % parameter["minimum"]
    kind = parameter["type"] + (", " + parameter["unit"] if parameter["unit"] else "")
    return "| `%s` | %s | %s | %s | %s |\n" % (parameter["name"], kind, default, limits,
                                              parameter["doc"])


def tables(command):
    """The tables by the name of their place."""
    shown = trained(command)
    first = next(iter(shown.values()))
    shared = [name for name in first if all(name in other for other in shown.values())
              and name != "bn"]
    same = {name: len({other[name]["default"] for other in shown.values()}) == 1
            for name in shared}
    made = {"shared": HEADER + "".join(
        row(first[name], "`%s`" % first[name]["default"] if same[name] else "each has its own")
        for name in shared)}
    for strategy, parameters in shown.items():
        own = [p for name, p in parameters.items() if name not in shared or not same[name]]
        made[strategy] = HEADER + "".join(row(p, "`%s`" % p["default"]) for p in own)
    return made


def updated(command, text):
    for name, content in tables(command).items():
        text, count = re.subn(PLACE % (name, name), lambda m: m.group(1) + content + m.group(2),
                              text, flags=re.S)
        if count != 1:
            sys.exit("%s: no place for the parameters of %s" % (sys.argv[-1], name))
    return text


def main():
    check = sys.argv[1] == "--check"
    command, path = sys.argv[-2:]
    with open(path, encoding="utf-8") as file:
        old = file.read()
    new = updated(command, old)
    if check and new != old:
        changed = [line for line in new.splitlines() if line not in old.splitlines()]
        sys.exit("%s is not what the command prints; run update_strategies.py. New lines:\n%s" %
                 (path, "\n".join(changed[:5])))
    if not check:
        with open(path, "w", encoding="utf-8") as file:
            file.write(new)


if __name__ == "__main__":
    main()
