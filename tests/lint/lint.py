#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Checks the rules of docs/architecture.md and CONTRIBUTING.md over the source tree.

usage: lint.py ROOT [--self-test]
Prints one line per violation, FILE:LINE: what, and exits 1 if there is any.
"""
import os
import re
import sys
import tempfile

STANDARD_C = set(
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal "
    "stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath "
    "threads time uchar wchar wctype".split())
# System headers that an engine may use for threads, vectors and memory.
SYSTEM_C = {"immintrin.h", "arm_neon.h", "cpuid.h", "unistd.h", "fcntl.h", "pthread.h", "sched.h",
            "strings.h", "sys/mman.h", "sys/resource.h", "sys/stat.h", "sys/types.h", "sys/auxv.h",
            "sys/wait.h"}

# What a folder of core may include besides itself and base.
CORE_MAY_INCLUDE = {
    "base": set(),
    "graph": set(),
    "ops": {"graph"},
    "model": {"graph"},
    "exec": {"graph", "ops", "model"},
    "train": {"graph", "ops", "model", "exec", "eval"},
    "data": set(),
    "eval": set(),
    "plugin": set(),
    "config": set(),
    "report": {"eval"},
}
TOOL_MAY_INCLUDE = {"session/session.h"}
# Headers of libraries, and the only folders and files that may include them.
RESERVED = {
    "cblas.h": ("plugins/engines/openblas/", "strategies/classical/lda_solve.c"),
    "hdf5.h": ("plugins/weights/keras/",),
    "jerror.h": ("plugins/readers/jpeg.c",),
    "jpeglib.h": ("plugins/readers/jpeg.c", "tests/unit/test_data_scaled.c"),
    "libsvm/svm.h": ("strategies/classical/",),
    "linear.h": ("strategies/classical/",),
    "oneapi/dnnl/dnnl.h": ("plugins/engines/onednn/",),
    "omp.h": ("plugins/engines/onednn/",),
    "protobuf-c/protobuf-c.h": ("plugins/weights/protobuf/",),
    "zip.h": ("plugins/weights/torch/",),
    "stb_easy_font.h": ("core/report/sheet.c",),
    "stb_image.h": ("plugins/readers/stb.c",),
    "stb_image_write.h": ("core/report/sheet.c", "tests/bench/pictures.c"),
}
# Headers of the system that files outside plugins/ need as well.
SYSTEM_C_OF = {"strategies/classical/interruptible.c": {"pthread.h"}}
# Plugins of one library that share a folder's headers.
SHARED = {
    "plugins/weights/caffe": "plugins/weights/protobuf",
    "plugins/weights/onnx": "plugins/weights/protobuf",
    "plugins/engines/onednn": "plugins/engines/openblas",
}
# The test of a library's own decoder reads its pictures with it.
RESERVED_IN_TESTS = {"stb_image.h"}

PLUGIN_ROOTS = ("backbones/", "strategies/", "plugins/", "examples/")
SOURCE_ROOTS = ("sdk/", "core/", "tests/", "docs/", "packaging/") + PLUGIN_ROOTS
NARROW_ROOTS = ("core/", "plugins/", "strategies/", "backbones/")
NEEDS_SPDX = (".c", ".h", ".def", ".py", ".sh", ".in", ".build")
TEXT = NEEDS_SPDX + (".md", ".ini", ".txt", ".1")
SKIP = ("examples/data/", "examples/weights/", "tests/data/", "tests/fuzz/corpus/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
UNFINISHED = re.compile(r"\b(?:%s|%s|%s)\b" % ("TO" "DO", "FIX" "ME", "XX" "X"))
MACHINE_PATH = re.compile(r"(?<![\w.$}~/-])/(?:%s)/\w" % "|".join(
    ("home", "root", "wo" "rk", "Users", "tmp/build")))
MAX_COLUMNS = 100


def files_of(root):
    """Names of the tree's text files, relative to root, in order."""
    names = [name for name in os.listdir(root) if os.path.isfile(os.path.join(root, name))
             and (name.endswith(TEXT) or name == "bootstrap")]
    for top in SOURCE_ROOTS:
        for folder, folders, entries in os.walk(os.path.join(root, top)):
            folders[:] = [f for f in folders if not f.startswith(("build", "runs", ".", "__"))]
            names += [os.path.relpath(os.path.join(folder, e), root) for e in entries
                      if e.endswith(TEXT)]
    return sorted(n.replace(os.sep, "/") for n in names if not n.startswith(SKIP))


