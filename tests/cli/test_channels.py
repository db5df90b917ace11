# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""`[data] channels`: grey images and images of many channels in backbones of three."""
import csv
import io
import json
import os
import struct

import cli


def greys(case, folder, deep=False, count=12, side=40):
    """Grey pictures as PGM files: stripes for one class, columns for the other."""
    for label, name in enumerate(cli.CLASSES):
        for i in range(count):
            values = [(37 * i + 11 * (y if label else x) ** 2 // 7) % 256
                      for y in range(side) for x in range(side)]
            data = struct.pack(">%dH" % len(values), *(v * 257 for v in values)) if deep \
                else bytes(values)
            cli.write(case.at(folder, name, "%d.pgm" % i),
                      b"P5\n%d %d\n%d\n" % (side, side, 65535 if deep else 255) + data)
    return case.at(folder)


def planes(case, channels, count=10, side=36):
    """Images of many channels, for the reader of the tests; a manifest of them."""
    lines = ["path,label"]
    for label, name in enumerate(cli.CLASSES):
        for i in range(count):
            values = bytes((29 * i + 13 * c + 5 * (y if label else x) ** 2 // 9) % 256
                           for y in range(side) for x in range(side) for c in range(channels))
            file = "%s%d.planes" % (name, i)
            cli.write(case.at("planes", file),
                      b"PLANES" + bytes([side, side, channels]) + values)
            lines.append("%s,%s" % (file, name))
    return cli.write(case.at("planes", "manifest.csv"), "\n".join(lines) + "\n")


def model_of(path):
    content = cli.read(path, "rb")
    length, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    return header, json.loads(header["__metadata__"]["xenograft.model"])


class Grey(cli.Case):
    def probabilities(self, folder):
        return {row["path"]: float(row["prob:normal"])
                for row in cli.rows(self.at(folder, "predictions.csv"))}

    def assert_near(self, one, two, bound):
        one, two = self.probabilities(one), self.probabilities(two)
        self.assertEqual(set(one), set(two))
        self.assertLess(max(abs(one[path] - two[path]) for path in one), bound)
        self.assertGreater(max(one.values()) - min(one.values()), 0.01)

    def notes(self, folder):
        return json.dumps(self.result(folder)["notes"])

    def test_xrays(self):
        """Stored in colour, grey in every pixel."""
        self.copy_xrays(10)
        self.xenograft("run", self.study(study__output="repeated"))
        self.xenograft("run", self.study(study__output="summed", data__channels="sum"))
        self.assert_near("repeated", "summed", 1e-4)
        self.assertNotIn("adapted", self.notes("repeated"))
        notes = self.notes("summed")
        self.assertIn("grey in every pixel; the network is built for 1 input channel,", notes)
        self.assertIn("adapted     features.0.weight", notes)
        self.assertIn("3 input channels summed to 1, the shift of the normalisation in "
                      "features.0.bias", notes)
        header, model = model_of(self.at("summed", "model.safetensors"))
        self.assertEqual(header["features.0.weight"]["shape"][1], 1)
        self.assertEqual(model["preprocess"]["channels"], 1)
        self.assertEqual(len(model["preprocess"]["mean"]), 1)

        files = ["images/normal/" + name for name in os.listdir(self.at("images", "normal"))]
        done = self.xenograft("predict", "summed/model.safetensors", *files)
        known = self.probabilities("summed")
        for row in csv.DictReader(io.StringIO(done.stdout)):
            self.assertAlmostEqual(float(row["prob:normal"]),
                                   known[os.path.relpath(row["path"], "images")], delta=1e-5)

    def test_of_16_bit(self):
        greys(self, "plain")
        greys(self, "deep", deep=True)
        for images in ("plain", "deep"):
            for rule in ("repeat", "sum"):
                self.xenograft("run", self.study(data__images=images, data__channels=rule,
                                                 study__output=images + "-" + rule))
        self.assert_near("plain-repeat", "plain-sum", 1e-4)
        self.assert_near("deep-repeat", "deep-sum", 1e-4)
        one, two = self.probabilities("plain-sum"), self.probabilities("deep-sum")
        self.assertLess(max(abs(one[p] - two[p]) for p in one), 1e-4)

    def test_check_says_so(self):
        greys(self, "images")
        study = self.study(data__channels="sum")
        self.assertIn("input  1 channels (channels = sum; published weights have 3)",
                      self.xenograft("check", study).stdout)
        self.assertEqual(json.loads(self.xenograft("check", study, "--json").stdout)["channels"], 1)
        self.assertIn("input  3 channels (channels = repeat",
                      self.xenograft("check", self.study()).stdout)

    def test_mixed_with_colour(self):
        greys(self, "images")
        cli.write(self.at("images", "normal", "red.ppm"), b"P6\n8 8\n255\n" + b"\xff\0\0" * 64)
        self.xenograft("run", self.study(data__channels="sum"))
        self.assertIn("some images are grey, which are repeated; the network is built for 3",
                      self.notes("out"))
        self.assertNotIn("adapted", self.notes("out"))

    def test_random_start(self):
        greys(self, "images")
        self.xenograft("run", self.study(data__channels="sum", strategy__plugin="scratch",
                                         strategy__epochs=1, backbone__weights="random"))
        header, _ = model_of(self.at("out", "model.safetensors"))
        self.assertEqual(header["features.0.weight"]["shape"][1], 1)

    def test_unknown_rule(self):
        greys(self, "images")
        self.refused("run", self.study(data__channels="mean"), says=["[data] channels", "sum"])


class Many(cli.Case):
    def setUp(self):
        super().setUp()
        self.environment["XENOGRAFT_PLUGIN_PATH"] = os.environ["XG_TEST_PLUGINS"]

    def changes(self, manifest, **more):
        return dict(data__images=None, data__manifest=manifest, **more)

    def test_five_channels(self):
        manifest = planes(self, 5)
        self.xenograft("run", self.study(**self.changes(manifest, data__channels="sum")))
        notes = json.dumps(self.result()["notes"])
        self.assertIn("expected [64,5,3,3], found [64,3,3,3]; 3 input channels repeated in turn "
                      "for 5, times 3/5", notes)
        header, model = model_of(self.at("out", "model.safetensors"))
        self.assertEqual(header["features.0.weight"]["shape"], [64, 5, 3, 3])
        self.assertEqual(model["preprocess"]["mean"], [0.485, 0.456, 0.406, 0.485, 0.456])
        weights = cli.tensor(self.at("out", "model.safetensors"), "features.0.weight")
        source = cli.tensor(os.path.join(cli.WEIGHTS, "squeezenet1_1.safetensors"),
                            "features.0.weight")
        for i in range(0, len(weights), 101):
            out, channel, place = i // 45, i // 9 % 5, i % 9
            self.assertAlmostEqual(weights[i], 0.6 * source[(out * 3 + channel % 3) * 9 + place],
                                   delta=1e-6)
        self.xenograft("predict", "out/model.safetensors", "planes/normal0.planes")
        grey = cli.write(self.at("grey.pgm"), b"P5\n40 40\n255\n" + bytes(1600))
        done = self.xenograft("predict", "out/model.safetensors", grey, status=1)
        self.assertIn("expected an image of 5 channels, found 1", done.stderr)

    def test_refused(self):
        manifest = planes(self, 5)
        study = self.study(**self.changes(manifest))
        self.refused("run", study, says="channels = sum")
        cli.write(self.at("planes", "normal0.planes"),
                  b"PLANES" + bytes([36, 36, 1]) + bytes(36 * 36))
        study = self.study(**self.changes(manifest, data__channels="sum"))
        self.refused("run", study, says="the images have from 1 to 5 channels")


if __name__ == "__main__":
    cli.main()
