# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""PyTorch's files with the installed command, those of PyTorch and ones made here."""
import json
import os
import pickle
import struct
import zipfile

import cli
from test_weights import SQUEEZENET, read_safetensors

DATA = os.path.join(cli.SOURCE, "tests", "data", "torch")
STORAGES = {"F32": ("FloatStorage", 4), "F16": ("HalfStorage", 2)}


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def numbers(values):
    return b"(" + b"".join(b"J" + struct.pack("<i", v) for v in values) + b"t"


def state(tensors, prefix):
    """The opcodes of a dictionary of tensors."""
    out = b"}("
    for key, (name, (dtype, shape, data)) in enumerate(tensors.items()):
        storage, size = STORAGES[dtype]
        strides, step = [], 1
        for d in reversed(shape):
            strides.insert(0, step)
            step *= d
        out += (text(prefix + name) + b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") +
                b"ctorch\n" + storage.encode() + b"\n" + text(str(key)) + text("cpu") + b"J" +
                struct.pack("<i", len(data) // size) + b"tQK\0" + numbers(shape) +
                numbers(strides) + b"\x89}tR")
    return out + b"u"


def write_zip(path, tensors, prefix="", key=None):
    content = state(tensors, prefix)
    if key:
        content = b"}(" + text(key) + content + text("epoch") + b"K\x05u"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\2" + content + b".")
        for index, (_, _, data) in enumerate(tensors.values()):
            archive.writestr("archive/data/%d" % index, data)
    return path


def write_legacy(path, tensors):
    keys = [str(i) for i in range(len(tensors))]
    content = b"".join(pickle.dumps(thing, 2) for thing in (
        0x1950a86a20f9469cfc6c, 1001, {"protocol_version": 1001, "little_endian": True}))
    content += b"\x80\2" + state(tensors, "") + b"." + pickle.dumps(keys, 2)
    for dtype, _, data in tensors.values():
        content += struct.pack("<q", len(data) // STORAGES[dtype][1]) + data
    return cli.write(path, content)


class Torch(cli.Case):
    def test_listed(self):
        done = self.xenograft("weights", os.path.join(DATA, "checkpoint.pth"))
        self.assertRegex(done.stdout, r"(?m)^conv.weight +F32 +\[2,2\]$")
        self.assertIn('names: from "state_dict", prefix "module." dropped', done.stdout)
        self.assertIn("2 tensors, 6 values", done.stdout)
        done = self.xenograft("weights", os.path.join(DATA, "views.pth"), "--json")
        shapes = {t["name"]: t["shape"] for t in json.loads(done.stdout)["tensors"]}
        self.assertEqual(shapes["turned"], [6, 4])
        done = self.xenograft("weights", os.path.join(DATA, "checkpoint.pth"), "--json")
        self.assertIn("prefix", json.loads(done.stdout)["names"])

    def test_network(self):
        """A published network in both formats: matched, converted and used."""
        tensors, _ = read_safetensors(SQUEEZENET)
        made = [write_zip(self.at("zip.pth"), tensors),
                write_zip(self.at("wrapped.tar"), tensors, "module.", "state_dict"),
                write_legacy(self.at("legacy.bin"), tensors)]
        for path in made:
            done = self.xenograft("weights", path, "--match", "squeezenet1_1")
            self.assertRegex(done.stdout, r"matched 52, .*missing 0, unexpected 0")
            self.assertEqual("prefix" in done.stdout, path.endswith(".tar"))
            done = self.xenograft("weights", "convert", path, "out.safetensors", "--backbone",
                                  "squeezenet1_1", "--force")
            converted, metadata = read_safetensors(self.at("out.safetensors"))
            self.assertEqual(metadata["xenograft.source_format"], "torch")
            for name in ("features.0.weight", "features.12.expand3x3.bias", "classifier.1.weight"):
                self.assertEqual(cli.tensor(self.at("out.safetensors"), name),
                                 cli.tensor(SQUEEZENET, name))
            self.assertEqual(set(converted), set(tensors))

    def test_study(self):
        """Training from a .pth gives the numbers that its safetensors file gives."""
        tensors, _ = read_safetensors(SQUEEZENET)
        self.copy_xrays(8)
        for name, path in (("one", SQUEEZENET), ("two", write_zip(self.at("w.pth"), tensors,
                                                                  "module.", "state_dict"))):
            self.study(name + ".ini", backbone__weights=path, study__output=name)
            self.xenograft("run", name + ".ini")
        self.assert_same("one", "two")
        self.assertIn(json.dumps('from "state_dict", prefix "module." dropped'),
                      cli.read(self.at("two", "result.json")))

    def test_refused(self):
        """Every bad file is one line that names it; nothing of it is run."""
        for name in sorted(os.listdir(DATA)):
            if name.startswith("bad_"):
                self.refused("weights", os.path.join(DATA, name), says=[name])
        for name, says in (("bad_page.pth", "web page"), ("bad_pointer.pth", "LFS"),
                           ("bad_empty.pth", "empty"), ("bad_script.pt", "TorchScript"),
                           ("bad_namespace.pth", "argparse.Namespace"),
                           ("bad_evil.pth", "posix.system")):
            self.refused("weights", os.path.join(DATA, name), says=says)
        self.assertFalse(os.path.exists(self.at("evil_was_run")))


if __name__ == "__main__":
    cli.main()
