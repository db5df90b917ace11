#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes small HDF5 files as Keras lays them out, and bad ones, into a folder (needs h5py).

usage: make_keras_files.py FOLDER GOLDEN.json
Values count from 0 in stored order, so that a test knows them without the file. Of the network of
GOLDEN.json (see keras_models.py) a whole file is written; the values of its tensors are constant.
"""

import json
import os
import sys

import h5py
import numpy as np

FIXED = True  # h5py 2 stored lists of bytes as strings of a fixed length, h5py 3 does not


def values(shape, dtype="float32"):
    return np.arange(int(np.prod(shape)), dtype=dtype).reshape(shape)


def bn(name, channels=3, scale=True):
    words = (["gamma"] if scale else []) + ["beta", "moving_mean", "moving_variance"]
    return [(f"{name}/{w}:0", values([channels])) for w in words]


def conv(name, shape=(2, 3, 4, 5), bias=True, dtype="float32"):
    both = [(f"{name}/kernel:0", values(shape, dtype))]
    return both + ([(f"{name}/bias:0", values([shape[-1]], dtype))] if bias else [])


def put_list(group, name, items, split):
    """The way Keras splits attributes of more than 64 KiB, here of more than `split` items."""
    items = np.array([i.encode() for i in items]) if FIXED else [i.encode() for i in items]
    if split is None or len(items) <= split:
        group.attrs[name] = items
        return
    for number, start in enumerate(range(0, len(items), split)):
        group.attrs[f"{name}{number}"] = items[start:start + split]


def put_layers(group, layers, split=None, **options):
    put_list(group, "layer_names", [name for name, _ in layers], split)
    group.attrs["backend"] = b"tensorflow"
    group.attrs["keras_version"] = b"2.9.0"
    for name, weights in layers:
        layer = group.create_group(name)
        put_list(layer, "weight_names", [n for n, _ in weights], split)
        for n, v in weights:
            layer.create_dataset(n, data=v, **(options if v.ndim else {}))


SEPARABLE = [("separable_conv2d_4/depthwise_kernel:0", values([3, 3, 2, 2])),
             ("separable_conv2d_4/pointwise_kernel:0", values([1, 1, 4, 5])),
             ("separable_conv2d_4/bias:0", values([5]))]
LAYERS = [("input_1", []), ("conv1/conv", conv("conv1/conv", bias=False)),
          ("conv1/bn", bn("conv1/bn")), ("conv2d_13", conv("conv2d_13")),
          ("conv2d_9", conv("conv2d_9_1", (1, 1, 2, 3))),
          ("batch_normalization_7", bn("batch_normalization_7", scale=False)),
          ("conv_dw_1", [("conv_dw_1/conv_dw_1/depthwise_kernel:0", values([3, 3, 4, 2]))]),
          ("separable_conv2d_4", SEPARABLE), ("predictions", conv("predictions", (6, 2)))]


def keras2(path):
    with h5py.File(path, "w", libver="latest") as f:
        put_layers(f, LAYERS)


def split(path):
    with h5py.File(path, "w") as f:
        put_layers(f, LAYERS, split=2)


def model(path):
    """A whole model with a network inside it, compressed, of three types."""
    global FIXED  # pylint: disable=global-statement
    FIXED = False
    config = {"class_name": "Functional", "config": {"layers": [
        {"class_name": "Conv2D", "config": {"name": "plain"}},
        {"module": "keras.layers", "class_name": "DepthwiseConv2D", "config": {"name": "conv_dw_1"}}]}}
    with h5py.File(path, "w") as f:
        f.attrs["model_config"] = json.dumps(config)
        put_layers(f.create_group("model_weights"),
                   [("vgg16", conv("block1_conv1") + conv("block1_conv2", dtype="float64")),
                    ("plain", conv("plain", dtype="float16")),
                    ("conv_dw_1", [("conv_dw_1/kernel", values([3, 3, 4, 1]))]),
                    ("attention", [("attention/query/kernel:0", values([4, 2])),
                                   ("attention/scale:0", np.float32(3.0))])],
                   compression="gzip", shuffle=True, fletcher32=True)
        FIXED = True
        f.create_group("optimizer_weights").attrs["weight_names"] = [b"iterations:0"]


def keras1(path):
    with h5py.File(path, "w", libver="latest") as f:
        put_layers(f, [("block1_conv1", [("block1_conv1_W_1:0", values([3, 3, 2, 4])),
                                         ("block1_conv1_b_1:0", values([4]))]),
                       ("bn_conv1", [(f"bn_conv1_{w}:0", values([4])) for w in
                                     ("gamma", "beta", "running_mean", "running_std")])])


def put_vars(f, path, arrays, name=None):
    group = f.create_group(path).create_group("vars")
    for i, v in enumerate(arrays):
        group[str(i)] = v
    if name:
        group.attrs["name"] = name


def keras3(path, named=True):
    with h5py.File(path, "w", libver="latest") as f:
        f.create_group("vars")
        names = ["conv2d_7", "conv2d_8", "stem_bn", "deep", "conv2d_9", "predictions"]
        groups = [("layers/conv2d", [values([2, 3, 4, 5]), values([5])]),
                  ("layers/conv2d_1", [values([1, 1, 5, 2])]),
                  ("layers/batch_normalization", [values([2])] * 4),
                  ("layers/depthwise_conv2d", [values([3, 3, 2, 1])]),
                  ("layers/conv2d_10", [values([1, 1, 2, 2]), values([2])]),
                  ("layers/functional/layers/dense", [values([2, 3]), values([3])])]
        for (group, arrays), name in zip(groups, names):
            put_vars(f, group, arrays, name if named else None)
        f["layers/dropout/seed_generator/vars/0"] = np.zeros(2, "uint32")
        f["optimizer/vars/0"] = np.int64(1)


def stored(name, shape, tensors):
    """Keras' name and shape of a tensor that the reader calls `name`."""
    layer, word = name.rsplit(".", 1)
    normed = layer + ".running_mean" in tensors
    if word == "weight":
        word = "gamma" if normed else "depthwise_kernel" if "_dw_" in layer else "kernel"
        order = {1: [0], 2: [1, 0], 4: [2, 3, 0, 1] if "_dw_" in layer else [2, 3, 1, 0]}
        shape = [shape[axis] for axis in order[len(shape)]]
    else:
        word = {"bias": "beta" if normed else "bias", "running_mean": "moving_mean",
                "running_var": "moving_variance"}[word]
    return layer, f"{layer}/{word}:0", shape


