# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""check, predict, list, show and weights: what they print, as text and as JSON."""
import csv
import io
import json
import os
import shutil
import unittest

import cli

WEIGHTS = os.path.join(cli.WEIGHTS, "squeezenet1_1.safetensors")


class Check(cli.Case):
    def test_plan(self):
        self.copy_xrays(6)
        for strategy in ("frozen", "partial", "full", "scratch"):
            with self.subTest(strategy):
                study = self.study(strategy__plugin=strategy)
                before = sorted(os.listdir(self.folder))
                text = self.xenograft("check", study).stdout
                for part in ("12 images, 2 classes", "training 6 validation", "preprocessing",
                             "trained parameters", "fine-tuning ratio", "trained layers",
                             "estimated time", "peak planned memory", "MiB"):
                    self.assertIn(part, text)
                after = sorted(set(os.listdir(self.folder)) - {"cache"})
                self.assertEqual(after, sorted(set(before) - {"cache"}))

    def test_json(self):
        self.copy_xrays(6)
        plan = json.loads(self.xenograft("check", "--json", self.study()).stdout)
        self.assertEqual(plan["images"], 12)
        self.assertEqual(plan["phases"][0]["trained_parameters"], 2 * 512 + 2)
        self.assertEqual(plan["phases"][0]["trained_layers"], 1)
        self.assertEqual(sum(plan["split"].values()), 12)
        self.assertGreater(plan["peak_arena_bytes"], 0)


class Predict(cli.Case):
    def setUp(self):
        super().setUp()
        self.copy_xrays(6)
        self.xenograft("run", self.study(strategy__plugin="partial", strategy__epochs=2))
        os.makedirs(self.at("elsewhere"))
        self.model = shutil.copy(self.at("out", "model.safetensors"), self.at("elsewhere"))
        self.expected = {row["path"]: row for row in cli.rows(self.at("out", "predictions.csv"))}
        shutil.rmtree(self.at("out"))
        self.files = [os.path.join("images", name) for name in self.expected]

    def same(self, path, probabilities):
        row = self.expected[os.path.relpath(path, "images")]
        for name in cli.CLASSES:
            self.assertLess(abs(float(row["prob:" + name]) - float(probabilities[name])), 1e-5)

    def test_csv(self):
        text = self.xenograft("predict", self.model, *self.files).stdout
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([row["path"] for row in rows], self.files)
        for row in rows:
            values = {name: float(row["prob:" + name]) for name in cli.CLASSES}
            self.same(row["path"], values)
            self.assertEqual(row["prediction"], max(values, key=values.get))

    def test_json_lines(self):
        text = self.xenograft("predict", "--json", self.model, *self.files).stdout
        rows = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([row["path"] for row in rows], self.files)
        for row in rows:
            self.same(row["path"], row["probabilities"])

    def test_unreadable(self):
        cli.write(self.at("words.png"), "no picture")
        done = self.xenograft("predict", self.model, self.files[0], "words.png", "gone.png",
                              self.files[1], status=1)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual([row["path"] for row in rows], self.files[:2])
        self.same(rows[1]["path"], {name: rows[1]["prob:" + name] for name in cli.CLASSES})
        self.assertIn("words.png: ", done.stderr)
        self.assertIn("gone.png: ", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 2)

    def test_no_model(self):
        self.refused("predict", WEIGHTS, self.files[0], says=[WEIGHTS, "not a model"])
        self.refused("predict", "gone.safetensors", self.files[0], says="gone.safetensors")
        self.refused("predict", self.at("study.ini"), self.files[0], says="study.ini")
        data = cli.read(self.model, "rb")
        cut = cli.write(self.at("cut.safetensors"), data[:-1000])
        self.refused("predict", cut, self.files[0], says="cut.safetensors")


