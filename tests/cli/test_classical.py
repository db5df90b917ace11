# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Studies whose head is fitted on feature vectors: svm, knn, lda, logistic, random_forest."""
import base64
import csv
import io
import json
import os

import cli

PLUGINS = os.path.join(cli.INSTALLED, cli.LIBDIR, "xenograft", "plugins-1")
HEADS = [name for name in ("svm", "knn", "lda", "logistic", "random_forest")
         if os.path.exists(os.path.join(PLUGINS, name + ".so"))]
NOTES = {"svm": "support vectors", "knn": "k ", "lda": "shrinkage ", "logistic": "C ",
         "random_forest": "out-of-bag accuracy"}
COLUMNS = ["prob:" + name for name in cli.CLASSES]


class Classical(cli.Case):
    def head(self, name, output=None, **more):
        return self.study(file=name + ".ini", study__output=output or name,
                          strategy__plugin=name, **more)

    def probabilities(self, table):
        return {row["path"]: [float(row[c]) for c in COLUMNS] for row in table}

    def predict(self, folder, images):
        """Probabilities of images of images/, by the model file of a run."""
        done = self.xenograft("predict", self.at(folder, "model.safetensors"), *images,
                              cwd=self.at("images"))
        return self.probabilities(csv.DictReader(io.StringIO(done.stdout)))

    def test_run_and_predict(self):
        """Each head learns something, and its model file predicts the same."""
        self.copy_xrays(per_class=20)
        self.assertGreaterEqual(len(HEADS), 3)
        for name in HEADS:
            with self.subTest(head=name):
                done = self.xenograft("run", self.head(name))
                self.assertIn("classifier: learns from 512 values", done.stderr)
                self.assert_complete(name)
                result = self.result(name)
                self.assertIn(NOTES[name], json.dumps(result["notes"]))
                self.assertGreater(self.training_accuracy(name), 0.75)
                first = self.probabilities(cli.rows(self.at(name, "predictions.csv")))
                again = self.predict(name, sorted(first))
                self.assertEqual(sorted(first), sorted(again))
                for path, row in first.items():
                    self.assertAlmostEqual(sum(row), 1.0, places=5)
                    for a, b in zip(row, again[path]):
                        self.assertAlmostEqual(a, b, places=5, msg=path)

    def training_accuracy(self, folder):
        part = [row for row in cli.rows(self.at(folder, "predictions.csv"))
                if row["split"] == "training"]
        right = sum(float(row["prob:" + row["label"]]) > 0.5 for row in part)
        return right / len(part)

    def test_same_again(self):
        """The same bytes from the same seed."""
        self.copy_xrays()
        for name in HEADS:
            self.xenograft("run", self.head(name, name + "1"))
            self.xenograft("run", self.head(name, name + "2"))
            self.assert_same(name + "1", name + "2")

    def test_refused(self):
        self.copy_xrays(per_class=4)
        self.refused("run", self.head("knn"), "-s", "strategy.k=1.5", says="whole number")
        self.refused("run", self.head("knn"), "-s", "strategy.k=500",
                     says="at most the")
        self.refused("check", self.head("lda"), "-s", "strategy.shrinkage=2",
                     says='shrinkage: expected "auto" or a number from 0 to 1, found "2"')

    def test_damaged_model(self):
        """A model whose classifier's state was changed is refused."""
        self.copy_xrays(per_class=6)
        self.xenograft("run", self.head("random_forest", strategy__trees=5))
        path = self.at("random_forest", "model.safetensors")
        content = cli.read(path, "rb")
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8:8 + size])
        name, = [key for key in header if key.endswith(".nodes")]
        begin, _ = header[name]["data_offsets"]
        place = 8 + size + begin + 8
        cli.write(path, content[:place] + b"\0\0\0\0" + content[place + 4:])
        image = self.at("images", "normal", os.listdir(self.at("images", "normal"))[0])
        self.refused("predict", path, image, says="its random forest is incomplete or damaged")

    def test_more_classes(self):
        """A state that tells of more classes than the model has gets no room for them."""
        self.copy_xrays(per_class=6)
        self.xenograft("run", self.head("knn", strategy__k=3))
        path = self.at("knn", "model.safetensors")
        content = cli.read(path, "rb")
        facts = base64.b64encode((2).to_bytes(8, "little") + (512).to_bytes(8, "little"))[:16]
        other = base64.b64encode((60000).to_bytes(8, "little") + (512).to_bytes(8, "little"))[:16]
        self.assertEqual(content.count(facts), 1)
        cli.write(path, content.replace(facts, other))
        image = self.at("images", "normal", os.listdir(self.at("images", "normal"))[0])
        self.refused("predict", path, image, says="its neighbours are incomplete or damaged")


cli.main()
