# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""The grid of `xenograft compare`: its table, tests, failures, interruptions."""
import csv
import json
import math
import os
import signal
import subprocess
import time
import unittest

import cli

CELLS = ["squeezenet1_1-frozen", "squeezenet1_1-knn", "lbp-frozen", "lbp-knn"]


class Compare(cli.Case):
    def prepare(self, **changes):
        self.copy_xrays(15)
        settings = dict(data__folds=3, strategy__epochs=8)
        settings.update(changes)
        self.study(**settings)

    def compare(self, *more, backbones="squeezenet1_1,lbp", strategies="frozen,knn", **options):
        return self.xenograft("compare", self.at("study.ini"), "--backbones", backbones,
                              "--strategies", strategies, "-o", "grid", *more, **options)

    def right(self, cell):
        """By image: whether its class was named."""
        rows = cli.rows(self.at("grid", cell, "predictions.csv"))
        return {row["path"]: (float(row["prob:pneumonia"]) > float(row["prob:normal"])) ==
                (row["label"] == "pneumonia") for row in rows}

    def exact_mcnemar(self, one, two):
        a, b = self.right(one), self.right(two)
        self.assertEqual(a.keys(), b.keys())
        only_a = sum(a[path] and not b[path] for path in a)
        only_b = sum(b[path] and not a[path] for path in a)
        n = only_a + only_b
        self.assertLess(n, 25)
        tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1)) / 2 ** n
        return min(1.0, 2 * tail)

    def test_table(self):
        self.prepare()
        done = self.compare()
        names = [name for cell in CELLS for name in (cell, cell + ".ini", cell + ".log")]
        self.assertEqual(sorted(os.listdir(self.at("grid"))),
                         sorted(names + ["report.html", "result.json", "table.csv"]))
        rows = cli.rows(self.at("grid", "table.csv"))
        self.assertEqual([row["backbone"] + "-" + row["strategy"] for row in rows[:4]], CELLS)
        self.assertEqual(rows[4]["backbone"], "majority baseline")
        self.assertEqual([float(rows[4][key]) for key in ("accuracy", "auc")], [0.5, 0.5])
        result = json.loads(cli.read(self.at("grid", "result.json")))
        best = max(rows[:4], key=lambda row: float(row["auc"]))
        self.assertEqual(best["verdict"], "best")
        self.assertEqual(result["best"], best["backbone"] + "-" + best["strategy"])
        self.assertIn("best (*): %s %s" % (best["backbone"], best["strategy"]), done.stdout)
        self.assertIn("majority baseline", done.stdout)
        for cell, row in zip(result["cells"], rows):
            own = json.loads(cli.read(self.at("grid", cell["name"], "result.json")))
            self.assertEqual(cell["scores"], own["scores"])
            for key in ("accuracy", "auc", "sensitivity", "specificity"):
                self.assertEqual(float(row[key]), own["scores"][key]["pooled"])
                self.assertEqual(float(row[key + "_low"]), own["scores"][key]["low"])
        adjusted = {}
        for cell in result["cells"]:
            if cell["name"] == result["best"]:
                self.assertNotIn("auc_test", cell)
                continue
            self.assertEqual(cell["accuracy_test"]["method"], "McNemar, exact")
            self.assertEqual(cell["auc_test"]["method"], "DeLong")
            self.assertAlmostEqual(cell["accuracy_test"]["p"],
                                   self.exact_mcnemar(cell["name"], result["best"]), places=12)
            adjusted[cell["name"]] = (cell["accuracy_test"]["p"], cell["accuracy_test"]["p_holm"])
        self.assertIn("never overwritten", self.compare("--resume", status=2).stderr)
        most = 0
        for i, (p, found) in enumerate(sorted(adjusted.values())):
            most = max(most, min(1.0, p * (len(adjusted) - i)))
            self.assertAlmostEqual(found, most, places=12)
        told = {cell["name"] for cell in result["cells"] if cell["name"] != result["best"] and
                min(cell["accuracy_test"]["p_holm"], cell["auc_test"]["p_holm"]) < 0.05}
        seconds = {cell["name"]: cell["seconds"] for cell in result["cells"]}
        self.assertEqual(result["cheapest"],
                         min(set(seconds) - told, key=lambda name: seconds[name]))

    def test_cells_are_studies(self):
        self.prepare(data__folds=None, strategy__k=5)
        self.compare(backbones="squeezenet1_1")
        resolved = cli.read(self.at("grid", "squeezenet1_1-frozen.ini"))
        self.assertIn("epochs = 8", resolved)
        self.assertNotIn("k = 5", resolved)
        self.assertIn("k = 5", cli.read(self.at("grid", "squeezenet1_1-knn.ini")))
        self.assertNotIn("epochs", cli.read(self.at("grid", "squeezenet1_1-knn.ini")))
        self.study(data__folds=None, strategy__epochs=8)
        self.xenograft("run", self.at("study.ini"))
        self.assert_same(os.path.join("grid", "squeezenet1_1-frozen"), "out")

    def test_settings_and_jobs(self):
        self.prepare(engine__memory="512M")
        self.xenograft("compare", self.at("study.ini"), "-b", "squeezenet1_1", "-t", "frozen",
                       "-t", "partial:unfreeze=fire8,fire9:epochs=2", "--jobs", 2, "-o", "grid",
                       "--seeds", 2, "--folds", 2)
        rows = cli.rows(self.at("grid", "table.csv"))
        self.assertEqual(rows[1]["strategy"], "partial:unfreeze=fire8,fire9:epochs=2")
        self.assertGreater(float(rows[1]["trained_share"]), float(rows[0]["trained_share"]))
        text = cli.read(self.at("grid", "squeezenet1_1-partial_unfreeze=fire8,fire9_epochs=2.ini"))
        for setting in ("unfreeze = fire8,fire9", "epochs = 2", "threads = 1",
                        "memory = %d" % (256 << 20), "seeds = 2", "folds = 2"):
            self.assertIn(setting + "\n", text.replace(' "', " ").replace('"\n', "\n"))
        runs = cli.rows(self.at("grid", "squeezenet1_1-frozen", "runs.csv"))
        self.assertEqual(len(runs), 4)

    def test_long_settings(self):
        self.prepare(data__folds=None)
        blocks = ",".join("fire%d" % i for i in range(2, 10))
        item = "partial:epochs=1:unfreeze=" + ",".join([blocks] * 6)
        self.xenograft("compare", self.at("study.ini"), "-b", "squeezenet1_1", "-t", item, "-o",
                       "grid")
        row = cli.rows(self.at("grid", "table.csv"))[0]
        self.assertEqual((row["strategy"], row["failure"]), (item, ""))
        name = json.loads(cli.read(self.at("grid", "result.json")))["cells"][0]["name"]
        self.assertLess(len(name), 130)
        self.assert_complete(os.path.join("grid", name))

    def test_failing_cell(self):
        self.prepare()
        self.xenograft("compare", self.at("study.ini"), "-b", "squeezenet1_1", "-t", "frozen,knn",
                       "-t", "partial:unfreeze=nothing", "-o", "grid", status=1)
        rows = cli.rows(self.at("grid", "table.csv"))
        self.assertEqual([bool(row["failure"]) for row in rows], [False, False, True, False])
        self.assertIn("nothing", rows[2]["failure"])
        self.assertEqual(rows[2]["accuracy"], "")
        result = json.loads(cli.read(self.at("grid", "result.json")))
        self.assertIn("nothing", result["cells"][2]["failure"])
        again = self.xenograft("compare", self.at("study.ini"), "-b", "squeezenet1_1", "-t",
                               "frozen,knn", "-t", "partial:unfreeze=nothing", "-o", "grid",
                               "--resume", status=1)
        self.assertIn("squeezenet1_1-knn, finished before", again.stderr)
        self.assertEqual(cli.rows(self.at("grid", "table.csv"))[2]["failure"], rows[2]["failure"])

    def test_wrong_input(self):
        self.prepare()
        for more, says in (
                (dict(strategies="frozen,svn"), 'no strategy "svn"'),
                (dict(backbones="squeezenet"), 'no backbone "squeezenet"'),
                (dict(backbones="resnet18"), "--weights resnet18=FILE"),
                (dict(strategies=""), "at least one strategy"),
                (dict(strategies="knn,knn"), '"knn" is given twice'),
                (dict(strategies="svm"), 'unknown key "epochs"')):
            done = self.compare(status=2, **more)
            self.assertIn(says, done.stderr)
            self.assertFalse(os.path.exists(self.at("grid")))
        self.assertIn("nothing to resume", self.compare("--resume", status=2).stderr)
        os.mkdir(self.at("grid"))
        self.assertIn("grid exists", self.compare(status=2).stderr)

    def start(self, *more):
        process = subprocess.Popen(
            [cli.COMMAND, "compare", self.at("study.ini"), "-b", "squeezenet1_1", "-t",
             "frozen,full", "-o", "grid", *more], env=self.environment, cwd=self.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return process

    def test_interrupted(self):
        self.prepare(strategy__epochs=12, strategy__batch_size=2)
        process = self.start()
        deadline = time.monotonic() + 120
        while not os.path.exists(self.at("grid", "squeezenet1_1-full.partial", "identity")):
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        text = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 130, text)
        self.assertIn("--resume", text)
        self.assertFalse(os.path.exists(self.at("grid", "result.json")))
        others = self.xenograft("compare", self.at("study.ini"), "-b", "squeezenet1_1", "-t",
                                "frozen,full", "-o", "grid", "--resume", "-s", "strategy.epochs=13",
                                status=2)
        self.assertIn("begun with other settings", others.stderr)
        process = self.start("--resume")
        text = process.communicate(timeout=200)[1]
        self.assertEqual(process.returncode, 0, text)
        self.assertIn("squeezenet1_1-frozen, finished before", text)
        self.xenograft("run", self.at("study.ini"), "-s", "strategy.plugin=full")
        self.assert_same("out", os.path.join("grid", "squeezenet1_1-full"), ["predictions.csv"])
        with open(self.at("grid", "table.csv"), newline="") as file:
            self.assertEqual(len(list(csv.reader(file))), 4)


if __name__ == "__main__":
    cli.main()
