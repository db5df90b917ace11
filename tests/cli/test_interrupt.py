# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""A run that was interrupted or killed goes on to the same bytes."""
import os
import shutil
import signal
import subprocess
import time
import unittest

import cli


class Interrupt(cli.Case):
    def start(self, *more):
        return subprocess.Popen([cli.COMMAND, "run", self.at("study.ini"), *more],
                                env=self.environment, cwd=self.folder, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def stop(self, number, seconds, *more, line_with=" epoch 1:"):
        """Starts, waits for that line, then so much longer, and sends the signal."""
        process = self.start(*more)
        text = ""
        for line in process.stderr:
            text += line
            if line_with in line:
                break
        time.sleep(seconds)
        process.send_signal(number)
        rest = process.communicate(timeout=60)
        return process.returncode, text + rest[1]

    def prepare(self, strategy, **changes):
        self.copy_xrays(8)
        settings = dict(strategy__plugin=strategy, strategy__epochs=24, strategy__batch_size=2,
                        strategy__optimizer="adamw", strategy__learning_rate=1e-4, data__size=64)
        settings.update(changes)
        self.study(**settings)
        begin = time.monotonic()
        self.xenograft("run", self.at("study.ini"), "-s", "study.output=whole")
        return time.monotonic() - begin

    def goes_on(self, strategy, moments, **changes):
        took = self.prepare(strategy, **changes)
        stopped = 0
        for part in moments:
            for resume in ([], ["--resume"]):
                status, text = self.stop(signal.SIGINT, part * took, *resume)
                if status == 0:
                    break
                self.assertEqual(status, 130, text)
                self.assertIn("--resume", text)
                self.assertFalse(os.path.exists(self.at("out")))
                stopped += 1
                self.xenograft("run", self.at("study.ini"), status=2)
            if not os.path.exists(self.at("out")):
                self.xenograft("run", self.at("study.ini"), "--resume")
            self.assert_complete()
            self.assert_same("whole", "out")
            shutil.rmtree(self.at("out"))
        self.assertGreater(stopped, 0, "no run was interrupted: it took %.1f s" % took)

    def test_partial(self):
        self.goes_on("partial", (0.0, 0.3))

    def test_full(self):
        self.goes_on("full", (0.2,), strategy__epochs=8)

    def test_mobilenet_v2_with_moving_statistics(self):
        self.goes_on("full", (0.1,), strategy__epochs=4, backbone__plugin="mobilenet_v2",
                     backbone__weights=os.path.join(cli.WEIGHTS, "mobilenet_v2.safetensors"))

    def test_before_training(self):
        self.prepare("frozen", strategy__epochs=None, strategy__batch_size=None,
                     strategy__optimizer=None, strategy__learning_rate=None)
        for line in ("note (patients)", "note (weights)", "phase head"):
            self.environment["XDG_CACHE_HOME"] = self.at("cache of " + line)
            status, text = self.stop(signal.SIGINT, 0, line_with=line)
            self.assertIn(status, (0, 130), text)
            if status == 130:
                self.assertFalse(os.path.exists(self.at("out")))
                resume = ["--resume"] if os.path.exists(self.at("out.partial")) else []
                self.xenograft("run", self.at("study.ini"), *resume)
            self.assert_complete()
            self.assert_same("whole", "out")
            shutil.rmtree(self.at("out"))

    def test_killed(self):
        took = self.prepare("partial")
        status, text = self.stop(signal.SIGKILL, 0.2 * took)
        self.assertEqual(status, -signal.SIGKILL, text)
        self.assertTrue(os.path.isdir(self.at("out.partial")))
        self.assertFalse(os.path.exists(self.at("out")))
        done = self.xenograft("run", self.at("study.ini"), status=2)
        self.assertIn("out.partial is an interrupted run", done.stderr)
        self.xenograft("run", self.at("study.ini"), "--resume")
        self.assert_complete()
        self.assert_same("whole", "out")

    def test_nothing_to_resume(self):
        self.copy_xrays(4)
        self.refused("run", self.study(), "--resume", says=["nothing to resume", "out.partial"])

    def test_other_study_is_not_resumed(self):
        self.prepare("partial")
        status, text = self.stop(signal.SIGTERM, 0)
        self.assertEqual(status, 130, text)
        before = sorted(os.listdir(self.at("out.partial")))
        self.assertIn("checkpoint.safetensors", before)
        for change in ("study.seed=8", "strategy.learning_rate=2e-4"):
            done = self.xenograft("run", self.at("study.ini"), "--resume", "-s", change, status=2)
            self.assertIn("checkpoint", done.stderr)
        self.assertEqual(sorted(os.listdir(self.at("out.partial"))), before)
        self.xenograft("run", self.at("study.ini"), "--resume")
        self.assert_same("whole", "out")

    def test_output_appears_during_the_run(self):
        self.prepare("partial")
        process = self.start()
        for line in process.stderr:
            if " epoch 1:" in line:
                break
        cli.write(self.at("out", "mine"), "precious")
        text = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 1, text)
        self.assertIn("out appeared during the run; the result is in", text)
        self.assertEqual(os.listdir(self.at("out")), ["mine"])
        self.assertEqual(sorted(os.listdir(self.at("out.partial"))), cli.RESULT_FILES)
        self.assert_same("whole", "out.partial")


if __name__ == "__main__":
    cli.main()
