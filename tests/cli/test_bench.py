# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""`xenograft bench`: every mode, numbers that agree with each other, what makes no sense."""
import json
import os
import re
import subprocess
import sys

import cli

PAIR = os.path.join(cli.SOURCE, "tests", "bench", "pair.py")
QUICK = ("--seconds", 0.2, "--batch", 2, "--threads", 2)
MODES = ("infer", "features", "partial", "full")


class Bench(cli.Case):
    def bench(self, *arguments):
        return json.loads(self.xenograft("bench", *QUICK, *arguments, "--json").stdout)

    def assert_consistent(self, found):
        rate = found["images_per_second"] * found["gflop_per_image"]
        self.assertGreater(rate, 0)
        self.assertAlmostEqual(found["gflops"], rate, delta=1e-6 * rate)
        self.assertGreater(found["peak_fraction"], 0)
        self.assertAlmostEqual(found["peak_fraction"], found["gflops"] / found["peak_gflops"],
                               delta=1e-6 * found["peak_fraction"])
        self.assertGreaterEqual(found["best_images_per_second"], found["images_per_second"])
        self.assertGreaterEqual(found["runs"], 3)
        self.assertGreaterEqual(found["runs"] * found["mean_seconds"], 0.2)
        self.assertGreater(found["peak_memory_bytes"], found["arena_bytes"] // 2)
        self.assertGreater(found["arena_bytes"], 0)
        self.assertEqual((found["batch"], found["threads"]), (2, 2))
        self.assertIn("2 threads", found["engine"])
        self.assertNotIn("profile", found)

    def test_modes(self):
        for backbone in ("lenet5", "squeezenet1_1"):
            found = {mode: self.bench(backbone, "--mode", mode) for mode in MODES}
            for mode in MODES:
                self.assertEqual((found[mode]["backbone"], found[mode]["mode"]), (backbone, mode))
                self.assert_consistent(found[mode])
            work = {mode: found[mode]["gflop_per_image"] for mode in MODES}
            self.assertLess(work["features"], work["infer"])
            self.assertLess(work["partial"], work["full"])
            # Forward, and backward for inputs and for weights.
            self.assertTrue(2 < work["full"] / work["infer"] < 3.01, work)
            self.assertIsNone(found["infer"]["trained_blocks"])
        # of squeezenet1_1: 2 * 0.349 G multiply-adds for 1000 classes
        self.assertAlmostEqual(work["infer"], 0.698, delta=0.002)
        self.assertEqual(found["partial"]["trained_blocks"], "fire9, head")
        self.assertEqual(found["partial"]["boundary_values"], 13 * 13 * 512)
        self.assertEqual(found["full"]["boundary_values"], 224 * 224 * 3)

    def test_settings(self):
        found = self.bench("squeezenet1_1", "-s", "size=64", "-s", "classes=3")
        self.assertEqual((found["size_px"], found["classes"], found["channels"]), (64, 3, 3))
        self.assertLess(found["gflop_per_image"], 0.1)

    def test_engines(self):
        found = self.bench("lenet5", "--engine", "reference")
        self.assertIn("reference", found["engine"])
        self.assertEqual(found["reference_kernels"], found["kernels"])
        found = self.bench("lenet5", "--engine", "openblas")
        self.assertTrue(found["engine"].startswith("openblas "))
        self.assertLess(found["reference_kernels"], found["kernels"])

    def test_memory_limit(self):
        wanted = ("squeezenet1_1", "--mode", "full", "-s", "size=128", "--batch", 8)
        free, limited = self.bench(*wanted), self.bench(*wanted, "--memory", 60)
        self.assertEqual((free["batch"], free["images_at_once"]), (8, 8))
        self.assertEqual(limited["batch"], 8)
        self.assertLess(limited["images_at_once"], 8)
        self.assertLess(limited["arena_bytes"], free["arena_bytes"])
        self.refused("bench", *wanted, "--memory", 1, status=1, says="memory")
        self.refused("bench", "squeezenet1_1", "--memory", 1, status=1, says="limit is 1.0 MiB")

    def test_profile(self):
        found = self.bench("squeezenet1_1", "--mode", "full", "--profile", "--slowest", 4)
        profile = found["profile"]
        operators, slowest = profile["operators"], profile["slowest"]
        kinds = [operator["operator"] for operator in operators]
        self.assertEqual(len(kinds), len(set(kinds)))
        self.assertIn("conv2d_grad_weight/1", kinds)
        self.assertEqual(sum(o["nodes"] for o in operators if o["operator"] == "conv2d/1"), 26)
        seconds = sum(operator["seconds"] for operator in operators) + profile["outside_seconds"]
        self.assertAlmostEqual(seconds, found["mean_seconds"], delta=0.01 * found["mean_seconds"])
        shares = sum(operator["share"] for operator in operators)
        self.assertTrue(0.5 < shares <= 1.001, shares)
        self.assertEqual(len(slowest), 4)
        for rows in (operators, slowest):
            times = [row["seconds"] for row in rows]
            self.assertEqual(times, sorted(times, reverse=True))
        text = self.xenograft("bench", "lenet5", "--profile", *QUICK).stdout
        for line in ("images/s  ", "peak  ", "memory  ", "outside of kernels", "slowest nodes"):
            self.assertIn(line, text)

    def test_refused(self):
        for arguments, says in (
                (["no_such_net"], "no_such_net"),
                (["frozen"], "frozen"),
                (["lenet5", "--batch", 0], "batch: expected a whole number from 1 to 4096, found 0"),
                (["lenet5", "--batch", 4097], "found 4097"),
                (["lenet5", "--batch", "many"], "many"),
                (["lenet5", "--mode", "train"], 'mode: expected infer, features, partial or full, '
                 'found "train"'),
                (["lenet5", "--threads", -1], "threads: expected"),
                (["lenet5", "--seconds", -1], "seconds: expected"),
                (["lenet5", "--seconds", "nan"], "seconds: expected"),
                (["lenet5", "--memory", -5], "memory: expected"),
                (["lenet5", "--slowest", -1, "--profile"], "slowest: expected"),
                (["lenet5", "--engine", "no_such_engine"], "no_such_engine"),
                (["lenet5", "-s", "no_such_key=1"], "no_such_key"),
                (["lenet5", "-s", "classes=0"], 'found "classes=0"'),
                ([], "found 0 arguments")):
            self.refused("bench", *arguments, says=says)

    def pair(self, peer, status=0):
        done = subprocess.run(
            [sys.executable, PAIR, "--rounds", "2", cli.COMMAND, "lenet5", *map(str, QUICK), "--",
             sys.executable, "-c", peer], env=self.environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=240)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_pair(self):
        lines = self.pair("print('batch 32: 1e3')").stdout.splitlines()
        self.assertEqual(len(lines), 4)
        ratios = []
        for line in lines[:2]:
            ours, theirs, ratio = re.search(
                r"^round \d: ([\d.]+) and ([\d.]+) images/s, ratio ([\d.]+);", line).groups()
            self.assertEqual(float(theirs), 1000)
            self.assertAlmostEqual(float(ratio), float(ours) / 1000, delta=0.001)
            ratios.append(float(ratio))
        least, median, most = map(float, re.findall(r"[\d.]+", lines[3]))
        self.assertEqual((least, most), (min(ratios), max(ratios)))
        self.assertAlmostEqual(median, sum(ratios) / 2, delta=0.001)
        self.assertIn("images per second", self.pair("print('nothing')", status=1).stderr)
        self.assertIn("exit status 3", self.pair("raise SystemExit(3)", status=1).stderr)


if __name__ == "__main__":
    cli.main()
