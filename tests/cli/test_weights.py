# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Other libraries' names and `xenograft weights convert`, with files written here."""
import hashlib
import json
import math
import os
import re
import struct

import cli

SQUEEZENET = os.path.join(cli.WEIGHTS, "squeezenet1_1.safetensors")


def read_safetensors(path):
    """Name -> (dtype, shape, bytes); and the metadata."""
    content = cli.read(path, "rb")
    length, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__", {})
    return {name: (entry["dtype"], entry["shape"],
                   content[8 + length + entry["data_offsets"][0]:
                           8 + length + entry["data_offsets"][1]])
            for name, entry in header.items()}, metadata


def write_safetensors(path, tensors, metadata=None):
    header, offset = {"__metadata__": metadata} if metadata else {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    return cli.write(path, struct.pack("<Q", len(text)) + text +
                     b"".join(data for _, _, data in tensors.values()))


def random_weights(case, backbone, classes=10):
    """Every tensor of a backbone as F32 with values of its own, from what the command says."""
    empty = write_safetensors(case.at("one.safetensors"),
                              {"x": ("F32", [1], struct.pack("<f", 1.0))})
    table = case.xenograft("weights", empty, "--match", backbone).stdout
    tensors = {}
    for name, dims in re.findall(r"^(?:missing|head) +(\S+) +expected \[([\d,]+)\]", table, re.M):
        shape = [int(d) for d in dims.split(",")]
        if name.startswith("classifier."):
            shape[0] = classes
        count = 1
        for d in shape:
            count *= d
        value = int(hashlib.sha256(name.encode()).hexdigest()[:4], 16) / 65536 + 0.25
        few = [value, -value, value / 4] if len(shape) > 1 else [value]
        scale = 1 / math.sqrt(count / shape[0]) if len(shape) > 1 else 1
        pattern = b"".join(struct.pack("<f", v * scale) for v in few)
        tensors[name] = ("F32", shape, (pattern * (count // len(few) + 1))[:4 * count])
    return tensors


class Names(cli.Case):
    def test_densenet_of_2017(self):
        tensors = random_weights(self, "densenet121")
        self.assertGreater(len(tensors), 600)
        old = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name): tensor
               for name, tensor in tensors.items()}
        self.assertNotEqual(set(old), set(tensors))
        path = write_safetensors(self.at("old.safetensors"), old)
        done = self.xenograft("weights", path, "--match", "densenet121")
        self.assertIn("names: torchvision-0.2 map of densenet121: ", done.stdout)
        self.assertRegex(done.stdout, r"matched %d, .*missing 0, unexpected 0" %
                         (len(tensors) - 2))

        done = self.xenograft("weights", "convert", path, "new.safetensors", "--backbone",
                              "densenet121", "--licence", "BSD-3-Clause")
        self.assertIn("names: torchvision-0.2 map of densenet121", done.stdout)
        self.assertIn("10 classes", done.stdout)
        made, metadata = read_safetensors(self.at("new.safetensors"))
        self.assertEqual(made, tensors)
        self.assertEqual(metadata["xenograft.source"], "old.safetensors")
        self.assertEqual(metadata["xenograft.source_sha256"],
                         hashlib.sha256(cli.read(path, "rb")).hexdigest())
        self.assertEqual(metadata["xenograft.source_format"], "safetensors")
        self.assertEqual(metadata["xenograft.source_names"], "torchvision-0.2")
        self.assertEqual(metadata["xenograft.backbone"], "densenet121")
        self.assertEqual(metadata["licence"], "BSD-3-Clause")

        twice = self.at("twice.safetensors")
        new = "features.denseblock1.denselayer1.norm1.weight"
        write_safetensors(twice, dict(old, **{new: tensors[new]}))
        self.refused("weights", twice, "--match", "densenet121",
                     says=["features.denseblock1.denselayer1.norm.1.weight", '"%s"' % new, "both"])

    def test_run_says_which(self):
        self.copy_xrays(8)
        tensors = random_weights(self, "densenet121")
        old = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name): tensor
               for name, tensor in tensors.items()}
        path = write_safetensors(self.at("old.safetensors"), old, {"license": "MIT"})
        self.xenograft("run", self.study(
            data__size=32, backbone__plugin="densenet121", backbone__weights=path,
            strategy__epochs=1))
        record = self.result()
        self.assertIn("torchvision-0.2 map of densenet121", json.dumps(record["notes"]))
        environment = json.dumps(record["environment"])
        self.assertIn("torchvision-0.2 map of densenet121", environment)
        self.assertIn('"MIT"', environment)
        image = sorted(os.listdir(self.at("images", "normal")))[0]
        self.xenograft("predict", "out/model.safetensors", "images/normal/" + image)


