# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""`[engine] memory` is kept by runs, and `check` plans memory and time of every strategy."""
import json
import os
import unittest

import cli

MIB = 1 << 20
# Beside what is planned: the program, its libraries, an image being decoded per thread (study.md).
BASE = 64 * MIB


class Memory(cli.Case):
    def prepare(self, **changes):
        self.copy_xrays(20)
        self.study(**dict(dict(strategy__plugin="full", strategy__epochs=1, data__size=192,
                               strategy__batch_size=16, data__cache="memory"), **changes))

    def planned(self, *more):
        done = self.xenograft("check", self.at("study.ini"), "--json", *more)
        return json.loads(done.stdout)

    def peak(self, name, *more):
        """VmHWM of a run, and its notes."""
        self.xenograft("run", self.at("study.ini"), "-s", "study.output=" + name, *more)
        result = self.result(name)
        return result["peak_memory_bytes"], str(result["notes"])

    def test_limit_is_kept(self):
        self.prepare()
        free = self.planned()
        limit = 128 * MIB
        more = ["-s", "engine.memory=128M"]
        kept = self.planned(*more)
        self.assertGreater(free["planned_bytes"], limit + BASE, "the limit would change nothing")
        self.assertLessEqual(kept["planned_bytes"], limit)
        self.assertLess(kept["phases"][0]["images_at_once"], 16)
        if cli.SANITIZED:
            return
        bytes_free, notes = self.peak("free")
        self.assertNotIn("in parts of", notes)
        bytes_kept, notes = self.peak("kept", *more)
        self.assertIn("batches of 16 pass in parts of", notes)
        self.assertLess(bytes_kept, bytes_free)
        self.assertLess(bytes_free, free["planned_bytes"] + BASE)
        self.assertGreater(bytes_free, limit + BASE)
        self.assertLess(bytes_kept, limit + BASE)

    def test_computed_again_before_parts(self):
        """A limit that recomputation keeps changes no bit of the result."""
        self.prepare(data__size=64, backbone__plugin="mobilenet_v3_small",
                     backbone__weights="random")
        free = self.planned()
        self.assertEqual(free["phases"][0]["kernels_again"], 0)
        arena = free["phases"][0]["training_arena_bytes"]
        for name, part in ("cheap", 0.85), ("blocks", 0.6):
            limit = free["planned_bytes"] - int((1 - part) * arena)
            more = ["-s", "engine.memory=%dKi" % (limit >> 10)]
            phase = self.planned(*more)["phases"][0]
            self.assertLess(phase["training_arena_bytes"], arena)
            self.assertGreater(phase["kernels_again"], 0)
            self.assertEqual(phase["images_at_once"], 16)
            if name == "cheap":
                notes = self.peak("free")[1]
                self.assertNotIn("computed again", notes)
            notes = self.peak(name, *more)[1]
            self.assertIn("kernels of the forward pass are computed again", notes)
            self.assertNotIn("in parts of", notes)
            self.assert_same("free", name)

    def test_same_bits_where_all_fits(self):
        self.prepare(strategy__plugin="partial", data__cache="memory", data__size=64)
        kept = self.planned()["phases"][0]
        again = self.planned("-s", "data.cache=none")["phases"][0]
        self.assertTrue(kept["outputs_kept"])
        self.assertFalse(again["outputs_kept"])
        same = self.peak("free")[1], self.peak("kept", "-s", "engine.memory=1Gi")[1]
        self.assertEqual(*same)
        self.assert_same("free", "kept")

    def test_limit_too_small(self):
        self.prepare()
        for status, command in (1, "run"), (2, "check"):
            done = self.xenograft(command, self.at("study.ini"), "-s", "engine.memory=16M",
                                  status=status)
            self.assertIn("[engine] memory", done.stderr)
            self.assertFalse(os.path.exists(self.at("out")))
            self.assertFalse(os.path.exists(self.at("out.partial")))
        self.refused("run", self.study(engine__memory="2Q"), says=["study.ini:", "512M or 2G"])

    def test_every_strategy_is_planned(self):
        self.prepare(strategy__epochs=None, strategy__batch_size=None, data__size=64)
        listed = json.loads(self.xenograft("list", "strategies", "--json").stdout)
        self.assertGreaterEqual(len(listed), 9)
        for strategy in listed:
            plan = self.planned("-s", "strategy.plugin=" + strategy["id"])
            self.assertGreater(plan["planned_bytes"], MIB, strategy["id"])
            self.assertGreater(plan["estimated_seconds"], 0, strategy["id"])
            self.assertTrue(plan["phases"] or "classifier" in plan, strategy["id"])
            for phase in plan["phases"]:
                self.assertIn(phase["batch_norm"], ("frozen", "adapt", "train"))
                self.assertLessEqual(phase["planned_bytes"], plan["planned_bytes"])
                ratio = phase["trained_layers"] / phase["layers"]
                self.assertAlmostEqual(phase["fine_tuning_ratio"], ratio, places=6)
        for strategy in "svm", "lp_ft":
            if strategy in [entry["id"] for entry in listed]:
                text = self.xenograft("check", self.at("study.ini"), "-s",
                                      "strategy.plugin=" + strategy).stdout
                for word in "planned memory", "estimated time in all":
                    self.assertIn(word, text)


if __name__ == "__main__":
    cli.main()
