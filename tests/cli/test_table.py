# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""`xenograft show --table`, and docs/backbones.md, which holds what it prints."""
import json
import os
import subprocess
import sys

import cli

UPDATE = os.path.join(cli.SOURCE, "tests", "tools", "update_backbones.py")
DOCUMENT = os.path.join(cli.SOURCE, "docs", "backbones.md")


class Table(cli.Case):
    def test_document(self):
        done = subprocess.run([sys.executable, UPDATE, "--check", cli.COMMAND, DOCUMENT],
                              env=self.environment, text=True, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_all_installed(self):
        rows = json.loads(self.xenograft("show", "--table", "--json").stdout)
        listed = json.loads(self.xenograft("list", "backbone", "--json").stdout)
        self.assertEqual([row["id"] for row in rows], [entry["id"] for entry in listed])
        for row in rows:
            self.assertTrue(row["citation"] or row["id"] == "shallow_cnn", row["id"])
            if row["citation"]:
                self.assertIn(str(row["year"]), row["citation"])
                self.assertTrue(1990 <= row["year"] <= 2100, row)
            else:
                self.assertEqual((row["year"], row["citation_key"]), (None, "-"))
            self.assertGreaterEqual(row["parameter_count"], row["feature_parameter_count"])
            self.assertGreaterEqual(row["layers"], row["feature_layers"])
        keys = {row["citation_key"]: row["citation"] for row in rows}
        self.assertEqual(len(keys), len(set(keys.values())))
        self.assertEqual(set(keys.values()), {row["citation"] for row in rows})
        text = self.xenograft("show", "--table").stdout.splitlines()
        self.assertEqual(len(text), len(rows) + 2)
        self.assertEqual(len({len(line) for line in text}), 1)

    def test_against_show(self):
        rows = {row["id"]: row
                for row in json.loads(self.xenograft("show", "--table", "--json").stdout)}
        for name in ("resnet50", "squeezenet1_1"):
            one = json.loads(self.xenograft("show", name, "--json").stdout)
            for key in ("parameter_count", "feature_parameter_count", "layers", "feature_layers",
                        "input_px"):
                self.assertEqual(rows[name][key], one[key], name)
        self.assertEqual(rows["resnet50"]["parameter_count"], 25557032)
        self.assertEqual(rows["resnet50"]["year"], 2016)
        self.assertEqual(rows["vit_b_16"]["year"], 2021)

    def test_class_count(self):
        rows = json.loads(self.xenograft("show", "--table", "--json", "-s", "classes=2").stdout)
        count = {row["id"]: row["parameter_count"] for row in rows}
        self.assertEqual(count["resnet50"], 25557032 - 998 * 2049)

    def test_numbers_of_the_document(self):
        """What the comparison in docs/backbones.md says of ours."""
        def rows(classes):
            text = self.xenograft("show", "--table", "--json", "-s", "classes=%d" % classes).stdout
            return {row["id"]: (row["parameter_count"], row["feature_parameter_count"],
                                row["auxiliary_parameter_count"], row["layers"],
                                row["feature_layers"]) for row in json.loads(text)}
        two, ten, all_of_them = rows(2), rows(10), rows(1000)
        self.assertEqual(ten["lenet5"], (60850, 1716, 0, 9, 6))
        self.assertEqual(all_of_them["alexnet_paper"], (62378344, 3747200, 0, 8, 5))
        self.assertEqual(all_of_them["alexnet"][:2], (61100840, 2469696))
        self.assertEqual(all_of_them["caffenet"][:2], (60965224, 2334080))
        self.assertEqual(two["vgg16"], (134268738, 14714688, 0, 16, 13))
        self.assertEqual(all_of_them["vgg16"][0], 138357544)
        self.assertEqual(all_of_them["googlenet"], (6624904, 5599904, 6379984, 58, 57))
        self.assertEqual(two["googlenet"][0], 5601954)
        self.assertEqual(all_of_them["resnet50"], (25557032, 23508032, 0, 54, 53))
        document = cli.read(DOCUMENT)
        for number in (60850, 1716, 62378344, 3747200, 61100840, 60965224, 134268738, 14714688,
                       138357544, 6624904, 5599904, 6379984, 5601954, 25557032, 23508032):
            self.assertIn(format(number, ","), document)

    def test_one_or_the_other(self):
        self.refused("show", says="show ID or xenograft show --table")
        self.refused("show", "resnet50", "--table", says="show ID or xenograft show --table")
        self.refused("show", "--table", "--graph", "dot", says="--table")
        self.refused("show", "--table", "-s", "nothing=1", says="nothing")


if __name__ == "__main__":
    cli.main()