def is_standard(header):
    return header.endswith(".h") and header[:-2] in STANDARD_C


def own_folder(root, name, header):
    """Whether a quoted header lies in the folder of the file that includes it, in the one it shares
    with others, or is made of the folder's protobuf schema."""
    folder = os.path.dirname(name)
    if header.endswith(".pb-c.h"):
        header = header[:-len(".pb-c.h")] + ".proto"
    return "/" not in header and any(os.path.isfile(os.path.join(root, place, header))
                                     for place in (folder, SHARED.get(folder, folder)))


def sdk_problem(angle, header):
    if angle and (is_standard(header) or header.startswith("xenograft/")):
        return None
    return "the sdk may include only standard C and <xenograft/...>"


def plugin_problem(root, name, angle, header):
    if not angle:
        return None if own_folder(root, name, header) else "only headers of the plugin's own folder"
    if is_standard(header) or header.startswith("xenograft/") or header in RESERVED:
        return None
    if header in (SYSTEM_C if name.startswith("plugins/") else SYSTEM_C_OF.get(name, ())):
        return None
    return "plugins see only the sdk, C and their own library"


def core_problem(name, angle, header):
    folder = name.split("/")[1]
    if angle:
        if folder == "session" or not header.startswith("session/"):
            return None
        if folder == "tool" and header in TOOL_MAY_INCLUDE:
            return None
        return "only session and tool may include the session"
    target = header.split("/")[0]
    if "/" not in header:
        return "name the folder: \"%s/%s\"" % (folder, header)
    if target == folder or folder == "session":
        return None
    if folder == "tool":
        return None if header in TOOL_MAY_INCLUDE else "tool may include only session/session.h"
    if folder not in CORE_MAY_INCLUDE:
        return "core/%s is not in the lint test's table" % folder
    if target == "base" or target in CORE_MAY_INCLUDE[folder]:
        return None
    return "core/%s may not include core/%s" % (folder, target)


def include_problem(root, name, angle, header):
    places = RESERVED.get(header)
    if places and not name.startswith(places) and not (
            name.startswith("tests/") and header in RESERVED_IN_TESTS):
        return "only %s may include it" % " and ".join(places)
    if name.startswith("sdk/"):
        return sdk_problem(angle, header)
    if name.startswith(PLUGIN_ROOTS):
        return plugin_problem(root, name, angle, header)
    if name.startswith("core/"):
        return core_problem(name, angle, header)
    return None


def line_problems(root, name, line):
    if name.endswith((".c", ".h", ".def")):
        match = INCLUDE.match(line)
        if match:
            problem = include_problem(root, name, match.group(1) == "<", match.group(2))
            if problem:
                yield "%s: %s" % (match.group(2), problem)
        if "\t" in line:
            yield "tab"
        if name.startswith(NARROW_ROOTS) and len(line) > MAX_COLUMNS:
            yield "%d columns, at most %d" % (len(line), MAX_COLUMNS)
    if UNFINISHED.search(line):
        yield "unfinished work is noted in the issue tracker, not in the source"
    if MACHINE_PATH.search(line):
        yield "path of one machine"
    if line != line.rstrip() and not name.endswith((".md", ".1")):
        yield "space at the end of the line"


def lint(root):
    """Violations as (file, line number, text)."""
    found = []
    for name in files_of(root):
        with open(os.path.join(root, name), encoding="utf-8") as file:
            lines = file.read().split("\n")
        head = "\n".join(lines[:4])
        if name.endswith(NEEDS_SPDX) and not (
                "SPDX-FileCopyrightText:" in head and "SPDX-License-Identifier:" in head):
            found.append((name, 1, "no SPDX lines"))
        for number, line in enumerate(lines, 1):
            found += [(name, number, text) for text in line_problems(root, name, line)]
    return found


