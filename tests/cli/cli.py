# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""What the tests of the installed command share: temporary folders, small studies, runs."""
import configparser
import csv
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ["XG_TEST_SOURCE"]
STAGE = os.environ["XG_TEST_STAGE"]
PREFIX = os.environ["XG_TEST_PREFIX"]
BINDIR = os.environ["XG_TEST_BINDIR"]
LIBDIR = os.environ["XG_TEST_LIBDIR"]
INSTALLED = STAGE + PREFIX
COMMAND = os.path.join(INSTALLED, BINDIR, "xenograft")
XRAYS = os.path.join(SOURCE, "examples", "data", "chest_xray")
WEIGHTS = os.path.join(SOURCE, "examples", "weights")
# Slow, and hungry for memory.
SANITIZED = os.environ.get("XG_TEST_SANITIZE", "none") != "none"
CLASSES = ("normal", "pneumonia")
RESULT_FILES = ["history.csv", "model.safetensors", "predictions.csv", "report.html",
                "result.json", "study.resolved.ini", "study_row.csv"]
# The files that the same study, seed and thread count give to the byte.
REPEATED = ["history.csv", "model.safetensors", "predictions.csv"]


def read(path, mode="r"):
    with open(path, mode) as file:
        return file.read()


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(content, bytes) else "w") as file:
        file.write(content)
    return path


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def tensor(path, name):
    """The values of a tensor of a safetensors file, F16 or F32."""
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        entry = json.loads(file.read(length))[name]
        begin, end = entry["data_offsets"]
        file.seek(8 + length + begin)
        return [value for value, in struct.iter_unpack(
            {"F16": "<e", "F32": "<f"}[entry["dtype"]], file.read(end - begin))]


class Case(unittest.TestCase):
    """One temporary folder for each test, with its own caches and user plugins."""

    maxDiff = 2000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="xenograft-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(
            os.environ, LC_ALL="C", HOME=self.at("home"), XDG_CACHE_HOME=self.at("cache"),
            XDG_DATA_HOME=self.at("share"))
        self.environment.pop("XENOGRAFT_PLUGIN_PATH", None)

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def copy_xrays(self, per_class=12, folder="images", first=0):
        """The smallest X-rays of each class, as class folders."""
        for name in CLASSES:
            source = os.path.join(XRAYS, name)
            files = sorted(os.listdir(source),
                           key=lambda f: (os.path.getsize(os.path.join(source, f)), f))
            os.makedirs(self.at(folder, name), exist_ok=True)
            for file in files[first:first + per_class]:
                shutil.copy(os.path.join(source, file), self.at(folder, name, file))
        return self.at(folder)

    def study(self, file="study.ini", **changes):
        """Writes a small study; a setting is section__key=value, None leaves it out."""
        settings = {
            "study__name": "small", "study__seed": 7, "study__output": "out",
            "data__images": "images", "data__patient": "none", "data__split": "50/25/25",
            "data__size": 64, "backbone__plugin": "squeezenet1_1",
            "backbone__weights": os.path.join(WEIGHTS, "squeezenet1_1.safetensors"),
            "strategy__plugin": "frozen", "engine__threads": 2}
        settings.update(changes)
        study = configparser.RawConfigParser()
        study.optionxform = str
        for name, value in settings.items():
            section, key = name.split("__")
            if not study.has_section(section):
                study.add_section(section)
            if value is not None:
                study.set(section, key, str(value))
        with open(self.at(file), "w") as out:
            study.write(out)
        return self.at(file)

    def xenograft(self, *arguments, status=0, command=COMMAND, **more):
        """Runs the command and checks its exit status."""
        options = dict(env=self.environment, cwd=self.folder, text=True, timeout=240)
        options.update(more)
        done = subprocess.run([command, *map(str, arguments)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options)
        self.assertEqual(done.returncode, status, "xenograft %s\n%s%s" %
                         (" ".join(map(str, arguments)), done.stdout, done.stderr))
        self.assertNotIn("runtime error: ", done.stderr, "found by the sanitizer")
        return done

    def refused(self, *arguments, status=2, says=(), **more):
        """Runs the command, which must refuse with these texts and write no result folder."""
        there = sorted(os.listdir(self.folder))
        done = self.xenograft(*arguments, status=status, **more)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, done.stderr)
        new = set(os.listdir(self.folder)) - set(there) - {"cache", "share", "home"}
        self.assertEqual(new, set(), "a refused command leaves nothing\n" + done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def result(self, folder="out"):
        return json.loads(read(self.at(folder, "result.json")))

    def assert_complete(self, folder="out"):
        self.assertEqual(sorted(os.listdir(self.at(folder))), RESULT_FILES)
        for name in RESULT_FILES:
            self.assertGreater(os.path.getsize(self.at(folder, name)), 0, name)
        self.assertFalse(os.path.exists(self.at(folder + ".partial")))

    def assert_same(self, one, two, names=tuple(REPEATED)):
        for name in names:
            self.assertTrue(read(self.at(one, name), "rb") == read(self.at(two, name), "rb"),
                            "%s of %s and %s differ" % (name, one, two))


def main():
    if not os.access(COMMAND, os.X_OK):
        sys.exit("%s is missing: the test `install` makes it, run that first" % COMMAND)
    unittest.main(verbosity=2)
