# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Handcrafted descriptors as backbones: no weights, any head, the engine's threads change nothing."""
import cli


class Descriptors(cli.Case):
    def setUp(self):
        super().setUp()
        self.copy_xrays(10)

    def test_heads(self):
        for backbone, values in (("hog", 1764), ("lbp", 864)):
            study = self.study(backbone__plugin=backbone, backbone__weights="none")
            for strategy in ("frozen", "lda"):
                output = backbone + "-" + strategy
                self.xenograft("run", study, "-s", "strategy.plugin=" + strategy, "-s",
                               "study.output=" + output)
                self.assert_complete(output)
                text = cli.read(self.at(output, "result.json"))
                self.assertIn("the features need no weights", text)
            shown = self.xenograft("check", study, "-s", "strategy.plugin=lda").stdout
            self.assertIn("learns from %d values" % values, shown)
            self.assertIn("no pretrained weights", shown)
            self.xenograft("run", study, "-s", "strategy.plugin=lda", "-s", "engine.threads=1", "-s",
                           "study.output=" + backbone + "-one")
            self.assert_same(backbone + "-one", backbone + "-lda", ["predictions.csv"])
    def test_backbone_with_parameters(self):
        self.refused("run", self.study(backbone__weights="none"), says=[
            "weights = none", "the features of squeezenet1_1 have", "expected a weights file"])


if __name__ == "__main__":
    cli.main()
