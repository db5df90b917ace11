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


def header_of(path):
    """The header of a model, the description in it, and the bytes behind."""
    content = cli.read(path, "rb")
    length, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    return header, json.loads(header["__metadata__"]["xenograft.model"]), content[8 + length:]


def decoding(path):
    return header_of(path)[1]["preprocess"].get("decode")


class Decode(cli.Case):
    def setUp(self):
        super().setUp()
        self.copy_xrays(10)

    def ran(self, output, **changes):
        """Runs the study into that folder; the probability of each test image."""
        self.xenograft("run", self.study(study__output=output, **changes))
        return {row["path"]: float(row["prob:normal"])
                for row in cli.rows(self.at(output, "predictions.csv"))}

    def predicted(self, model):
        files = [os.path.join("images", name, file) for name in cli.CLASSES
                 for file in os.listdir(self.at("images", name))]
        done = self.xenograft("predict", model, *files)
        return {os.path.relpath(row["path"], "images"): float(row["prob:normal"])
                for row in csv.DictReader(io.StringIO(done.stdout))}

    def notes(self, folder):
        return json.dumps(self.result(folder)["notes"])

    def test_run_and_predict(self):
        full = self.ran("full")
        scaled = self.ran("scaled", data__decode="scaled")
        self.assertNotEqual(full, scaled)
        self.assertIsNone(decoding(self.at("full", "model.safetensors")))
        self.assertEqual(decoding(self.at("scaled", "model.safetensors")), 1)
        self.assertIn(" decode=scaled ", json.dumps(self.result("scaled")["environment"]))
        self.assertNotIn("decode=", json.dumps(self.result("full")["environment"]))
        self.assertIn("decode = scaled", cli.read(self.at("scaled", "study.resolved.ini")))
        self.assertIn("decode = full", cli.read(self.at("full", "study.resolved.ini")))

        for output, known in (("full", full), ("scaled", scaled)):
            predicted = self.predicted(output + "/model.safetensors")
            for path, probability in known.items():
                self.assertAlmostEqual(predicted[path], probability, delta=1e-6)

    def with_decode(self, model, value):
        """A copy of that model with another way to decode."""
        header, description, values = header_of(self.at(model))
        description["preprocess"]["decode"] = value
        header["__metadata__"]["xenograft.model"] = json.dumps(description)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        return cli.write(self.at("other.safetensors"),
                         struct.pack("<Q", len(text)) + text + values)

    def test_same_weights(self):
        """What the pixels alone change."""
        self.ran("full")
        full = self.predicted("full/model.safetensors")
        scaled = self.predicted(self.with_decode("full/model.safetensors", 1))
        gap = sum(abs(full[path] - scaled[path]) for path in full) / len(full)
        self.assertGreater(gap, 0.0)
        self.assertLess(gap, 0.03)
        self.assertEqual(full, self.predicted(self.with_decode("full/model.safetensors", 0)))
        self.refused("predict", self.with_decode("full/model.safetensors", 7),
                     "images/normal/0.jpeg", says="scaled, found 7")

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

    def test_kept_pictures(self):
        """Pictures decoded in full are not taken for those decoded to a part."""
        changes = dict(augment__rotate=10, strategy__epochs=2)
        self.ran("kept-full", data__cache_pictures="true", **changes)
        self.ran("kept", data__cache_pictures="true", data__decode="scaled", **changes)
        self.ran("again", data__cache_pictures="true", data__decode="scaled", **changes)
        self.ran("none", data__cache="none", data__decode="scaled", **changes)
        self.assertIn("pictures of training images: 0 decoded", self.notes("again"))
        self.assertNotIn("pictures of training images: 0 decoded", self.notes("kept"))
        for folder in ("kept", "again"):
            self.assert_same("none", folder, ["history.csv", "predictions.csv"])

    def test_unknown_value(self):
        self.refused("run", self.study(data__decode="half"),
                     says=["[data] decode", "full", "scaled", "half"])

    def test_check_says_so(self):
        done = self.xenograft("check", self.study(data__decode="scaled"))
        self.assertIn(" decode=scaled ", done.stdout)


if __name__ == "__main__":
    cli.main()
