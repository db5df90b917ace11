# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Files of Keras with the installed command; only where the plugin is built."""
import os
import shutil
import struct

import cli
from test_weights import read_safetensors

DATA = os.path.join(cli.SOURCE, "tests", "data", "keras")
MOBILENET = os.path.join(DATA, "mobilenet_v1-0.25.h5")
KERAS = ("-s", "published=keras", "-s", "width=0.25")


class Keras(cli.Case):
    def test_whole_network(self):
        done = self.xenograft("weights", MOBILENET)
        self.assertIn("conv_dw_13_bn.running_var", done.stdout)
        self.assertIn("137 tensors, 221114 values", done.stdout)
        done = self.xenograft("weights", "convert", MOBILENET, "out.safetensors", "--backbone",
                              "mobilenet_v1", *KERAS)
        self.assertIn("names: keras map of mobilenet_v1: 137 tensors renamed", done.stdout)
        made, metadata = read_safetensors(self.at("out.safetensors"))
        self.assertEqual(metadata["xenograft.source_format"], "keras")
        self.assertEqual(metadata["xenograft.source_names"], "keras")
        for name, shape, number in (("conv_stem.weight", [8, 3, 3, 3], 1),
                                    ("bn1.running_var", [8], 5),
                                    ("blocks.0.0.conv_dw.weight", [8, 1, 3, 3], 6),
                                    ("classifier.weight", [10, 256, 1, 1], 136)):
            self.assertEqual(made[name][1], shape)
            self.assertEqual(struct.unpack("<f", made[name][2][:4])[0], number / 1024)

    def test_other_network(self):
        self.refused("weights", "convert", MOBILENET, "out.safetensors", "--backbone",
                     "mobilenet_v1", "-s", "width=0.25",
                     says=["its tensors have the keras names: set published = keras"])

    def test_study(self):
        self.copy_xrays(8)
        study = self.study(data__size=32, backbone__plugin="mobilenet_v1",
                           backbone__weights=MOBILENET, backbone__published="keras",
                           backbone__width="0.25", strategy__epochs=1)
        self.xenograft("run", study)
        image = sorted(os.listdir(self.at("images", "normal")))[0]
        self.xenograft("predict", "out/model.safetensors", "images/normal/" + image)

    def test_bad_files(self):
        for name, text in (("truncated", "truncated or damaged"),
                           ("external_storage", "a/a/kernel:0: expected values in this file"),
                           ("page", "web page"), ("pointer", "Git LFS pointer"),
                           ("cycle", "groups inside each other")):
            path = os.path.join(DATA, "bad_%s.h5" % name)
            error = self.refused("weights", path, says=[path, text])
            self.assertEqual(error.count("\n"), 1, error)
        archive = self.at("model.keras")
        cli.write(archive, b"PK\3\4" + bytes(64))
        self.refused("weights", archive, says="use the model.weights.h5 in it")
        shutil.copy(MOBILENET, self.at("renamed.bin"))
        self.assertIn("137 tensors", self.xenograft("weights", "renamed.bin").stdout)


if __name__ == "__main__":
    cli.main()
