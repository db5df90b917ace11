# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""The cache of frozen features: shared by studies, splits and runs at the same time; damaged,
removed, limited."""
import os
import pty
import re
import shutil
import subprocess

import cli

SHORT = dict(strategy__epochs=3, strategy__batch_size=4)
SAME = ("predictions.csv", "history.csv", "model.safetensors")


class Cache(cli.Case):
    def run_study(self, output, status=0, **settings):
        study = self.study(output + ".ini", study__output=output, **dict(SHORT, **settings))
        return self.xenograft("run", study, status=status).stderr

    def counts(self, text, what="features"):
        """(cached, of, computed) of each phase."""
        return [tuple(map(int, found)) for found in
                re.findall(what + r": (\d+) of (\d+) from the cache, (\d+) computed", text)]

    def files(self):
        folder = self.at("cache", "xenograft", "features")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        for name in names:
            self.assertRegex(name, r"^[0-9a-f]{64}\.rows$")
        return [os.path.join(folder, name) for name in names]

    def forget(self):
        shutil.rmtree(self.at("cache", "xenograft", "features"))

    def test_other_split(self):
        """Another seed, another part, more images: what is there is taken; a cache that has some
        of the rows gives the same results as none."""
        self.copy_xrays(10)
        first = self.run_study("first")
        (cached, images, computed), = self.counts(first)
        self.assertEqual((cached, computed), (0, images))
        note, = [note["text"] for note in self.result("first")["notes"]
                 if "from the cache" in note["text"]]
        self.assertIn("0 of %d from the cache, %d computed, 512 values each, %s" %
                      (images, images, self.files()[0]), note)
        other = self.run_study("other", study__seed=8, data__split="40/30/30")
        self.assertEqual(self.counts(other), [(images, images, 0)])
        self.copy_xrays(13)
        more = self.run_study("more")
        (cached, all_images, computed), = self.counts(more)
        self.assertEqual((cached, computed), (images, all_images - images))
        self.assertEqual(len(self.files()), 1)
        again = self.run_study("again")
        self.assertEqual(self.counts(again), [(all_images, all_images, 0)])
        self.assert_same("more", "again", SAME)
        none = self.run_study("none", data__cache="none")
        self.assertIn("features: computed at each pass, 512 values each", none)
        self.assert_same("more", "none", SAME)

    def test_strategies_partly_cached(self):
        """Each strategy that freezes something, over rows of which a part is cached."""
        phases = {"partial": 1, "gradual": None, "lp_ft": 2, "svm": 1}
        if cli.SANITIZED:
            phases = {"partial": 1, "svm": 1}
        for strategy, expected in phases.items():
            with self.subTest(strategy=strategy):
                settings = {"strategy__plugin": strategy}
                if strategy == "svm":
                    settings.update(strategy__epochs=None, strategy__batch_size=None)
                if strategy in ("gradual", "lp_ft"):
                    settings["strategy__epochs"] = None
                shutil.rmtree(self.at("images"), ignore_errors=True)
                shutil.rmtree(self.at("cache", "xenograft", "features"), ignore_errors=True)
                self.copy_xrays(4)
                self.run_study(strategy + "_few", **settings)
                self.copy_xrays(7)
                text = self.run_study(strategy + "_more", **settings)
                counts = self.counts(text, r"(?:features|prepared images)")
                if expected is not None:
                    self.assertEqual(len(counts), expected, text)
                for cached, images, computed in counts:
                    self.assertTrue(0 < cached < images and cached + computed == images, text)
                shutil.rmtree(self.at("cache", "xenograft", "features"))
                self.run_study(strategy + "_cold", **settings)
                names = ("predictions.csv", "model.safetensors")
                self.assert_same(strategy + "_more", strategy + "_cold", names)

    def test_views_of_other_split(self):
        self.copy_xrays(10)
        settings = dict(augment__rotate=10, augment__views=2)
        first = self.run_study("first", **settings)
        self.assertEqual(len(self.files()), 3)
        other = self.run_study("other", data__split="60/20/20", **settings)
        counts = self.counts(other, "features of view [12] of training images")
        self.assertEqual(len(counts), 2)
        for cached, images, computed in counts:
            self.assertTrue(0 < cached < images, (first, other))
        self.forget()
        self.run_study("cold", data__split="60/20/20", **settings)
        self.assert_same("other", "cold", SAME)

    def test_corrupted(self):
        """Records flipped, a record half written, no header: said, computed again, the same."""
        self.copy_xrays(8)
        images = self.counts(self.run_study("first"))[0][1]
        path, = self.files()
        whole = cli.read(path, "rb")
        record = 64 + 512 * 4
        flipped = bytearray(whole)
        flipped[4096 + 2 * record + 100] ^= 16
        flipped[4096 + 5 * record + 3] ^= 1
        for name, data, says, lost in (
                ("flipped", bytes(flipped), "damaged records: 2", 2),
                ("half", whole[:-record // 2], None, 1),
                ("header", b"y" + whole[1:], "damaged cache file; features are computed", images),
                ("empty", b"", "not a whole cache file; features are computed", images),
                ("text", b"my notes\n" * 1000, "features are computed again", images)):
            with self.subTest(name=name):
                cli.write(path, data)
                text = self.run_study(name)
                (cached, of, computed), = self.counts(text)
                self.assertEqual((cached + computed, of), (images, images), text)
                # Two of the images are equal and share a row.
                self.assertIn(computed, (lost, min(lost + 1, images)), text)
                if says is not None:
                    self.assertIn(says, text)
                self.assert_same("first", name, SAME)
                self.assertEqual(self.counts(self.run_study(name + " again")),
                                 [(images, images, 0)])

    def test_at_once(self):
        """Runs at the same time on an empty cache: the same results as one after another."""
        self.copy_xrays(10)
        for seed in (7, 8, 9):
            self.run_study("serial%d" % seed, study__seed=seed)
        images = self.counts(self.run_study("warm"))[0][1]
        size = os.path.getsize(self.files()[0])
        self.forget()
        processes = []
        for seed in (7, 8, 9):
            study = self.study("%d.ini" % seed, study__output="at once %d" % seed,
                               study__seed=seed, engine__threads=2, **SHORT)
            processes.append(subprocess.Popen(
                [cli.COMMAND, "run", study], env=self.environment, cwd=self.folder,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        for seed, process in zip((7, 8, 9), processes):
            text = process.communicate(timeout=240)[1]
            self.assertEqual(process.returncode, 0, text)
            self.assertNotIn("damaged", text)
            self.assert_same("serial%d" % seed, "at once %d" % seed, SAME)
        self.assertEqual([os.path.getsize(path) for path in self.files()], [size])
        after = self.run_study("after")
        self.assertEqual(self.counts(after), [(images, images, 0)])

    def test_size(self):
        """A limit for one file of features, then for none."""
        self.copy_xrays(8)
        first = self.run_study("first", data__cache_size="64K")
        images = self.counts(first)[0][1]
        old, = self.files()
        small = self.run_study("small", data__size=96, data__cache_size="64K")
        self.assertIn("removed to keep it within 0.1 MiB: 1 of the files", small)
        new, = self.files()
        self.assertNotEqual(new, old)
        self.run_study("both", data__cache_size="1M")
        self.assertEqual(len(self.files()), 2)
        self.forget()
        none = self.run_study("none", data__cache_size=1000)
        self.assertEqual(self.counts(none), [(0, images, images)])
        self.assertIn("512 values each, in memory", none)
        self.assertEqual(self.files(), [])
        self.assert_same("first", "none", SAME)
        self.refused("run", self.study(data__cache_size="-1", **SHORT), says="cache_size")
        self.refused("run", self.study(data__cache_size="much", **SHORT), says="cache_size")

    def pictures(self, text):
        """(decoded, read) of the training images in all epochs."""
        (decoded, read), = re.findall(
            r"note \(cache\): pictures of training images: (\d+) decoded, (\d+) read from /", text)
        return int(decoded), int(read)

    def assert_same_result(self, one, two):
        self.assert_same(one, two, SAME)
        self.assertEqual(self.result(one)["parts"], self.result(two)["parts"])
        self.assertEqual(self.result(one)["training"], self.result(two)["training"])

    def test_pictures(self):
        """Images that are new in every epoch are decoded in the first: the same results with and
        without, from what another run left, damaged, without room, and of two runs at once."""
        self.copy_xrays(8)
        settings = dict(strategy__plugin="full", strategy__epochs=3, data__size=32,
                        augment__rotate=15, augment__noise=0.05)
        none = self.run_study("none", data__cache_pictures="false", **settings)
        self.assertNotIn("pictures of training images", none)
        images = self.result("none")["parts"]["training"]["images"]
        without = set(self.files())
        decoded, read = self.pictures(self.run_study("first", **settings))
        # Two of the images are equal and share a row.
        self.assertEqual(decoded + read, 3 * images)
        self.assertTrue(images - 1 <= decoded <= images)
        path, = set(self.files()) - without
        self.assert_same_result("none", "first")
        self.assertEqual(self.pictures(self.run_study("again", **settings)), (0, 3 * images))
        self.assert_same_result("none", "again")
        other = self.pictures(self.run_study("other", study__seed=8, **settings))
        self.assertTrue(0 < other[0] < images, "the parts differ, their pictures are shared")

        damaged = bytearray(cli.read(path, "rb"))
        damaged[4096 + 500] ^= 4
        cli.write(path, bytes(damaged[:-1000]))
        text = self.run_study("damaged", **settings)
        self.assertIn("damaged records: 1; their pictures are decoded again", text)
        self.assertTrue(1 <= self.pictures(text)[0] <= 3)
        self.assert_same_result("none", "damaged")
        cli.write(path, b"my notes\n" * 1000)
        text = self.run_study("text", **settings)
        self.assertIn("damaged cache file; pictures are decoded again", text)
        self.assert_same_result("none", "text")

        limit = os.path.getsize(path)
        self.forget()
        text = self.run_study("small", data__cache_size=limit, **settings)
        self.assertIn("the others are decoded in every epoch", text)
        self.assertTrue(images < self.pictures(text)[0] < 3 * images, text)
        self.assert_same_result("none", "small")
        self.assertLessEqual(sum(map(os.path.getsize, self.files())), limit)
        self.forget()
        self.assertNotIn("pictures of", self.run_study("memory", data__cache="memory", **settings))
        self.assert_same_result("none", "memory")

    def test_pictures_at_once(self):
        self.copy_xrays(8)
        settings = dict(strategy__plugin="full", strategy__epochs=2, data__size=32,
                        augment__rotate=15)
        self.run_study("none", data__cache_pictures="false", **settings)
        self.forget()
        processes = [subprocess.Popen(
            [cli.COMMAND, "run", self.study("%d.ini" % i, study__output="out%d" % i,
                                            **dict(SHORT, **settings))],
            env=self.environment, cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True) for i in range(3)]
        for i, process in enumerate(processes):
            text = process.communicate(timeout=240)[1]
            self.assertEqual(process.returncode, 0, text)
            self.assertNotIn("damaged", text)
            self.assert_same("none", "out%d" % i, SAME)
        after = self.run_study("after", **settings)
        self.assertEqual(self.pictures(after)[0], 0)

    def test_progress_line(self):
        """On a terminal the line of features says how many came from the cache."""
        self.copy_xrays(4)
        images = self.counts(self.run_study("first"))[0][1]
        self.copy_xrays(9)
        study = self.study(study__output="more", **SHORT)
        try:
            master, slave = pty.openpty()
        except OSError as error:
            self.skipTest("no pseudo-terminal: %s" % error)
        with open(master, "rb", buffering=0) as terminal:
            process = subprocess.Popen([cli.COMMAND, "run", study], env=self.environment,
                                       cwd=self.folder, stdout=subprocess.DEVNULL, stderr=slave)
            os.close(slave)
            text = b""
            try:
                while data := terminal.read(4096):
                    text += data
            except OSError:  # The other end is closed.
                pass
            self.assertEqual(process.wait(timeout=240), 0, text)
        self.assertRegex(text.decode(), r"features +\[=+ *\] \d+/18  %d from the cache" % images)

    def test_not_a_folder(self):
        """A cache folder that cannot be made: said, and the same results."""
        self.copy_xrays(6)
        self.run_study("first")
        self.forget()
        cli.write(self.at("cache", "xenograft", "features"), b"")
        text = self.run_study("again")
        self.assertIn("features are not cached on disk", text)
        self.assert_same("first", "again", SAME)


if __name__ == "__main__":
    cli.main()