def network(path, golden):
    with open(golden, encoding="ascii") as f:
        tensors = json.load(f)["tensors"]
    layers = {}
    for number, (name, shape) in enumerate(tensors.items()):
        layer, weight, shape = stored(name, shape, tensors)
        value = np.full(shape, (1 + number) / 1024, "float16")
        layers.setdefault(layer, []).append((weight, value))
    with h5py.File(path, "w", libver="latest") as f:
        put_layers(f, layers.items(), compression="gzip", compression_opts=9)


def bad(path, change, layers=None):
    with h5py.File(path, "w", libver="latest") as f:
        put_layers(f, layers or [("a", conv("a")), ("b", conv("b"))])
        change(f)


def replace(f, make):
    del f["a/a/kernel:0"]
    make(f["a/a"], "kernel:0")


def external(group, name):
    kind = h5py.h5t.IEEE_F32LE
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_external(b"/etc/hostname", 0, 24)
    h5py.h5d.create(group.id, name.encode(), kind, h5py.h5s.create_simple((2, 3)), plist)


def virtual(group, name):
    layout = h5py.VirtualLayout(shape=(2, 3), dtype="float32")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(2, 3))
    group.create_virtual_dataset(name, layout)


def link(target):
    return lambda g, n: g.__setitem__(n, target)


def plain(data, **options):
    return lambda g, n: g.create_dataset(n, data=data, **options)


