# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Auxiliary heads from weights to the saved model, with GoogLeNet's two."""
import json
import os
import struct

import cli

HEADS = ("aux1", "aux2")
LAYERS = ("aux1.fc2", "aux2.fc2")


def read_safetensors(path):
    content = cli.read(path, "rb")
    length, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__")
    return {name: (entry["shape"], content[8 + length + entry["data_offsets"][0]:
                                           8 + length + entry["data_offsets"][1]])
            for name, entry in header.items()}


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    return cli.write(path, struct.pack("<Q", len(text)) + text +
                     b"".join(data for _, data in tensors.values()))


def of_auxiliary(name):
    return name.startswith(HEADS)


class Auxiliary(cli.Case):
    def googlenet(self, output, strategy, weights, **more):
        return self.study(backbone__plugin="googlenet", backbone__weights=weights,
                          strategy__plugin=strategy, strategy__epochs=1, strategy__batch_size=4,
                          study__output=output, data__cache="none", **more)

    def run_study(self, output, strategy, weights):
        """Runs, and predicts with what was saved."""
        done = self.xenograft("run", self.googlenet(output, strategy, weights))
        self.assert_complete(output)
        model = read_safetensors(self.at(output, "model.safetensors"))
        predicted = self.xenograft("predict", output + "/model.safetensors", self.image).stdout
        known = {os.path.basename(row["path"]): row for row in
                 cli.rows(self.at(output, "predictions.csv"))}[os.path.basename(self.image)]
        self.assertIn("%.4f" % float(known["prob:normal"]), self.rounded(predicted))
        return done, model, json.dumps(self.result(output)["notes"])

    def rounded(self, text):
        numbers = []
        for word in text.replace(",", " ").replace("\n", " ").split():
            try:
                numbers.append("%.4f" % float(word))
            except ValueError:
                continue
        return numbers

    def test_from_weights_to_model(self):
        self.copy_xrays(6)
        folder = self.at("images", "normal")
        self.image = os.path.join(folder, sorted(os.listdir(folder))[0])

        # Trained from random weights: part of the loss, saved with the model.
        study = self.googlenet("scratch", "scratch", "random")
        plan = self.xenograft("check", study).stdout
        for layer in LAYERS:
            self.assertIn("auxiliary loss of %s times 0.3" % layer, plan)
        _, model, notes = self.run_study("scratch", "scratch", "random")
        self.assertNotIn("auxiliary head", notes)
        self.assertEqual(len([name for name in model if of_auxiliary(name)]), 18)
        self.assertEqual(model["aux1.fc2.weight"][0], [2, 1024])

        # Weights of five classes: the last layers are made new, as the head's is.
        five = dict(model)
        for layer in LAYERS + ("fc",):
            for kind in ("weight", "bias"):
                shape, data = model["%s.%s" % (layer, kind)]
                row = len(data) // 2
                five["%s.%s" % (layer, kind)] = ([5] + shape[1:], data * 2 + data[:row])
        path = write_safetensors(self.at("five.safetensors"), five)
        table = self.xenograft("weights", path, "--match", "googlenet").stdout
        self.assertIn("missing 0, unexpected 0", table)
        _, full, notes = self.run_study("full", "full", path)
        for layer in LAYERS:
            self.assertIn("%s.weight" % layer, notes)
        self.assertIn("expected [2,1024], found [5,1024]; made new", notes)
        for name in ("aux1.fc1.weight", "aux2.conv.bn.running_mean", "aux2.fc2.bias"):
            self.assertEqual(full[name][0], model[name][0])
            self.assertNotEqual(full[name][1], model[name][1], name)

        # Nothing below is trained: no part of the run, of the plan, of the model.
        study = self.googlenet("frozen", "frozen", path)
        self.assertNotIn("auxiliary", self.xenograft("check", study).stdout)
        _, frozen, _ = self.run_study("frozen", "frozen", path)
        self.assertEqual([name for name in frozen if of_auxiliary(name)], [])
        self.assertEqual(set(frozen), {name for name in model if not of_auxiliary(name)})

        # A file without them is no reason to refuse; half of one is.
        bare = write_safetensors(self.at("bare.safetensors"), {
            name: five[name] for name in five if not of_auxiliary(name)})
        done, dropped, notes = self.run_study("bare", "full", bare)
        for layer in LAYERS:
            line = "the auxiliary head of %s is dropped: the file has none of its tensors" % layer
            self.assertIn(line, done.stderr)
            self.assertIn(line, notes)
            self.assertIn(line, self.xenograft("weights", bare, "--match", "googlenet").stdout)
        self.assertEqual([name for name in dropped if of_auxiliary(name)], [])
        del five["aux1.conv.conv.weight"]
        half = write_safetensors(self.at("half.safetensors"), five)
        self.refused("run", self.googlenet("half", "full", half),
                     says=["aux1.conv.conv.weight: expected [128,512,1,1], not in the file"])


if __name__ == "__main__":
    import unittest
    unittest.main()
