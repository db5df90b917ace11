# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Engines: what suits this processor, equal results of all, reduced precision on the record."""
import json
import re

import cli

# docs/numerics.md: sums in another order; a trained head moves a little further.
PROBABILITY_TOLERANCE = 1e-3


class Engines(cli.Case):
    def engines(self):
        return json.loads(self.xenograft("list", "engines", "--json").stdout)

    def has_onednn(self):
        return "onednn" in [entry["id"] for entry in self.engines()]

    def test_scores(self):
        engines = self.engines()
        best = max(entry["suits"] for entry in engines)
        chosen = [entry for entry in engines if entry["auto"]]
        self.assertEqual([entry["suits"] for entry in chosen], [best])
        self.assertGreater(best, 0)
        text = self.xenograft("list", "engines").stdout
        for entry in engines:
            self.assertIn("suits this processor %d of 100" % entry["suits"], text)
        self.assertEqual(text.count("engine = auto takes it"), 1)
        self.copy_xrays(4)
        plan = self.xenograft("check", self.study(), "--json").stdout
        self.assertTrue(json.loads(plan)["engine"].startswith(chosen[0]["id"] + " "), plan)

    def probabilities(self, folder):
        return [(row["path"], float(row["prob:pneumonia"]))
                for row in cli.rows(self.at(folder, "predictions.csv"))]

    def test_equal(self):
        self.copy_xrays(12)
        for entry in self.engines():
            self.xenograft("run", self.study(), "-s", "engine.plugin=" + entry["id"],
                           "-s", "strategy.epochs=3", "-s", "study.output=" + entry["id"])
        first = self.probabilities("openblas")
        for entry in self.engines():
            for (file, ours), (other, theirs) in zip(first, self.probabilities(entry["id"])):
                self.assertEqual(file, other)
                self.assertAlmostEqual(ours, theirs, delta=PROBABILITY_TOLERANCE)

    def notes(self, folder):
        return [note["text"] for note in self.result(folder)["notes"]
                if note["name"] == "precision"]

    def test_precision(self):
        if not self.has_onednn():
            self.skipTest("engine onednn is not installed")
        self.copy_xrays(12)
        rounded = ("-s", "engine.plugin=onednn", "-s", "engine.precision=bf16")
        if "avx512_bf16" not in cli.read("/proc/cpuinfo"):
            self.refused("run", self.study(), *rounded, says="found bf16")
            return
        for strategy in ("frozen", "knn"):
            self.xenograft("run", self.study(strategy__plugin=strategy), *rounded,
                           "-s", "study.output=" + strategy)
            text, = self.notes(strategy)
            found = re.match(r"bf16 beside fp32, test part: (\d+) of (\d+) images get another "
                             r"class, probabilities differ by up to ([\d.]+); accuracy ", text)
            self.assertTrue(found, text)
            self.assertGreaterEqual(int(found[2]), 4)
            engine, = [e["text"] for e in self.result(strategy)["environment"]
                       if e["name"] == "engine"]
            self.assertIn("precision=bf16", engine)
        self.xenograft("run", self.study(), "-s", "engine.plugin=onednn",
                       "-s", "study.output=exact")
        self.assertEqual(self.notes("exact"), [])

    def test_wrong(self):
        self.copy_xrays(4)
        self.refused("run", self.study(), "-s", "engine.plugin=onedn", says="onedn")
        self.refused("run", self.study(), "-s", "engine.plugin=openblas",
                     "-s", "engine.precision=bf16", says="precision")
        if self.has_onednn():
            self.refused("run", self.study(), "-s", "engine.plugin=onednn",
                         "-s", "engine.precision=fp8", says="fp32")


if __name__ == "__main__":
    cli.main()
