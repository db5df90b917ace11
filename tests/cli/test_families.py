# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Weights of one library with images prepared for another's: refused."""
import os
import struct

import cli
from test_weights import write_safetensors


class Families(cli.Case):
    def study_with(self, name, **more):
        zeros = {name + ".weight": ("F32", [4, 3, 3, 3], struct.pack("<108f", *[0.125] * 108)),
                 name + ".bias": ("F32", [4], struct.pack("<4f", *[0.5] * 4))}
        weights = write_safetensors(self.at(name + ".safetensors"), zeros)
        return self.study(data__size=32, backbone__plugin="two_families",
                          backbone__weights=weights, strategy__epochs=1, **more)

    def setUp(self):
        super().setUp()
        self.environment["XENOGRAFT_PLUGIN_PATH"] = os.environ["XG_TEST_PLUGINS"]
        self.copy_xrays(8)

    def test_refused(self):
        error = self.refused("run", self.study_with("first"),
                             says=["first.safetensors: its tensors have the other names, but images "
                                   "would be prepared for torchvision weights: set weights_family "
                                   "= other"])
        self.assertEqual(error.count("weights_family"), 1)

    def test_accepted(self):
        self.xenograft("run", self.study_with("first", backbone__weights_family="other"))
        self.assertIn("other map of two_families", str(self.result()["notes"]))

    def test_own_names(self):
        self.xenograft("run", self.study_with("conv1"))


if __name__ == "__main__":
    cli.main()
