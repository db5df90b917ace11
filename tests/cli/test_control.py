# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""The negative control: where labels are drawn by lot, no strategy does better than chance on images
that it did not learn from. What leaks from the test part would show here."""
import hashlib
import json
import math
import os
import random
import unittest

import cli

PER_CLASS = 60
# One in two thousand, for each of some twenty strategies, twice.
ALPHA = 5e-4


def exceeds(right, count, chance):
    """Whether so many right answers of `count` are beyond the interval of chance (binomial)."""
    tail = sum(math.comb(count, k) * chance ** k * (1 - chance) ** (count - k)
               for k in range(right, count + 1))
    return tail < ALPHA


def area(rows, positive):
    """The area under the curve, and the upper end of chance's interval (Mann and Whitney)."""
    scores = [[float(r["prob:" + positive]) for r in rows if (r["label"] == positive) == wanted]
              for wanted in (True, False)]
    wins = sum((p > n) + 0.5 * (p == n) for p in scores[0] for n in scores[1])
    pairs = len(scores[0]) * len(scores[1])
    deviation = math.sqrt((len(scores[0]) + len(scores[1]) + 1) / (12 * pairs))
    return wins / pairs, 0.5 + 3.29 * deviation


class Control(cli.Case):
    def prepare(self, permuted, per_class=PER_CLASS):
        files, seen = [], set()
        for name in cli.CLASSES:
            folder, kept = os.path.join(cli.XRAYS, name), 0
            for file in sorted(os.listdir(folder)):
                digest = hashlib.sha256(cli.read(os.path.join(folder, file), "rb")).digest()
                if kept < per_class and digest not in seen:
                    files.append((os.path.join(folder, file), name))
                    seen.add(digest)
                    kept += 1
        labels = [label for _, label in files]
        if permuted:
            random.Random(20).shuffle(labels)
        lines = ["path,label"] + ["%s,%s" % (file, label)
                                  for (file, _), label in zip(files, labels)]
        cli.write(self.at("images.csv"), "\n".join(lines) + "\n")
        self.study(data__images=None, data__manifest="images.csv", data__split="40/20/40")

    def settings(self, strategy):
        """Few epochs and steps, where a strategy has them and they take long."""
        shown = json.loads(self.xenograft("show", strategy, "--json").stdout)
        short = {"epochs": 3, "steps": 2, "deepest": 2}
        for param in shown["parameters"]:
            if param["name"] in short and int(param["default"] or 0) < 100:
                yield from ("-s", "strategy.%s=%d" % (param["name"], short[param["name"]]))

    def predict(self, strategy):
        self.xenograft("run", self.at("study.ini"), "-s", "strategy.plugin=" + strategy, "-s",
                       "study.output=" + strategy, *self.settings(strategy))
        rows = [row for row in cli.rows(self.at(strategy, "predictions.csv"))
                if row["split"] == "test"]
        right = sum(max(cli.CLASSES, key=lambda c: float(row["prob:" + c])) == row["label"]
                    for row in rows)
        shares = [sum(row["label"] == c for row in rows) / len(rows) for c in cli.CLASSES]
        return rows, right, max(shares)

    def test_permuted_labels(self):
        self.prepare(True, PER_CLASS // 2 if cli.SANITIZED else PER_CLASS)
        listed = json.loads(self.xenograft("list", "strategies", "--json").stdout)
        self.assertGreaterEqual(len(listed), 9)
        for strategy in [entry["id"] for entry in listed]:
            rows, right, chance = self.predict(strategy)
            self.assertGreater(len(rows), 20 if cli.SANITIZED else 40)
            self.assertFalse(exceeds(right, len(rows), chance),
                             "%s: %d of %d right, where chance is %.2f" %
                             (strategy, right, len(rows), chance))
            auc, highest = area(rows, cli.CLASSES[1])
            self.assertLess(auc, highest, strategy)

    def test_true_labels(self):
        """The same test finds what there is to find."""
        self.prepare(False)
        rows, right, chance = self.predict("frozen")
        self.assertTrue(exceeds(right, len(rows), chance), "%d of %d" % (right, len(rows)))
        auc, highest = area(rows, cli.CLASSES[1])
        self.assertGreater(auc, highest)


if __name__ == "__main__":
    cli.main()
