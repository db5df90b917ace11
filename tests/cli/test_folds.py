# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Cross-validation, repeats and seeds: what is tested when, sums, interruptions."""
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import time
import unittest

import cli

SERIES_FILES = ["predictions.csv", "report.html", "result.json", "runs.csv", "study.resolved.ini"]
SCORES = ["accuracy", "balanced_accuracy", "auc", "sensitivity", "specificity", "macro_f1"]


class Folds(cli.Case):
    def prepare(self, per_class=12, **changes):
        self.copy_xrays(per_class)
        settings = dict(data__folds=3, strategy__epochs=5)
        settings.update(changes)
        self.study(**settings)

    def run_study(self, *more, **options):
        return self.xenograft("run", self.at("study.ini"), *more, **options)

    def test_each_image_tested_once(self):
        self.prepare()
        done = self.run_study()
        runs = ["fold-1", "fold-2", "fold-3"]
        self.assertEqual(sorted(os.listdir(self.at("out"))), sorted(runs + SERIES_FILES))
        for name in runs:
            self.assert_complete(os.path.join("out", name))
        rows = cli.rows(self.at("out", "predictions.csv"))
        self.assertEqual(len({row["path"] for row in rows}), 24)
        self.assertEqual(len(rows), 24)
        for name in runs:
            own = cli.rows(self.at("out", name, "predictions.csv"))
            parts = {part: {row["path"] for row in own if row["split"] == part}
                     for part in ("training", "validation", "test")}
            self.assertEqual(sum(map(len, parts.values())), 24)
            self.assertEqual(parts["test"], {row["path"] for row in rows
                                             if "fold-" + row["fold"] == name})
        self.assertIn("3 runs, 24 different images tested", done.stdout)
        self.assertIn("95 % interval", done.stdout)

    def test_sums(self):
        self.prepare(study__seeds=2)
        self.run_study()
        rows = cli.rows(self.at("out", "runs.csv"))
        self.assertEqual([row["run"] for row in rows],
                         ["seed-%d-fold-%d" % (s, f) for s in (7, 8) for f in (1, 2, 3)])
        result = self.result()
        for score in SCORES:
            values = [float(row[score]) for row in rows]
            found = result["scores"][score]
            self.assertAlmostEqual(found["mean"], statistics.mean(values), places=12)
            self.assertAlmostEqual(found["sd"], statistics.stdev(values), places=12)
            self.assertEqual([found["least"], found["most"]], [min(values), max(values)])
            self.assertLessEqual(found["low"], found["pooled"])
            self.assertGreaterEqual(found["high"], found["pooled"])
        for row in rows:
            own = json.loads(cli.read(self.at("out", row["run"], "result.json")))
            self.assertEqual(float(row["auc"]), own["parts"]["test"]["auc"]["value"])
        right = [row["label"] == ("pneumonia" if float(row["prob:pneumonia"]) >
                                  float(row["prob:normal"]) else "normal")
                 for row in cli.rows(self.at("out", "predictions.csv"))]
        self.assertAlmostEqual(result["scores"]["accuracy"]["pooled"], sum(right) / 48, places=12)

    def test_one_fold_is_a_study(self):
        self.prepare(data__repeats=2)
        self.run_study()
        self.run_study("-s", "data.fold=2", "-s", "data.repeat=2", "-s", "study.output=one")
        self.assert_complete("one")
        self.assert_same("one", os.path.join("out", "repeat-2-fold-2"))
        resolved = self.at("out", "repeat-1-fold-3", "study.resolved.ini")
        self.xenograft("run", resolved, "-s", "study.output=" + self.at("again"))
        self.assert_same("again", os.path.join("out", "repeat-1-fold-3"))

    def test_by_patient(self):
        self.copy_xrays(9)
        lines = ["path,label,patient"]
        for name in cli.CLASSES:
            for i, file in enumerate(sorted(os.listdir(self.at("images", name)))):
                lines.append("images/%s/%s,%s,p%d" % (name, file, name, i // 3 + 3 * (name == "normal")))
        cli.write(self.at("images.csv"), "\n".join(lines) + "\n")
        self.study(data__images=None, data__manifest="images.csv", data__patient="patient",
                   data__folds="patient", strategy__epochs=3)
        self.run_study()
        rows = cli.rows(self.at("out", "predictions.csv"))
        folds = {}
        for row in rows:
            folds.setdefault(row["fold"], set()).add(row["patient"])
        self.assertEqual(len(folds), 6)
        self.assertTrue(all(len(patients) == 1 for patients in folds.values()))
        result = self.result()
        self.assertEqual(result["intervals"]["method"], "percentile bootstrap by patient")
        self.assertEqual(result["scores"]["auc"]["runs"], 0)
        self.assertIsNone(result["scores"]["auc"]["mean"])
        self.assertIsNotNone(result["scores"]["auc"]["pooled"])
        self.study(data__folds="patient")
        self.refused("run", self.at("study.ini"), "-s", "study.output=other",
                     says=["folds by patient need every image's patient"])

    def test_wrong_settings(self):
        self.prepare(data__folds=1)
        self.refused("run", self.at("study.ini"), says='from 2 to 1000, or patient, found "1"')
        for changes, text in (
                (dict(data__folds="patients"), 'found "patients"'),
                (dict(data__folds=3, data__fold=4), "expected at most the 3 folds, found 4"),
                (dict(data__folds=3, data__repeat=2), "expected at most the 1 repeats, found 2"),
                (dict(data__repeats=2), "repeats: has no effect without folds"),
                (dict(data__fold=2), "fold: has no effect without folds"),
                (dict(data__folds=3, data__split="manifest"), "fixes the test part"),
                (dict(data__folds=13), 'class "normal": expected at least 13 groups'),
                (dict(study__seeds=0), "seeds")):
            self.study(**changes)
            self.refused("run", self.at("study.ini"), says=text)

    def test_check_tells_of_runs(self):
        self.prepare()
        plan = json.loads(self.xenograft("check", "--json", self.at("study.ini")).stdout)
        self.assertEqual(plan["runs"], 3)
        self.assertEqual(plan["split"]["test"], 8)
        self.assertIn("3 runs, of which this is the first",
                      self.xenograft("check", self.at("study.ini")).stdout)
        self.xenograft("check", "--preview", "sheet.png", self.at("study.ini"))

    def interrupted(self, number, seconds):
        process = subprocess.Popen([cli.COMMAND, "run", self.at("study.ini"), "--resume"] if
                                   os.path.exists(self.at("out.partial")) else
                                   [cli.COMMAND, "run", self.at("study.ini")],
                                   env=self.environment, cwd=self.folder, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        try:
            text = process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            text = process.communicate(timeout=60)[1]
        return process.returncode, text

    def test_goes_on(self):
        self.prepare(strategy__plugin="full", strategy__epochs=12, strategy__batch_size=2)
        begin = time.monotonic()
        self.run_study("-s", "study.output=whole")
        took = time.monotonic() - begin
        moments = random.Random(5)
        stops = 0
        for number in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGTERM):
            status, text = self.interrupted(number, moments.uniform(0.1, 0.5) * took)
            if status == 0:
                break
            stops += 1
            if status > 0:
                self.assertEqual(status, 130, text)
        if not os.path.exists(self.at("out")):
            self.xenograft("run", self.at("study.ini"),
                           *(["--resume"] if os.path.exists(self.at("out.partial")) else []))
        self.assertGreater(stops, 0)
        for fold in ("fold-1", "fold-2", "fold-3"):
            self.assert_same(os.path.join("whole", fold), os.path.join("out", fold))
        self.assert_same("whole", "out", ["predictions.csv"])
        self.assertEqual(sorted(os.listdir(self.at("out"))), sorted(os.listdir(self.at("whole"))))

    def test_other_settings_do_not_go_on(self):
        self.prepare(strategy__plugin="full", strategy__epochs=40)
        status, text = self.interrupted(signal.SIGKILL, 2)
        self.assertLess(status, 0, text)
        before = sorted(os.listdir(self.at("out.partial")))
        self.refused("run", self.at("study.ini"), "--resume", "-s", "strategy.epochs=41",
                     says="was begun with other settings")
        self.assertEqual(sorted(os.listdir(self.at("out.partial"))), before)

    def test_failing_run_keeps_the_others(self):
        self.prepare()
        self.run_study("-s", "study.output=whole")
        shutil.copytree(self.at("whole"), self.at("out.partial"))
        for name in ("predictions.csv", "report.html", "result.json", "runs.csv"):
            os.remove(self.at("out.partial", name))
        shutil.rmtree(self.at("out.partial", "fold-3"))
        damaged = self.at("out.partial", "fold-2", "predictions.csv")
        cli.write(damaged, cli.read(damaged)[:-40])
        done = self.xenograft("run", self.at("study.ini"), "--resume", status=1)
        self.assertIn("fold-2/predictions.csv:", done.stderr)
        self.assertIn("keeps what is finished", done.stderr)
        self.assertFalse(os.path.exists(self.at("out")))
        shutil.rmtree(self.at("out.partial", "fold-2"))
        self.run_study("--resume")
        self.assert_same("whole", "out", ["predictions.csv"])


if __name__ == "__main__":
    cli.main()