class Convert(cli.Case):
    def test_published_names_lossless(self):
        done = self.xenograft("weights", "convert", SQUEEZENET, "out.safetensors",
                              "--backbone", "squeezenet1_1")
        self.assertNotIn("names:", done.stdout)
        made, metadata = read_safetensors(self.at("out.safetensors"))
        source, _ = read_safetensors(SQUEEZENET)
        self.assertEqual(set(made), set(source))
        for name, (dtype, shape, data) in made.items():
            self.assertEqual(dtype, "F32")
            self.assertEqual(shape, source[name][1])
            code = {"F16": "<e", "F32": "<f"}[source[name][0]]
            self.assertEqual([v for v, in struct.iter_unpack("<f", data)],
                             [v for v, in struct.iter_unpack(code, source[name][2])], name)
        self.assertEqual(metadata["xenograft.source_names"], "published")
        self.assertTrue(metadata["licence"])
        self.copy_xrays()
        self.xenograft("run", self.study(backbone__weights="out.safetensors",
                                         study__output="converted"))
        self.xenograft("run", self.study(study__output="original"))
        self.assert_same("converted", "original")

    def test_overwriting(self):
        old = cli.write(self.at("out.safetensors"), "precious")
        command = ["weights", "convert", SQUEEZENET, "out.safetensors", "--backbone",
                   "squeezenet1_1"]
        self.refused(*command, says=["out.safetensors exists", "--force"])
        self.assertEqual(cli.read(old), "precious")
        self.xenograft(*command, "--force")
        self.assertGreater(os.path.getsize(old), 1000)

    def test_refusals(self):
        convert = ["weights", "convert", SQUEEZENET, "out.safetensors"]
        self.refused(*convert, says="--backbone BACKBONE is missing")
        self.refused(*convert, "--backbone", "resnet18", says="squeezenet1_1.safetensors")
        self.refused(*convert, "--backbone", "squeezenet1_9", says="did you mean")
        self.refused(*convert, "--backbone", "squeezenet1_1", "--licence", "a\nb", says="SPDX")
        self.refused(*convert, "--backbone", "squeezenet1_1", "-s", "nothing=1", says="nothing")
        self.refused("weights", "convert", SQUEEZENET, "no/such/out.safetensors", "--backbone",
                     "squeezenet1_1", says="no/such")
        self.refused("weights", "convert", SQUEEZENET, says="usage")
        page = cli.write(self.at("page.pth"), "<!DOCTYPE html><html></html>")
        self.refused("weights", "convert", page, "out.safetensors", "--backbone", "resnet18",
                     says="web page")
        tensors, _ = read_safetensors(SQUEEZENET)
        more = dict(tensors, more=("F32", [1], struct.pack("<f", 1)))
        path = write_safetensors(self.at("more.safetensors"), more)
        self.refused("weights", "convert", path, "out.safetensors", "--backbone", "squeezenet1_1",
                     says="more: not in the network")
        del tensors["features.0.bias"]
        path = write_safetensors(self.at("fewer.safetensors"), tensors)
        self.refused("weights", "convert", path, "out.safetensors", "--backbone", "squeezenet1_1",
                     says="features.0.bias")

    def test_of_another_image_size(self):
        """A grid of positions is never resized by a conversion."""
        tensors = random_weights(self, "vit_tiny_patch16_224")
        path = write_safetensors(self.at("vit.safetensors"), tensors)
        command = ["weights", "convert", path, "out.safetensors", "--backbone",
                   "vit_tiny_patch16_224"]
        self.refused(*command, "-s", "size=64", says=["pos_embed", "-s size=PX"])
        self.xenograft(*command, "-s", "size=224")
        self.assertEqual(read_safetensors(self.at("out.safetensors"))[0], tensors)

    def test_origin_is_kept(self):
        """What the names told before, the metadata tells after."""
        self.copy_xrays(8)
        path = write_safetensors(self.at("deit.safetensors"),
                                 random_weights(self, "vit_tiny_patch16_224"),
                                 {"xenograft.weights_family": "deit"})
        self.xenograft("weights", "convert", path, "vit.safetensors", "--backbone",
                       "vit_tiny_patch16_224")
        metadata = read_safetensors(self.at("vit.safetensors"))[1]
        self.assertEqual(metadata["xenograft.weights_family"], "deit")
        self.refused("run", self.study(backbone__plugin="vit_tiny_patch16_224",
                                       backbone__weights="vit.safetensors"),
                     says=["was converted from deit weights", "set weights_family = deit"])

        tensors = random_weights(self, "mobilenet_v1")
        dtype, shape, data = tensors["classifier.weight"]
        tensors["classifier.weight"] = (dtype, shape + [1, 1], data)
        path = write_safetensors(self.at("mobilenet.safetensors"), tensors)
        self.xenograft("weights", "convert", path, "keras.safetensors", "--backbone",
                       "mobilenet_v1", "-s", "published=keras", "-s", "size=128")
        metadata = read_safetensors(self.at("keras.safetensors"))[1]
        self.assertEqual(metadata["xenograft.backbone_settings"], "published=keras")
        changes = {"backbone__plugin": "mobilenet_v1", "backbone__weights": "keras.safetensors",
                   "strategy__epochs": 1}
        self.refused("run", self.study(**changes),
                     says=["was converted for published = keras, found published = timm"])
        self.xenograft("run", self.study(backbone__published="keras", **changes))

    def test_without_head(self):
        tensors, _ = read_safetensors(SQUEEZENET)
        body = {name: tensor for name, tensor in tensors.items()
                if not name.startswith("classifier.")}
        path = write_safetensors(self.at("body.safetensors"), body)
        done = self.xenograft("weights", "convert", path, "out.safetensors", "--backbone",
                              "squeezenet1_1")
        self.assertRegex(done.stdout, r"head +classifier\.1\.weight +.*not in the file")
        self.assertEqual(set(read_safetensors(self.at("out.safetensors"))[0]), set(body))


if __name__ == "__main__":
    cli.main()