def empty(shape, **options):
    return lambda g, n: g.create_dataset(n, shape, "float32", **options)


def cycle(path):
    with h5py.File(path, "w", libver="latest") as f:
        f.create_group("layers/functional")
        f["layers/functional/layers"] = f["layers"]


def endless(folder):
    """The first string of variable length says that it has -16 bytes."""
    with open(os.path.join(folder, "model.h5"), "rb") as f:
        content = bytearray(f.read())
    first = content.index(b"GCOL") + 16
    content[first + 8:first + 16] = (2 ** 64 - 16).to_bytes(8, "little")
    with open(os.path.join(folder, "bad_endless.h5"), "wb") as f:
        f.write(content)


def bad_files(folder):
    made = {
        "soft_link": link(h5py.SoftLink("/b/b/kernel:0")),
        "external_link": link(h5py.ExternalLink("layers.h5", "/conv1")),
        "external_storage": external,
        "virtual": virtual,
        "integers": plain(np.zeros((2, 3), "int32")),
        "bfloat16": lambda g, n: g.create_dataset(n, (2, 3), np.dtype("V2")),
        "group": lambda g, n: g.create_group(n),
        "vector_kernel": plain(values([4])),
        "lzf": plain(np.zeros((64, 64), "float32"), compression="lzf"),
        "huge": empty((1 << 20, 1 << 20), chunks=(1 << 10, 1 << 10)),
        "no_values": empty((200, 200), chunks=(100, 100)),
        "huge_chunk": empty((1 << 15, 1 << 15), chunks=(1 << 15, 1 << 14),
                            maxshape=(None, None)),
    }
    for name, make in made.items():
        bad(os.path.join(folder, f"bad_{name}.h5"), lambda f, make=make: replace(f, make))
    bad(os.path.join(folder, "bad_missing.h5"), lambda f: f["a/a"].__delitem__("bias:0"))
    bad(os.path.join(folder, "bad_missing_layer.h5"), lambda f: f.__delitem__("b"))
    bad(os.path.join(folder, "bad_no_list.h5"), lambda f: f["a"].attrs.__delitem__("weight_names"))
    bad(os.path.join(folder, "bad_numbers.h5"),
        lambda f: f["a"].attrs.__setitem__("weight_names", [1, 2]))
    bad(os.path.join(folder, "bad_twice.h5"), lambda f: None,
        [("a", conv("x")), ("b", conv("x"))])
    bad(os.path.join(folder, "bad_dots.h5"),
        lambda f: f.attrs.__setitem__("layer_names", [b"../a"]))
    bad(os.path.join(folder, "bad_depthwise.h5"), lambda f: None,
        [("a", [("a/depthwise_kernel:0", values([3, 3, 2]))])])
    cycle(os.path.join(folder, "bad_cycle.h5"))
    with h5py.File(os.path.join(folder, "bad_other.h5"), "w", libver="latest") as f:
        f["x"] = values([3])


def main():
    folder, golden = sys.argv[1:3]
    network(os.path.join(folder, "mobilenet_v1-0.25.h5"), golden)
    keras2(os.path.join(folder, "layers.h5"))
    split(os.path.join(folder, "split.h5"))
    model(os.path.join(folder, "model.h5"))
    keras1(os.path.join(folder, "keras1.h5"))
    keras3(os.path.join(folder, "named.weights.h5"))
    keras3(os.path.join(folder, "unnamed.weights.h5"), named=False)
    endless(folder)
    bad_files(folder)
    with open(os.path.join(folder, "layers.h5"), "rb") as f:
        whole = f.read()
    with open(os.path.join(folder, "bad_truncated.h5"), "wb") as f:
        f.write(whole[:len(whole) * 2 // 3])
    with open(os.path.join(folder, "bad_page.h5"), "w", encoding="ascii") as f:
        f.write("<!DOCTYPE html><html><body>404 Not Found</body></html>\n")
    with open(os.path.join(folder, "bad_pointer.h5"), "w", encoding="ascii") as f:
        f.write("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 58889256\n")


main()
