# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Plugins that fail are named with what they said; nothing half-written stays."""
import os
import unittest

import cli


class Plugins(cli.Case):
    def setUp(self):
        super().setUp()
        self.environment["XENOGRAFT_PLUGIN_PATH"] = os.environ["XG_TEST_PLUGINS"]
        self.copy_xrays(6)

    def test_backbone_fails(self):
        study = self.study(backbone__plugin="torn", backbone__weights="random",
                           strategy__plugin="scratch")
        says = ["failing:torn: the table of layers is torn at row 7"]
        self.refused("run", study, says=says)
        self.refused("check", study, says=says)
        self.refused("show", "torn", "--graph", "text", says=says)

    def test_backbone_with_wrong_shapes(self):
        study = self.study(backbone__plugin="unlike", backbone__weights="random",
                           strategy__plugin="scratch")
        self.refused("run", study, says=["unlike", "add", "[N,32,32,8]", "[N,32,32,16]"])

    def test_strategy_refuses(self):
        self.refused("run", self.study(strategy__plugin="unwilling"),
                     says="failing:unwilling: the moon is not full")

    def test_strategy_fails_without_a_word(self):
        self.refused("run", self.study(strategy__plugin="silent"),
                     says="failing:silent: failed without saying why")

    def test_strategy_fails_during_training(self):
        self.refused("run", self.study(strategy__plugin="halfway"), status=1,
                     says="failing:halfway: lost count of the epochs")

    def test_not_a_plugin(self):
        self.environment["XENOGRAFT_PLUGIN_PATH"] = self.at("plugins")
        cli.write(self.at("plugins", "words.so"), "no plugin at all")
        done = self.xenograft("list")
        self.assertIn("words.so", done.stderr)
        self.assertIn("squeezenet1_1", done.stdout)


if __name__ == "__main__":
    cli.main()
