#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes small .caffemodel files, and bad ones, into a folder (needs protoc and its Python module).

usage: make_caffe_files.py FOLDER
Values count from 0 in stored order, so that a test knows them without the file.
"""

import importlib
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
V1_CONVOLUTION, V1_INNER_PRODUCT, V1_RELU = 4, 14, 18


def load_schema():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["protoc", "--proto_path=" + HERE, "--python_out=" + folder, "caffe.proto"],
                       check=True)
        sys.path.insert(0, folder)
        return importlib.import_module("caffe_pb2")


def product(dims):
    result = 1
    for d in dims:
        result *= d
    return result


def fill(blob, dims, first=0, double=False, count=None):
    values = [first + i for i in range(product(dims) if count is None else count)]
    (blob.double_data if double else blob.data).extend(values)


def shaped(blob, dims, **options):
    """With a shape, as Caffe writes since 2014."""
    blob.shape.dim.extend(dims)
    fill(blob, dims, **options)


def legacy(blob, dims, **options):
    blob.num, blob.channels, blob.height, blob.width = dims
    fill(blob, dims, **options)


def add(net, name, kind, *blobs, **options):
    layer = net.layer.add(name=name, type=kind, bottom=["x"], top=["y"])
    for dims in blobs:
        shaped(layer.blobs.add(), dims, **options)
    return layer


def norm(net, name, factor):
    layer = add(net, name, "BatchNorm", [4], [4])
    shaped(layer.blobs.add(), [1], first=factor)
    return layer


def third_generation(schema):
    net = schema.Net(name="of three generations", input=["data"], input_dim=[1, 3, 8, 8])
    add(net, "conv1", "Convolution", [4, 3, 2, 2], [4])
    norm(net, "bn_conv1", 2)
    add(net, "scale_conv1", "Scale", [4], [4])
    add(net, "conv1_relu", "ReLU")
    add(net, "conv2/3x3", "Convolution", [2, 4, 3, 3], double=True)
    add(net, "fc", "InnerProduct", [5, 6], [5])
    turned = add(net, "turned", "InnerProduct", [6, 5])
    turned.inner_product_param.transpose = True
    add(net, "shift", "Bias", [4])
    add(net, "odd", "Other", [2, 2], [2], [3])
    add(net, "one", "Scale", [])
    net.layer[0].blobs[0].diff.extend([7.0] * 48)
    return net


def second_generation(schema):
    net = schema.Net(name="v1")
    conv = net.layers.add(name="conv1", type=V1_CONVOLUTION, bottom=["data"], top=["conv1"])
    legacy(conv.blobs.add(), [4, 3, 2, 2])
    legacy(conv.blobs.add(), [1, 1, 1, 4])
    net.layers.add(name="relu1", type=V1_RELU)
    fc = net.layers.add(name="fc6", type=V1_INNER_PRODUCT)
    legacy(fc.blobs.add(), [1, 1, 5, 6])
    legacy(fc.blobs.add(), [1, 1, 1, 5])
    return net


def first_generation(schema):
    net = schema.Net(name="v0")
    for name, kind, dims, count in (("conv1", "conv", [4, 3, 2, 2], 4),
                                    ("fc6", "innerproduct", [1, 1, 5, 6], 5)):
        layer = net.layers.add(bottom=["data"], top=[name]).layer
        layer.name, layer.type = name, kind
        legacy(layer.blobs.add(), dims)
        legacy(layer.blobs.add(), [1, 1, 1, count])
    return net


def length_of(size):
    out = b""
    while size >= 0x80:
        out += bytes([size & 0x7F | 0x80])
        size >>= 7
    return out + bytes([size])


def field(number, body):
    return length_of(number << 3 | 2) + length_of(len(body)) + body


def number_field(number, value):
    return length_of(number << 3) + length_of(value)


def unpacked(schema):
    """One blob whose numbers come one by one, then packed: a message may be written so."""
    first = schema.UnpackedBlob(data=[0, 1, 2])
    first.shape.dim.extend([2, 4])
    blob = first.SerializeToString() + schema.Blob(data=[3, 4, 5, 6]).SerializeToString()
    blob += schema.UnpackedBlob(data=[7]).SerializeToString()
    layer = schema.Layer(name="fc", type="InnerProduct").SerializeToString()
    return field(100, layer + field(7, blob))


def one_blob(schema, blob, name="a", kind="Convolution"):
    layer = schema.Layer(name=name, type=kind).SerializeToString()
    return schema.Net(name="bad").SerializeToString() + field(100, layer + field(7, blob))


def blob_of(schema, dims, count):
    blob = schema.Blob()
    blob.shape.dim.extend(dims)
    fill(blob, [], count=count)
    return blob.SerializeToString()


def bad_files(schema):
    good = third_generation(schema)
    whole = good.SerializeToString()
    twice = schema.Net()
    add(twice, "a", "Scale", [2])
    add(twice, "a", "Scale", [2])
    zero, two, wide = schema.Net(), schema.Net(), schema.Net()
    norm(zero, "bn", 0)
    add(two, "bn", "BatchNorm", [4], [4])
    shaped(add(wide, "bn", "BatchNorm", [4], [4]).blobs.add(), [4])
    text = schema.Layer(name="a\nb", type="Scale").SerializeToString()
    vector = blob_of(schema, [2], 2)
    return {
        "truncated": whole[:len(whole) // 2],
        "page": b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n",
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "empty": b"",
        "prototxt": b'name: "CaffeNet"\nlayer {\n  name: "data"\n}\n',
        "count": one_blob(schema, blob_of(schema, [2, 3], 5)),
        "negative": one_blob(schema, blob_of(schema, [2, -3], 6)),
        "zero": one_blob(schema, blob_of(schema, [2, 0], 0)),
        "overflow": one_blob(schema, blob_of(schema, [1 << 40, 1 << 40], 1)),
        "dims": one_blob(schema, blob_of(schema, [1] * 9, 1)),
        "no_shape": one_blob(schema, schema.Blob(data=[1.0]).SerializeToString()),
        "part": one_blob(schema, schema.Blob(num=1, channels=1, height=1,
                                             width=1).SerializeToString() + field(5, b"abc")),
        "wire": one_blob(schema, vector + number_field(5, 7)),
        "shape_wire": one_blob(schema, number_field(7, 1)),
        "layer_wire": schema.Net(name="x").SerializeToString() + number_field(100, 3),
        "blob_wire": field(100, schema.Layer(name="a").SerializeToString() + number_field(7, 3)),
        "group": whole + bytes([3 << 3 | 3]),
        "huge": length_of(100 << 3 | 2) + length_of(1 << 60) + b"abcdef",
        "endless": length_of(100 << 3 | 2) + b"\xff" * 12,
        "twice": twice.SerializeToString(),
        "nameless": one_blob(schema, vector, name=""),
        "control": field(100, text + field(7, vector)),
        "factor": zero.SerializeToString(),
        "two": two.SerializeToString(),
        "factors": wide.SerializeToString(),
        "blobs": field(100, schema.Layer(name="a").SerializeToString() + field(7, vector) * 17),
        "name": one_blob(schema, vector, name="n" * 300),
        "no_weights": schema.Net(name="x", layer=[schema.Layer(name="r")]).SerializeToString(),
    }


def write(folder, name, content):
    with open(os.path.join(folder, name + ".caffemodel"), "wb") as file:
        file.write(content)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    schema = load_schema()
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    write(folder, "v2", third_generation(schema).SerializeToString())
    write(folder, "v1", second_generation(schema).SerializeToString())
    write(folder, "v0", first_generation(schema).SerializeToString())
    write(folder, "unpacked", unpacked(schema))
    for name, content in bad_files(schema).items():
        write(folder, "bad_" + name, content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
