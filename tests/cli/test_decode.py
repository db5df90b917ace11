# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""`[data] decode = scaled`: JPEG files decoded to a part of their size already.

The X-rays have 300 px and become 73 px for an input of 64: a half is at least twice that."""
import csv
import io
import json
import os
import struct

import cli


def model_of(path):
    content = cli.read(path, "rb")
    length, = struct.unpack("<Q", content[:8])
    return json.loads(json.loads(content[8:8 + length])["__metadata__"]["xenograft.model"])


class Decode(cli.Case):
    def setUp(self):
        super().setUp()
        self.copy_xrays(10)

    def ran(self, output, **changes):
        """Runs the study into that folder; the probability of each test image."""
        self.xenograft("run", self.study(study__output=output, **changes))
        return {row["path"]: float(row["prob:normal"])
                for row in cli.rows(self.at(output, "predictions.csv"))}

    def notes(self, folder):
        return json.dumps(self.result(folder)["notes"])

    def test_run_and_predict(self):
        full = self.ran("full")
        scaled = self.ran("scaled", data__decode="scaled")
        gap = max(abs(full[path] - scaled[path]) for path in full)
        self.assertGreater(gap, 0.0)
        self.assertLess(gap, 0.05)
        self.assertNotIn("decode", model_of(self.at("full", "model.safetensors"))["preprocess"])
        self.assertEqual(
            model_of(self.at("scaled", "model.safetensors"))["preprocess"]["decode"], 1)
        self.assertIn(" decode=scaled ", json.dumps(self.result("scaled")["environment"]))
        self.assertNotIn("decode=", json.dumps(self.result("full")["environment"]))
        self.assertIn("decode = scaled", cli.read(self.at("scaled", "study.resolved.ini")))
        self.assertIn("decode = full", cli.read(self.at("full", "study.resolved.ini")))

        files = ["images/normal/" + name for name in os.listdir(self.at("images", "normal"))]
        for output, known in (("full", full), ("scaled", scaled)):
            done = self.xenograft("predict", output + "/model.safetensors", *files)
            for row in csv.DictReader(io.StringIO(done.stdout)):
                self.assertAlmostEqual(float(row["prob:normal"]),
                                       known[os.path.relpath(row["path"], "images")], delta=1e-6)

    def test_rows_of_their_own(self):
        self.ran("full")
        self.ran("first", data__decode="scaled")
        self.assertIn("features: 0 of 20 from the cache", self.notes("first"))
        self.ran("second", data__decode="scaled")
        self.assertIn("features: 20 of 20 from the cache", self.notes("second"))
        self.assert_same("first", "second")

    def test_nothing_to_gain(self):
        """Parts that would be too small, and files whose reader has none."""
        self.ran("full", data__size=96)
        self.ran("scaled", data__size=96, data__decode="scaled")
        self.assert_same("full", "scaled", ["predictions.csv", "history.csv"])
        for label, name in enumerate(cli.CLASSES):
            for i in range(8):
                values = bytes((37 * i + 11 * (y if label else x) ** 2 // 7) % 256
                               for y in range(160) for x in range(160))
                cli.write(self.at("grey", name, "%d.pgm" % i), b"P5\n160 160\n255\n" + values)
        self.ran("grey-full", data__images="grey")
        self.ran("grey-scaled", data__images="grey", data__decode="scaled")
        self.assert_same("grey-full", "grey-scaled", ["predictions.csv", "history.csv"])

    def test_augmented(self):
        """A magnification asks for more pixels than a half has, others do not."""
        changes = dict(augment__rotate=10, augment__views=1, strategy__epochs=3)
        for scale, differs in (("0.9,1", True), ("0.9,1.1", False)):
            runs = []
            for how in ("full", "scaled"):
                output = "%s-%s" % (how, scale)
                self.ran(output, data__decode=how, augment__scale=scale, **changes)
                history = cli.rows(self.at(output, "history.csv"))
                runs.append([row["train_loss"] for row in history])
            self.assertEqual(runs[0] != runs[1], differs, scale)

    def test_unknown_value(self):
        self.refused("run", self.study(data__decode="half"),
                     says=["[data] decode", "full", "scaled", "half"])

    def test_check_says_so(self):
        done = self.xenograft("check", self.study(data__decode="scaled"))
        self.assertIn(" decode=scaled ", done.stdout)


if __name__ == "__main__":
    cli.main()
