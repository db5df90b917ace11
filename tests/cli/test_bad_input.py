# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Wrong studies, images, weights and a full disk: said in plain words, nothing half-written."""
import bz2
import gzip
import io
import lzma
import os
import resource
import shutil
import signal
import subprocess
import tarfile
import unittest

import cli

WRONG = """[study]
name = x
sede = 3
seed = minus
[data]
images = images
split = 90/10
size = 9999
[backbon]
plugin = squeezenet1_1
[backbone]
plugin = squeezenet1_2
weights = random
[strategy]
plugin = full
learning_rte = 1e-4
epochs = 0
learning_rate = fast
"""


class Settings(cli.Case):
    def test_all_at_once(self):
        self.copy_xrays(2)
        study = cli.write(self.at("wrong.ini"), WRONG)
        text = self.refused("run", study, "-s", "strategy.momentum=7", says=[
            'wrong.ini:3: [study] unknown key "sede"; did you mean "seed"?',
            "wrong.ini:4: [study] seed: expected an integer",
            "wrong.ini:7: [data] split: expected parts such as 70/15/15",
            "wrong.ini:8: [data] size: expected an integer from 0 to 4096",
            'wrong.ini:9: unknown section "backbon"; did you mean "backbone"?',
            'wrong.ini:12: [backbone] plugin: no backbone "squeezenet1_2"; did you mean "squeeze',
            'wrong.ini:16: [strategy] unknown key "learning_rte"; did you mean "learning_rate"?',
            "wrong.ini:17: [strategy] epochs: expected an integer from 1",
            "wrong.ini:18: [strategy] learning_rate: expected a number",
            "-s strategy.momentum=7: [strategy] momentum: expected a number"])
        self.assertEqual(self.refused("check", study, "-s", "strategy.momentum=7"), text)

    def test_split(self):
        self.copy_xrays(2)
        for split in ("0/50/50", "70/30", "a/b/c", "-10/60/50"):
            self.refused("run", self.study(data__split=split), says=["study.ini:", "split", split])

    def test_missing_keys(self):
        self.refused("run", self.study(data__images=None), says="[data] images or manifest")
        self.refused("run", self.study(backbone__weights=None), says="weights")
        self.refused("run", self.study(study__name=None), says="name")

    def test_no_study(self):
        self.refused("run", self.at("nowhere.ini"), says="nowhere.ini")
        self.refused("run", cli.write(self.at("noise.ini"), b"\x00\xff\x01"), says="noise.ini")
        self.refused("run", self.study(), "-s", "nonsense", says="nonsense")

    def test_strategy_refuses(self):
        self.copy_xrays(4)
        study = self.study(strategy__plugin="partial")
        self.refused("run", study, "-s", "strategy.unfreeze=layer9", says="layer9")
        self.refused("run", study, "-s", "strategy.unfreeze=99", says=["at most", "99"])


