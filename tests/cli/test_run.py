# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""`xenograft run`: a complete result folder, the same twice, strategies swapped by one line."""
import os
import unittest

import cli


class Run(cli.Case):
    def test_complete_and_runs_again(self):
        self.copy_xrays()
        study = self.study()
        done = self.xenograft("run", study)
        self.assertIn("majority", done.stdout)
        self.assertIn(self.at("out"), done.stdout)
        self.assert_complete()
        result = self.result()
        metrics = result["parts"]["test"]
        for name in ("accuracy", "balanced_accuracy", "auc", "majority_baseline"):
            self.assertIn(name, metrics)
        self.assert_intervals(metrics, done.stdout)
        predictions = cli.rows(self.at("out", "predictions.csv"))
        self.assertEqual(len(predictions), 24)
        self.assertEqual({row["split"] for row in predictions}, {"training", "validation", "test"})
        for row in predictions:
            total = sum(float(row["prob:" + name]) for name in cli.CLASSES)
            self.assertAlmostEqual(total, 1.0, places=5)

        self.xenograft("run", study, "-s", "study.output=warm")
        self.environment["XDG_CACHE_HOME"] = self.at("other cache")
        self.xenograft("run", study, "-s", "study.output=cold")
        self.xenograft("run", self.at("out", "study.resolved.ini"), "-s",
                       "study.output=" + self.at("again"))
        for other in ("warm", "cold", "again"):
            self.assert_complete(other)
            self.assert_same("out", other)
            self.assertEqual(self.result(other)["parts"]["test"], metrics)

    def assert_intervals(self, metrics, printed):
        self.assertEqual(metrics["intervals"]["method"], "percentile bootstrap by image")
        self.assertEqual(metrics["intervals"]["clusters"], metrics["images"])
        low, high = metrics["accuracy"]["interval"]
        self.assertTrue(0 <= low <= metrics["accuracy"]["value"] <= high <= 1)
        self.assertIn(f"{low:.4f} to {high:.4f}", printed)
        self.assertIn("intervals: bootstrap by image, 2000 replicates", printed)
        self.assertNotIn("intervals", self.result()["parts"]["training"])

    def test_other_seed_other_split(self):
        self.copy_xrays(6)
        study = self.study()
        self.xenograft("run", study)
        self.xenograft("run", study, "-s", "study.seed=8", "-s", "study.output=other")
        self.assertNotEqual(cli.read(self.at("out", "predictions.csv")),
                            cli.read(self.at("other", "predictions.csv")))

    def test_output_exists(self):
        self.copy_xrays(6)
        study = self.study()
        os.mkdir(self.at("out"))
        cli.write(self.at("out", "mine"), "precious")
        self.refused("run", study, says=["out", "exists"])
        self.assertEqual(os.listdir(self.at("out")), ["mine"])


class Strategies(cli.Case):
    def runs(self, strategy, *more):
        """Changes nothing but the strategy (and where the result goes)."""
        done = self.xenograft("run", self.at("study.ini"), "-s", "strategy.plugin=" + strategy, "-s",
                              "study.output=" + strategy, *more)
        self.assert_complete(strategy)
        result = self.result(strategy)
        self.assertEqual(result["transfer_type"], strategy, done.stderr)
        before = result["training"]["frozen_sha256_before"]
        self.assertEqual(before, result["training"]["frozen_sha256_after"])
        return cli.tensor(self.at(strategy, "model.safetensors"), self.first)

    def each(self, backbone, first):
        weights = os.path.join(cli.WEIGHTS, backbone + ".safetensors")
        self.first = first
        published = cli.tensor(weights, first)
        self.copy_xrays(6)
        self.study(backbone__plugin=backbone, backbone__weights=weights)
        short = ["-s", "strategy.epochs=2", "-s", "strategy.batch_size=4"]
        self.assertEqual(self.runs("frozen"), published)
        self.assertEqual(self.runs("partial", *short), published)
        far = max(abs(v) for v in published)
        full = self.runs("full", "-s", "strategy.weight_decay=0",
                         "-s", "strategy.learning_rate=0.0001", *short)
        self.assertNotEqual(full, published)
        self.assertLess(max(abs(a - b) for a, b in zip(full, published)), far)
        self.assertNotEqual(self.runs("scratch", *short)[:9], published[:9])

    def test_squeezenet1_1(self):
        self.each("squeezenet1_1", "features.0.weight")

    def test_mobilenet_v2(self):
        self.each("mobilenet_v2", "features.0.0.weight")


if __name__ == "__main__":
    cli.main()
