# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Caffe's and ONNX's files with the installed command, made here field by field."""
import array
import os
import re
import shutil
import struct

import cli

DATA = os.path.join(cli.SOURCE, "tests", "data")
LENET = [("conv1", (20, 1, 5, 5)), ("conv2", (50, 20, 5, 5)), ("ip1", (500, 800)),
         ("ip2", (10, 500))]
V1_CONVOLUTION, V1_INNER_PRODUCT = 4, 14


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def field(number_, body):
    return varint(number_ << 3 | 2) + varint(len(body)) + body


def product(dims):
    result = 1
    for d in dims:
        result *= d
    return result


def values(dims, seed):
    """A sawtooth of its own for each tensor."""
    scale = product(dims[1:]) ** -0.5
    return array.array("f", ((i * seed % 251 / 125 - 1) * scale for i in range(product(dims))))


def lenet():
    """Name -> (dims, values)."""
    tensors = {}
    for seed, (name, dims) in enumerate(LENET, 7):
        tensors[name + ".weight"] = (dims, values(dims, seed))
        tensors[name + ".bias"] = (dims[:1], values(dims[:1], seed + 10))
    return tensors


def caffe_blob(dims, data, old):
    if old:
        dims = (1,) * (4 - len(dims)) + tuple(dims)
        shape = b"".join(number(i, d) for i, d in enumerate(dims, 1))
    else:
        shape = field(7, field(1, b"".join(map(varint, dims))))
    return shape + field(5, data.tobytes())


def caffe_network(tensors, old):
    out = field(1, b"LeNet")
    for name, dims in LENET:
        blobs = [caffe_blob(*tensors[name + part], old) for part in (".weight", ".bias")]
        matrix = len(dims) == 2
        if old:
            kind = V1_INNER_PRODUCT if matrix else V1_CONVOLUTION
            out += field(2, field(4, name.encode()) + number(5, kind) +
                         b"".join(field(6, b) for b in blobs))
        else:
            kind = b"InnerProduct" if matrix else b"Convolution"
            out += field(100, field(1, name.encode()) + field(2, kind) +
                         b"".join(field(7, b) for b in blobs))
    return out


def onnx_model(tensors):
    """Matrices as [in, out], taken by MatMul."""
    graph = b""
    for name, (dims, data) in tensors.items():
        if len(dims) == 2:
            rows, columns = dims
            data = array.array("f", (data[o * columns + i] for i in range(columns)
                                     for o in range(rows)))
            dims = (columns, rows)
            graph += field(1, field(1, b"x") + field(1, name.encode()) + field(4, b"MatMul"))
        graph += field(5, b"".join(number(1, d) for d in dims) + number(2, 1) +
                       field(8, name.encode()) + field(9, data.tobytes()))
    return number(1, 8) + field(2, b"a test") + field(7, graph)


def caffe_layer(name, kind, *blobs):
    return field(100, field(1, name.encode()) + field(2, kind) + b"".join(
        field(7, caffe_blob(dims, data, False)) for dims, data in blobs))


def constant(value, *dims):
    return dims, array.array("f", [value]) * product(dims)


def caffe_norm(name, channels):
    """Sums of 4 of mean 0.5 and variance 2, then the scale 1.5 and the shift 0.25."""
    return (caffe_layer("bn" + name, b"BatchNorm", constant(2.0, channels),
                        constant(8.0, channels), constant(4.0, 1)) +
            caffe_layer("scale" + name, b"Scale", constant(1.5, channels),
                        constant(0.25, channels)))