class Images(cli.Case):
    def spoil(self):
        self.copy_xrays(8)
        whole = sorted(os.listdir(self.at("images", "normal")))[0]
        data = cli.read(self.at("images", "normal", whole), "rb")
        cli.write(self.at("images", "normal", "truncated.jpeg"), data[:len(data) // 3])
        cli.write(self.at("images", "normal", "empty.png"), b"")
        cli.write(self.at("images", "pneumonia", "words.jpeg"), "no picture at all\n" * 20)
        os.symlink("gone.jpeg", self.at("images", "pneumonia", "gone-link.jpeg"))
        return ["normal/truncated.jpeg", "normal/empty.png", "pneumonia/words.jpeg",
                "pneumonia/gone-link.jpeg"]

    def test_unreadable(self):
        bad = self.spoil()
        study = self.study()
        self.refused("run", study, says=bad + ["4 of 20", "skip_unreadable = true"])
        self.xenograft("run", study, "-s", "data.skip_unreadable=true")
        self.assert_complete()
        notes = [note["text"] for note in self.result()["notes"] if note["name"] == "unreadable"]
        self.assertEqual(len(notes), len(bad))
        for name in bad:
            self.assertTrue(any(note.startswith(name) for note in notes), name)
        self.assertEqual(len(cli.rows(self.at("out", "predictions.csv"))), 16)

    def test_missing_folder(self):
        self.refused("run", self.study(), says=[self.at("images"), "folder"])

    def test_manifest_names_missing_file(self):
        self.copy_xrays(4)
        lines = ["images/%s/%s,%s" % (name, file, name) for name in cli.CLASSES
                 for file in os.listdir(self.at("images", name))]
        cli.write(self.at("list.csv"), "\n".join(["path,label"] + lines + ["gone.jpeg,normal"]))
        self.refused("run", self.study(data__images=None, data__manifest="list.csv"),
                     says=["gone.jpeg", "1 of 9"])

    def test_few_of_a_class(self):
        self.copy_xrays(4)
        for file in sorted(os.listdir(self.at("images", "normal")))[:-1]:
            os.unlink(self.at("images", "normal", file))
        self.refused("run", self.study(), says=['class "normal"', "at least 3", "found 1"])
        shutil.rmtree(self.at("images", "normal"))
        self.refused("run", self.study(), says=["two or more classes", "pneumonia"])
        shutil.rmtree(self.at("images", "pneumonia"))
        self.refused("run", self.study(), says=self.at("images"))


class Weights(cli.Case):
    def test_not_weights(self):
        self.copy_xrays(4)
        real = os.path.join(cli.WEIGHTS, "squeezenet1_1.safetensors")
        cases = {
            "short": (cli.read(real, "rb")[:100000], ["ends at byte"]),
            "header": (cli.read(real, "rb")[:500], ["header"]),
            "empty": (b"", ["empty"])}
        for name, (data, says) in cases.items():
            with self.subTest(name):
                file = cli.write(self.at("cache", name + ".safetensors"), data)
                self.refused("run", self.study(backbone__weights=file), says=[file] + says)
                self.refused("weights", file, says=[file] + says)
        self.refused("run", self.study(backbone__weights="gone.safetensors"),
                     says="gone.safetensors")

    def test_other_contents(self):
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("model.pth"))
        cases = {
            "html": (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
            "spaces": (b"\xef\xbb\xbf\r\n  <HTML><title>x</title>", "a web page"),
            "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML"),
            "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
                    "Git LFS pointer"),
            "annex": (b"/annex/objects/SHA256E-s9--0.pth\n", "git annex get"),
            "gzip": (gzip.compress(b"weights"), "compressed by gzip"),
            "xz": (lzma.compress(b"weights"), "compressed by xz"),
            "bzip2": (bz2.compress(b"weights"), "compressed by bzip2"),
            "tar": (tar.getvalue(), "a tar archive"),
            "png": (b"\x89PNG\r\n\x1a\n0000", "an image")}
        for name, (data, what) in cases.items():
            for suffix in (".pth", ".onnx", ".h5", ".safetensors", ""):
                with self.subTest(name + suffix):
                    file = cli.write(self.at("cache", name + suffix), data)
                    self.refused("weights", file, says=[file + ": not a weights file: it is", what])

    def test_messages_of_servers(self):
        file = cli.write(self.at("cache", "model.pth"), b'{"message": "Not Found"}')
        self.refused("weights", file, says='it is text, perhaps a server\'s message: "{')

    def test_plugin_not_installed(self):
        """A copy of the installation whose plugins for other libraries' files are gone."""
        stage = self.at("cache", "stage")
        shutil.copytree(cli.STAGE, stage, symlinks=True)
        for folder, _, files in os.walk(stage):
            for file in files:
                if file in ("keras.so", "caffe.so", "onnx.so", "torch.so"):
                    os.unlink(os.path.join(folder, file))
        command = os.path.join(stage, os.path.relpath(cli.COMMAND, cli.STAGE))
        cases = {
            "m.pth": (b"PK\3\4rest of it", "the plugin torch", "libzip-dev"),
            "old.pt": (b"\x80\2\x8a\x0al\xfc\x9c", "the plugin torch", "libzip-dev"),
            "m.h5": (b"\x89HDF\r\n\x1a\n\0\0", "the plugin keras", "libhdf5-dev"),
            "m.caffemodel": (b"\x0a\4name", "the plugin caffe", "libprotobuf-c-dev"),
            "m.onnx": (b"\x08\7\x12\3", "the plugin onnx", "libprotobuf-c-dev"),
            "m.bin": (b"\0\1\2", "no installed weights plugin knows its content")}
        for name, (data, *says) in cases.items():
            with self.subTest(name):
                file = cli.write(self.at("cache", name), data)
                self.refused("weights", file, says=[file] + says, command=command)

    def test_of_another_backbone(self):
        self.copy_xrays(4)
        other = os.path.join(cli.WEIGHTS, "mobilenet_v2.safetensors")
        text = self.refused("run", self.study(backbone__weights=other), says=[
            "missing     features.0.weight", "expected [64,3,3,3], not in the file",
            "matched 0", "these weights are for another network"])
        self.assertLess(text.count("\n"), 25)


class Failures(cli.Case):
    def test_full_disk(self):
        self.copy_xrays(6)

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        for limit in (1 << 20, 20000, 3000, 100):
            with self.subTest(limit):
                done = self.xenograft("run", self.study(), status=1, preexec_fn=small_files)
                self.assertIn(self.at("out.partial"), done.stderr)
                self.assertIn("File too large", done.stderr)
                self.assertFalse(os.path.exists(self.at("out")))
                # A machine slow enough to have written one keeps its checkpoint.
                if os.path.exists(self.at("out.partial")):
                    self.assertIn("keeps a checkpoint; --resume goes on", done.stderr)
                    shutil.rmtree(self.at("out.partial"))
        self.xenograft("run", self.study())
        self.assert_complete()

    def test_no_space_left(self):
        self.copy_xrays(6)
        study = self.study(study__output="disk/out")
        os.mkdir(self.at("disk"))
        script = "mount -t tmpfs -o size=%s none disk || exit 77; shift; \"$@\"; status=$?; " \
                 "ls -A disk/out; ls -A disk/out.partial | grep -v ^checkpoint; exit $status"
        for size in ("1m", "64k"):
            done = subprocess.run(
                ["unshare", "-m", "sh", "-c", script % size, "sh", "--", cli.COMMAND, "run", study],
                env=self.environment, cwd=self.folder, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            if done.returncode == 77 or "unshare" in done.stderr:
                self.skipTest("mounting needs more rights: " + done.stderr)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("No space left on device", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_folder_not_writable(self):
        self.copy_xrays(4)
        file = cli.write(self.at("file"), "in the way")
        self.refused("run", self.study(study__output="file/out"), status=1, says=file)

    def test_loss_becomes_nan(self):
        self.copy_xrays(8)
        text = self.refused("run", self.study(strategy__plugin="full", strategy__epochs=30,
                                              strategy__learning_rate=100, strategy__batch_size=4),
                            status=1, says=["epoch", "learning rate 100"])
        self.assertIn("loss", text)


if __name__ == "__main__":
    cli.main()
