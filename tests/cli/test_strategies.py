# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""docs/strategies.md: the parameters are those of the command, every strategy has its section, and
the examples work when pasted."""
import configparser
import json
import os
import re
import subprocess
import sys
import unittest

import cli

UPDATE = os.path.join(cli.SOURCE, "tests", "tools", "update_strategies.py")
DOCUMENT = os.path.join(cli.SOURCE, "docs", "strategies.md")


def sections():
    """The text of each section by its heading."""
    parts = re.split(r"^## (.*)\n", cli.read(DOCUMENT), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def example(text):
    """The settings of the section's [strategy] block, or None."""
    found = re.search(r"^    \[strategy\]\n((?:    .*\n)+)", text, flags=re.M)
    if not found:
        return None
    study = configparser.RawConfigParser()
    study.read_string(re.sub("^    ", "", "    [strategy]\n" + found.group(1), flags=re.M))
    return dict(study["strategy"])


class Document(cli.Case):
    def check(self, path):
        return subprocess.run([sys.executable, UPDATE, "--check", cli.COMMAND, path],
                              env=self.environment, text=True, stderr=subprocess.PIPE)

    def test_parameters(self):
        done = self.check(DOCUMENT)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = cli.read(DOCUMENT)
        for old, new in ("| `gain` | float |", "| `gain` | int |"), ("<!-- lp_ft -->\n", ""):
            self.assertIn(old, text)
            done = self.check(cli.write(self.at("changed.md"), text.replace(old, new)))
            self.assertEqual(done.returncode, 1, old)

    def test_every_strategy(self):
        found = sections()
        listed = json.loads(self.xenograft("list", "strategies", "--json").stdout)
        for strategy in [entry["id"] for entry in listed]:
            shown = json.loads(self.xenograft("show", strategy, "--json").stdout)
            if not any(p["name"] == "epochs" for p in shown["parameters"]):
                self.assertIn("| `%s` |" % strategy, found["Heads fitted on feature vectors"])
                continue
            self.assertIn(strategy, found)
            cited = re.search(r"arXiv:[\d.]+|doi:\S+", shown["citation"]).group()
            self.assertIn(cited, found[strategy], "the citation of the command")
            self.assertEqual(example(found[strategy])["plugin"], strategy)

    def test_examples(self):
        self.copy_xrays(12)
        for name, text in sections().items():
            settings = example(text)
            if settings is None:
                continue
            study = self.study(**{"strategy__" + key: value for key, value in settings.items()})
            plan = json.loads(self.xenograft("check", study, "--json").stdout)
            self.assertTrue(plan["phases"], name)
            if name in ("full", "partial", "bitfit"):
                self.xenograft("run", study, "-s", "study.output=" + name)
                self.assert_complete(name)


class Resolved(cli.Case):
    def test_runs_again(self):
        """Defaults that are written out are the defaults that were in force."""
        self.copy_xrays(8)
        listed = json.loads(self.xenograft("list", "strategy", "--json").stdout)
        for strategy in [entry["id"] for entry in listed]:
            keys = {p["name"] for p in json.loads(
                self.xenograft("show", strategy, "--json").stdout)["parameters"]}
            few = [("strategy.%s=1" % key) for key in
                   ("epochs", "probe_epochs", "steps", "deepest") if key in keys]
            self.study(strategy__plugin=strategy)
            overrides = [word for setting in few for word in ("-s", setting)]
            self.xenograft("run", self.at("study.ini"), "-s", "study.output=" + strategy, *overrides)
            self.xenograft("run", self.at(strategy, "study.resolved.ini"), "-s",
                           "study.output=" + self.at(strategy + " again"))
            self.assert_same(strategy, strategy + " again")


class BatchNorm(cli.Case):
    """`adapt` changes statistics and nothing else of batch norm; `frozen` nothing; `train` all."""

    def changed(self, name):
        """Which kinds of batch norm's tensors differ from the file's, in the trained blocks."""
        found = set()
        for kind in "weight", "bias", "running_mean", "running_var":
            tensor = "features.18.1." + kind
            before = cli.tensor(os.path.join(cli.WEIGHTS, "mobilenet_v2.safetensors"), tensor)
            after = cli.tensor(self.at(name, "model.safetensors"), tensor)
            if max(abs(a - b) for a, b in zip(before, after)) > 1e-6:
                found.add("statistics" if kind.startswith("running") else "scale and shift")
        return found

    def test_modes(self):
        self.copy_xrays(12)
        self.study(backbone__plugin="mobilenet_v2", strategy__epochs=2,
                   backbone__weights=os.path.join(cli.WEIGHTS, "mobilenet_v2.safetensors"))
        expected = {"frozen": set(), "adapt": {"statistics"},
                    "train": {"statistics", "scale and shift"}}
        for strategy in "partial", "full", "l2_sp", "lp_ft":
            for mode, kinds in expected.items():
                if strategy != "partial" and mode != "adapt":
                    continue
                name = strategy + " " + mode
                self.xenograft("run", self.at("study.ini"), "-s", "strategy.plugin=" + strategy, "-s",
                               "strategy.bn=" + mode, "-s", "study.output=" + name)
                # Of lp_ft the better phase is kept: the probe changes nothing of batch norm.
                kept = self.result(name)["training"]["best_phase"]
                self.assertEqual(self.changed(name), kinds if kept != "probe" else set(), name)

    def test_refused(self):
        self.copy_xrays(6)
        study = self.study(backbone__plugin="mobilenet_v2", backbone__weights="random")
        self.refused("run", study, "-s", "strategy.bn=train", says=["expected one of frozen"])
        self.refused("run", study, "-s", "strategy.plugin=bitfit", "-s", "strategy.bn=adapt",
                     says=["no layer below the head has a bias of its own"])


if __name__ == "__main__":
    cli.main()