SPDX = "/* SPDX-FileCopyrightText: 2026 A\n * SPDX-License-Identifier: MIT */\n"
# File, text, and a part of the violation that it must cause ("" for none).
CASES = [
    ("sdk/include/xenograft/a.h", "#include <stdint.h>\n#include <xenograft/abi.h>\n", ""),
    ("sdk/include/xenograft/b.h", "#include <glib.h>\n", "sdk may include only"),
    ("backbones/a.c", "#include <xenograft/backbone.h>\n#include <math.h>\n", ""),
    ("backbones/b.c", "#include \"graph/op.h\"\n", "own folder"),
    ("backbones/c.c", "#include <unistd.h>\n", "plugins see only"),
    ("plugins/readers/a.c", "#include <stb_image.h>\n", "only plugins/readers/stb.c"),
    ("plugins/engines/openblas/a.c", "#include <cblas.h>\n", ""),
    ("plugins/engines/onednn/a.c", "#include <oneapi/dnnl/dnnl.h>\n#include <omp.h>\n", ""),
    ("plugins/engines/openblas/b.c", "#include <omp.h>\n", "only plugins/engines/onednn/"),
    ("plugins/weights/a.c", "#include <cblas.h>\n", "only plugins/engines/openblas/ and"),
    ("strategies/a.c", "#include <libsvm/svm.h>\n", "only strategies/classical/"),
    ("strategies/b.c", "#include <pthread.h>\n", "plugins see only"),
    ("strategies/classical/a.h", "#include <libsvm/svm.h>\n#include <linear.h>\n", ""),
    ("strategies/classical/b.c", "#include <cblas.h>\n", "lda_solve.c"),
    ("strategies/classical/c.c", "#include <pthread.h>\n", "plugins see only"),
    ("strategies/classical/lda_solve.c", "#include <cblas.h>\n", ""),
    ("strategies/classical/interruptible.c", "#include <pthread.h>\n", ""),
    ("plugins/weights/onnx/a.c", "#include \"b.pb-c.h\"\n", "own folder"),
    ("core/graph/a.c", "#include \"base/error.h\"\n#include \"graph/op.h\"\n", ""),
    ("core/graph/b.c", "#include \"ops/window.h\"\n", "core/graph may not include core/ops"),
    ("core/data/a.c", "#include \"eval/metrics.h\"\n", "core/data may not include core/eval"),
    ("core/train/a.c", "#include \"eval/metrics.h\"\n#include \"exec/program.h\"\n", ""),
    ("core/exec/a.c", "#include \"train/run.h\"\n", "core/exec may not include core/train"),
    ("core/session/a.c", "#include \"train/run.h\"\n#include \"data/split.h\"\n", ""),
    ("core/tool/a.c", "#include \"session/session.h\"\n#include <glib.h>\n", ""),
    ("core/tool/b.c", "#include \"session/private.h\"\n", "only session/session.h"),
    ("core/new/a.c", "#include \"graph/op.h\"\n", "not in the lint test's table"),
    ("core/report/sheet.c", "#include <stb_image_write.h>\n", ""),
    ("core/report/a.c", "#include <stb_image_write.h>\n", "only core/report/sheet.c"),
    ("core/base/a.c", "int a;\t\n", "tab"),
    ("core/base/b.c", "/* " + "x" * 98 + " */\n", "columns"),
    ("core/base/c.c", "/* TO" "DO */\n", "unfinished"),
    ("core/base/d.c", "\"/ho" "me/someone/x\"\n", "path of one machine"),
]


def self_test():
    """Whether each rule finds what it must and nothing else."""
    failures = 0
    for name, text, expected in CASES + [("core/base/e.c", None, "no SPDX lines")]:
        with tempfile.TemporaryDirectory() as root:
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path))
            with open(path, "w", encoding="utf-8") as file:
                file.write("int a;\n" if text is None else SPDX + text)
            found = lint(root)
        right = any(expected in v[2] for v in found) if expected else not found
        if not right:
            failures += 1
            print("self-test: %s: expected '%s', found %s" % (name, expected, found))
    return failures


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    failures = self_test() if "--self-test" in sys.argv else 0
    found = lint(sys.argv[1])
    for name, number, text in found:
        print("%s:%d: %s" % (name, number, text))
    return 1 if found or failures else 0


sys.exit(main())
