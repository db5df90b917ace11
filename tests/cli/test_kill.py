# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Runs of several phases that are killed anywhere, or lose the end of a checkpoint, go on to the
same bytes."""
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import cli

CHECKPOINT = os.path.join("out.partial", "checkpoint.safetensors")
PREVIOUS = CHECKPOINT + ".previous"


class Killed(cli.Case):
    def prepare(self, strategy, **changes):
        self.copy_xrays(8)
        settings = dict(strategy__plugin=strategy, strategy__batch_size=4, strategy__epochs=8)
        settings.update(changes)
        self.study(**settings)
        begin = time.monotonic()
        self.xenograft("run", self.at("study.ini"), "-s", "study.output=whole")
        return time.monotonic() - begin

    def start(self, *more):
        return subprocess.Popen([cli.COMMAND, "run", self.at("study.ini"), *more],
                                env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def resume(self):
        return ["--resume"] if os.path.isdir(self.at("out.partial")) else []

    def kill_after(self, seconds):
        """TRUE when the run was killed, FALSE when it was over before."""
        process = self.start(*self.resume())
        try:
            self.assertEqual(process.wait(seconds), 0)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True

    def kill_with_checkpoint(self):
        """Kills a run as soon as it has one. False: it was over before, on a fast machine."""
        process = self.start()
        while process.poll() is None and not os.path.exists(self.at(CHECKPOINT)):
            time.sleep(0.005)
        process.kill()
        process.wait()
        return os.path.exists(self.at(CHECKPOINT))

    def assert_as_whole(self):
        self.assert_complete()
        self.assert_same("whole", "out")
        whole, found = self.result("whole"), self.result("out")
        for record in whole, found:
            record["notes"] = [note for note in record["notes"] if note["name"] == "training" and
                               "cache" not in note["text"]]
        self.assertEqual(whole["notes"], found["notes"])
        self.assertEqual(whole["training"]["best_phase"], found["training"]["best_phase"])


class Phases(Killed):
    def goes_on(self, strategy, **changes):
        took = self.prepare(strategy, **changes)
        moments = random.Random(strategy)
        for _ in range(1 if cli.SANITIZED else 2):
            killed = 0
            while killed < 3 and not os.path.exists(self.at("out")):
                killed += self.kill_after(moments.uniform(0.1, 0.9) * took)
            if not os.path.exists(self.at("out")):
                self.xenograft("run", self.at("study.ini"), *self.resume())
            self.assert_as_whole()
            shutil.rmtree(self.at("out"))
        if self.kill_with_checkpoint():
            done = self.xenograft("run", self.at("study.ini"), "--resume")
            self.assertNotIn("note (resume)", done.stderr)
        self.assert_as_whole()

    def test_gradual(self):
        self.goes_on("gradual", strategy__steps=3, strategy__epochs=40)

    def test_block_search(self):
        self.goes_on("block_search", strategy__deepest=3)

    def test_lp_ft(self):
        self.goes_on("lp_ft", strategy__probe_epochs=20, strategy__epochs=20)


class PowerOff(Killed):
    """What was written last is cut, as where the machine lost its power."""

    def cut(self, name, part):
        size = os.path.getsize(self.at(name))
        os.truncate(self.at(name), int(part * size))

    def stopped(self):
        """An interrupted run that has written two checkpoints."""
        self.prepare("full", strategy__epochs=24)
        seconds = 0.2
        while not os.path.exists(self.at(PREVIOUS)):
            process = self.start(*self.resume())
            time.sleep(seconds)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(60), 130)
            seconds *= 1.5
        for name in CHECKPOINT, PREVIOUS:
            shutil.copy(self.at(name), self.at(os.path.basename(name)))

    def again(self):
        for name in CHECKPOINT, PREVIOUS:
            os.makedirs(self.at("out.partial"), exist_ok=True)
            shutil.copy(self.at(os.path.basename(name)), self.at(name))
        shutil.rmtree(self.at("out"), ignore_errors=True)

    def test_checkpoints(self):
        self.stopped()
        cases = [({CHECKPOINT: 0.9}, "the checkpoint before it is used"),
                 ({CHECKPOINT: 0.0}, "the checkpoint before it is used"),
                 ({CHECKPOINT: 0.5, PREVIOUS: 0.1}, "the run starts anew")]
        for cuts, says in cases:
            self.again()
            for name, part in cuts.items():
                self.cut(name, part)
            done = self.xenograft("run", self.at("study.ini"), "--resume")
            self.assertIn("note (resume)", done.stderr)
            self.assertIn("checkpoint.safetensors", done.stderr)
            self.assertIn(says, done.stderr)
            self.assertIn(says, str(self.result()["notes"]))
            self.assert_complete()
            self.assert_same("whole", "out")
        # The older one has its new name, the newer one is half written.
        self.again()
        os.rename(self.at(CHECKPOINT), self.at(CHECKPOINT + ".ABC123.tmp"))
        self.cut(CHECKPOINT + ".ABC123.tmp", 0.5)
        done = self.xenograft("run", self.at("study.ini"), "--resume")
        self.assertNotIn("note (resume)", done.stderr)
        self.assert_complete()
        self.assert_same("whole", "out")


if __name__ == "__main__":
    cli.main()