def caffe_resnet50():
    out = caffe_layer("conv1", b"Convolution", constant(0.01, 64, 3, 7, 7), constant(0.75, 64))
    out += caffe_norm("_conv1", 64)
    before = 64
    for stage, units in ((2, "abc"), (3, "abcd"), (4, "abcdef"), (5, "abc")):
        width = 16 << stage
        for unit in units:
            shapes = [("2a", width, before, 1), ("2b", width, width, 3),
                      ("2c", 4 * width, width, 1)]
            if unit == "a":
                shapes.append(("1", 4 * width, before, 1))
            for part, to, of, size in shapes:
                name = "%d%s_branch%s" % (stage, unit, part)
                out += caffe_layer("res" + name, b"Convolution", constant(0.01, to, of, size, size))
                out += caffe_norm(name, to)
            before = 4 * width
    return out + caffe_layer("fc1000", b"InnerProduct", constant(0.01, 10, 2048), constant(0.0, 10))


class ResNet(cli.Case):
    def test_published(self):
        path = cli.write(self.at("resnet.caffemodel"), caffe_resnet50())
        convert = ["weights", "convert", path, "out.safetensors", "--backbone", "resnet50"]
        self.refused(*convert, says="its tensors have the caffe names: set published = caffe")
        self.refused(*convert, "-s", "published=keras", says="set published = caffe")
        done = self.xenograft(*convert, "-s", "published=caffe")
        self.assertIn("names: caffe map of resnet50", done.stdout)
        self.assertIn("missing 0, unexpected 0", done.stdout)
        for name, value, count in (("conv1.bias", 0.75, 64), ("bn1.running_mean", 0.5, 64),
                                   ("layer4.0.downsample.1.running_var", 2.0, 2048),
                                   ("layer3.5.bn2.weight", 1.5, 256),
                                   ("layer2.3.bn3.bias", 0.25, 512)):
            self.assertEqual(cli.tensor(self.at("out.safetensors"), name), [value] * count)


class Read(cli.Case):
    def check_converted(self, path, reader):
        tensors = lenet()
        done = self.xenograft("weights", path, "--match", "lenet_caffe")
        self.assertRegex(done.stdout, r"matched 6, .*missing 0, unexpected 0")
        self.xenograft("weights", "convert", path, "out.safetensors", "--backbone", "lenet_caffe",
                       "--force")
        for name, (_, data) in tensors.items():
            self.assertEqual(cli.tensor(self.at("out.safetensors"), name), list(data), name)
        metadata = cli.read(self.at("out.safetensors"), "rb")
        self.assertIn(('"xenograft.source_format":"%s"' % reader).encode(),
                      metadata.replace(b" ", b""))

    def test_caffe(self):
        for old in (False, True):
            path = cli.write(self.at("lenet.caffemodel"), caffe_network(lenet(), old))
            self.check_converted(path, "caffe")

    def test_onnx(self):
        self.check_converted(cli.write(self.at("lenet.onnx"), onnx_model(lenet())), "onnx")
        self.check_converted(cli.write(self.at("model.bin"), onnx_model(lenet())), "onnx")

    def test_shown(self):
        done = self.xenograft("weights", os.path.join(DATA, "caffe", "v2.caffemodel"))
        for line in ("bn_conv1.running_var", "fc.weight", r"\[5,6\]", "conv2/3x3.weight"):
            self.assertRegex(done.stdout, line)
        shutil.copytree(os.path.join(DATA, "onnx"), self.at("onnx"), symlinks=True)
        done = self.xenograft("weights", "onnx/beside.onnx")
        self.assertRegex(done.stdout, r"(?m)^\W*c\b.*\[10\]")
        self.refused("weights", "onnx/bad_beside_link.onnx", says="link.bin: expected a file")

    def test_refused(self):
        """Every bad file is one line that names it."""
        for reader in ("caffe", "onnx"):
            for name in sorted(os.listdir(os.path.join(DATA, reader))):
                if name.startswith("bad_"):
                    path = os.path.join(DATA, reader, name)
                    self.refused("weights", path, says=[name])
        for name, says in (("bad_page.caffemodel", "web page"), ("bad_pointer.caffemodel", "LFS")):
            self.refused("weights", os.path.join(DATA, "caffe", name), says=says)


if __name__ == "__main__":
    cli.main()
