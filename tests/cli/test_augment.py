# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Augmented training: the same bits whatever the threads, and after an interruption; previews."""
import os
import shutil
import signal
import struct
import subprocess
import unittest
import zlib

import cli

BUSY = dict(augment__flip_horizontal=0.5, augment__rotate=15, augment__scale="0.9,1.1",
            augment__translate=0.1, augment__brightness=0.2, augment__noise=0.02,
            augment__blur=1, augment__cutout=0.2, augment__crop="resized",
            augment__crop_area="0.5,1", augment__mixup=0.4, augment__cutmix=1)
UNMIXED = {key: value for key, value in BUSY.items() if "mix" not in key}


def read_png(path):
    """Width, height and rows of RGB of a PNG."""
    data = cli.read(path, "rb")
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, chunks = 8, b""
    while at < len(data):
        length, = struct.unpack(">I", data[at:at + 4])
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        check, = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
        assert check == zlib.crc32(kind + body), "checksum"
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 2)
        chunks += body if kind == b"IDAT" else b""
        at += 12 + length
    return width, height, unfilter(zlib.decompress(chunks), width, height)


def unfilter(data, width, height):
    """Undoes the filters of PNG's lines (ISO/IEC 15948, section 9)."""
    stride, rows = 3 * width, []
    assert len(data) == height * (stride + 1)
    above = bytearray(stride)
    for y in range(height):
        kind, line = data[y * (stride + 1)], bytearray(data[y * (stride + 1) + 1:][:stride])
        for i in range(stride):
            left, up, corner = (line[i - 3] if i > 2 else 0), above[i], \
                (above[i - 3] if i > 2 else 0)
            guess = left + up - corner
            nearest = min((left, up, corner), key=lambda v: abs(guess - v))
            line[i] = (line[i] + [0, left, up, (left + up) // 2, nearest][kind]) & 255
        rows.append(bytes(line))
        above = line
    return rows


class Augment(cli.Case):
    def run_study(self, output, *more, **settings):
        return self.xenograft("run", self.study(study__output=output, **settings), *more)

    def test_threads(self):
        """Loader threads, and runs, give the same bytes: the reference engine's sums do not depend
        on its threads either."""
        self.copy_xrays(6)
        settings = dict(strategy__plugin="full", strategy__epochs=2, strategy__batch_size=4,
                        data__size=32, engine__plugin="reference", **BUSY)
        for threads in (1, 2):
            self.run_study("threads%d" % threads, "-s", "engine.threads=%d" % threads, **settings)
        self.assert_same("threads1", "threads2")
        self.run_study("plain", "-s", "engine.threads=1", **dict(
            settings, **{key: None for key in BUSY}))
        self.assertNotEqual(cli.read(self.at("plain", "predictions.csv")),
                            cli.read(self.at("threads1", "predictions.csv")))
        note, = [n["text"] for n in self.result("threads1")["notes"] if n["name"] == "augmentation"]
        for word in ("flip_horizontal 0.5", "mixup 0.4", "new in every epoch"):
            self.assertIn(word, note)
        environment = {e["name"]: e["text"] for e in self.result("plain")["environment"]}
        self.assertEqual(environment["augmentation"], "none")

    def test_resolved_study_runs_again(self):
        self.copy_xrays(6)
        self.run_study("out", strategy__plugin="partial", strategy__epochs=2, **BUSY)
        shutil.copy(self.at("out", "study.resolved.ini"), self.at("again.ini"))
        self.xenograft("run", self.at("again.ini"), "-s", "study.output=" + self.at("again"))
        self.assert_same("out", "again")

    def stop(self, line_with):
        process = subprocess.Popen(
            [cli.COMMAND, "run", self.at("study.ini")], env=self.environment, cwd=self.folder,
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for line in process.stderr:
            if line_with in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[1]
        return process.returncode, rest

    def test_resume(self):
        self.copy_xrays(8)
        self.study(strategy__plugin="full", strategy__epochs=8, strategy__batch_size=2, **BUSY)
        self.xenograft("run", self.at("study.ini"), "-s", "study.output=whole")
        status, text = self.stop(" epoch 1:")
        self.assertEqual(status, 130, text)
        self.assertFalse(os.path.exists(self.at("out")))
        self.xenograft("run", self.at("study.ini"), "--resume")
        self.assert_same("whole", "out")

    def test_views(self):
        """Views are cached beside the plain images, by seed; heads learn from them."""
        self.copy_xrays(8)
        settings = dict(UNMIXED, strategy__plugin="frozen", strategy__epochs=5)
        first = self.run_study("first", augment__views=2, **settings)
        self.assertRegex(first.stderr, r"view 1 of training images: 0 of (\d+) from the cache, \1 c")
        again = self.run_study("again", augment__views=2, **settings)
        for view in (1, 2):
            self.assertRegex(again.stderr, r"view %d of training images: (\d+) of \1 from" % view)
        self.assert_same("first", "again")
        other = self.run_study("other", augment__views=2, **dict(settings, augment__rotate=14))
        self.assertRegex(other.stderr, r"view 1 of training images: 0 of (\d+) from the cache, \1 c")
        self.assertNotEqual(cli.read(self.at("other", "predictions.csv")),
                            cli.read(self.at("first", "predictions.csv")))

    def test_classical_head(self):
        self.copy_xrays(8)
        plain = self.run_study("plain", strategy__plugin="knn", augment__views=2)
        self.assertIn("[augment] views has no effect", plain.stderr)
        told = "the classifier learns from training images as they are"
        self.assertNotIn(told, plain.stderr)
        fresh = self.run_study("fresh", strategy__plugin="knn", **UNMIXED)
        self.assertIn(told, fresh.stderr)
        self.assert_same("plain", "fresh", ["predictions.csv"])
        views = self.run_study("views", strategy__plugin="knn", augment__views=3, **UNMIXED)
        self.assertNotIn(told, views.stderr)
        self.assertNotEqual(cli.read(self.at("plain", "predictions.csv")),
                            cli.read(self.at("views", "predictions.csv")))

    def test_bad_values(self):
        self.copy_xrays(4)
        bad = [("flip_horizontal", "1.5", "expected a number from 0 to 1"),
               ("rotate", "-5", "expected a number from 0 to 180 (degrees)"),
               ("scale", "1.1,0.9", "expected two numbers such as 0.9,1.1, the smaller one first"),
               ("crop_area", "0.5", "expected two numbers such as 0.9,1.1, the smaller one first"),
               ("crop_aspect", "0.01,1", "from 0.1 to 10"),
               ("crop", "middle", "expected one of centre, random, resized"),
               ("border", "wrap", "expected one of zero, edge, reflect"),
               ("gamma", "1", "expected a number from 0 to 0.99"),
               ("blurr", "1", "unknown key \"blurr\"; did you mean \"blur\"?"),
               ("views", "-1", "expected an integer from 0 to 1000")]
        study = self.study(**{"augment__" + key: value for key, value, _ in bad})
        lines = cli.read(study).split("\n")
        text = self.refused("run", study)
        for key, value, says in bad:
            line = lines.index("%s = %s" % (key, value)) + 1
            self.assertRegex(text, r"study\.ini:%d: \[augment\] .*" % line)
            self.assertIn(says, text)
        self.refused("run", self.study(augment__mixup=0.2, augment__views=3),
                     says=["[augment] mixup: images that are mixed anew", "views = 3"])

    def test_preview(self):
        """A sheet of 3 rows for each class: the heading, the image, up to six epochs of it."""
        self.copy_xrays(8)
        study = self.study(strategy__plugin="full", strategy__epochs=4, **BUSY)
        done = self.xenograft("check", study, "--preview", self.at("sheet.png"))
        self.assertIn("augmentation  crop resized", done.stdout)
        self.assertEqual(done.stderr.count("preview row"), 6)
        self.assertIn(" of normal/", done.stderr)
        width, height, rows = read_png(self.at("sheet.png"))
        self.assertEqual((width, height), (8 + 5 * 72, 28 + 6 * (64 + 8 + 20)))
        tiles = [b"".join(rows[48 + y][3 * (8 + 72 * k):3 * (72 + 72 * k)] for y in range(64))
                 for k in range(5)]
        self.assertEqual(len(set(tiles)), 5, "every epoch has another picture")
        for tile in tiles:
            self.assertGreater(len(set(tile)), 20, "a picture of many shades")
        self.assertTrue(any(b"\0\0\0" in row for row in rows[:28]), "a heading")
        before = cli.read(self.at("sheet.png"), "rb")
        self.refused("check", study, "--preview", self.at("sheet.png"),
                     says="sheet.png exists; --force writes over it")
        self.xenograft("check", study, "--preview", self.at("sheet.png"), "--force")
        self.assertEqual(cli.read(self.at("sheet.png"), "rb"), before)
        self.refused("check", study, "--preview", self.at("absent", "sheet.png"), says="absent")

    def test_preview_of_other_studies(self):
        self.copy_xrays(8)
        for columns, settings in ((1, {}), (1 + 2, dict(UNMIXED, augment__views=2)),
                                  (1, dict(UNMIXED, strategy__plugin="knn"))):
            self.xenograft("check", self.study(**settings), "--preview", self.at("sheet.png"), "-f",
                           "--json")
            self.assertEqual(read_png(self.at("sheet.png"))[0], 8 + columns * 72)


if __name__ == "__main__":
    cli.main()