class Listing(cli.Case):
    def test_list(self):
        entries = json.loads(self.xenograft("list", "--json").stdout)
        text = self.xenograft("list").stdout
        self.assertEqual(len(text.splitlines()), len(entries))
        for entry in entries:
            self.assertIn(entry["id"], text)
            self.assertTrue(os.path.isfile(entry["file"]))
            self.assertTrue(entry["licence"] and entry["summary"] and entry["version"])
        strategies = self.xenograft("list", "strategy").stdout.splitlines()
        names = [line.split()[1] for line in strategies]
        self.assertEqual(names, sorted(names))
        self.assertLessEqual({"frozen", "full", "partial", "scratch"}, set(names))
        self.refused("list", "stratgy", says="strategy")

    def test_show_every_component(self):
        entries = json.loads(self.xenograft("list", "--json").stdout)
        for entry in entries:
            with self.subTest(entry["id"]):
                found = json.loads(self.xenograft("show", "--json", entry["id"]).stdout)
                text = self.xenograft("show", entry["id"]).stdout
                self.assertEqual(found["id"], entry["id"])
                for parameter in found["parameters"]:
                    self.assertIn(parameter["name"], text)

    def test_show_counts(self):
        published = {"squeezenet1_0": 1248424, "squeezenet1_1": 1235496, "mobilenet_v2": 3504872,
                     "resnet18": 11689512, "resnet50": 25557032}
        for name, count in published.items():
            found = json.loads(self.xenograft("show", "--json", name).stdout)
            self.assertEqual(found["parameter_count"], count, name)
            blocks = sum(block["parameters"] for block in found["blocks"])
            self.assertLessEqual(blocks, count)
            self.assertLess(found["feature_parameter_count"], count)
            self.assertTrue(found["citation"])

    def test_graph(self):
        dot = self.xenograft("show", "resnet50", "--graph", "dot").stdout
        self.assertTrue(dot.startswith("digraph"))
        self.assertEqual(dot.count("{"), dot.count("}"))
        self.assertIn("layer4", dot)
        text = self.xenograft("show", "resnet50", "--graph", "text").stdout
        self.assertEqual(text.count("= conv2d/1("), 53)
        self.refused("show", "resnet50", "--graph", "png", says=["text or dot", "png"])

    def test_did_you_mean(self):
        self.refused("show", "squeeznet1_1", says='did you mean "squeezenet1_1"?')
        self.refused("runn", says="runn")
        self.refused("run", says="xenograft run STUDY")
        self.refused("run", "--bogus", "x", says="--bogus")
        self.assertIn("predict", self.xenograft("--help").stdout)


class Weights(cli.Case):
    def test_tensors(self):
        text = self.xenograft("weights", WEIGHTS).stdout
        entries = json.loads(self.xenograft("weights", "--json", WEIGHTS).stdout)["tensors"]
        self.assertEqual(len(entries), 52)
        for entry in entries:
            self.assertIn(entry["name"] + " ", text)
        self.assertEqual(entries[0]["shape"], [64, 3, 3, 3])

    def test_match(self):
        text = self.xenograft("weights", WEIGHTS, "--match", "squeezenet1_1").stdout
        self.assertIn("matched 52, head 0, ignored 0, reshaped 0, missing 0, unexpected 0", text)
        found = json.loads(
            self.xenograft("weights", "--json", WEIGHTS, "--match", "squeezenet1_1").stdout)
        self.assertEqual({entry["state"] for entry in found["tensors"]}, {"matched"})
        self.assertIsNone(found["names"])
        five = self.xenograft("weights", WEIGHTS, "--match", "squeezenet1_1", "-s",
                              "classes=5").stdout
        self.assertIn("expected [5,512,1,1], found [1000,512,1,1]", five)
        self.assertIn("matched 50, head 2", five)
        self.refused("weights", WEIGHTS, "-s", "classes=5", says="--set needs --match")
        self.refused("weights", WEIGHTS, "--match", "squeezenet1_1", "-s", "width=2",
                     says="width")
        other = self.xenograft("weights", WEIGHTS, "--match", "mobilenet_v2").stdout
        self.assertIn("missing 2", other)
        self.refused("weights", WEIGHTS, "--match", "mobilnet_v2",
                     says='did you mean "mobilenet_v2"?')


if __name__ == "__main__":
    cli.main()
