#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes reference numbers of networks that were published as Caffe models, computed here step by
step from their prototxt files, with the names that the reader of Caffe files gives their tensors.

usage: caffe_models.py OUT_DIR SALT MODEL:SIZE ...
"""
import json, math, os, sys
import torch
import torch.nn.functional as F
from keras_models import CLASSES, Net, relu
from make_golden import image, rounded


def pool(x):
    """3x3 with stride 2; a window that begins inside counts, so the last one may be cut."""
    pads = [max((math.ceil((n - 3) / 2)) * 2 + 3 - n, 0) for n in x.shape[2:]]
    return F.max_pool2d(F.pad(x, [0, pads[1], 0, pads[0]], value=-math.inf), 3, 2)


def conv(net, x, name, filters, size, stride=1, bias=True):
    return net.conv(F.pad(x, [size // 2] * 4), name, filters, size, stride, bias=bias)


def norm(net, x, layer):
    """BatchNorm and Scale."""
    mean, variance = (net.tensor(f"bn{layer}.running_{word}", [x.shape[1]]).view(1, -1, 1, 1)
                      for word in ("mean", "var"))
    x = (x - mean) / (variance + 1e-5).sqrt()
    weight, bias = (net.tensor(f"scale{layer}.{word}", [x.shape[1]]).view(1, -1, 1, 1)
                    for word in ("weight", "bias"))
    return x * weight + bias


def unit_name(counts, stage, index):
    """The 50 layers count with letters; of the deeper ones stages 3 and 4 with numbers."""
    if index == 0:
        return "a"
    return f"b{index}" if counts[2] > 6 and stage in (3, 4) else "abcdef"[index]


def resnet(net, x, counts):
    x = pool(relu(norm(net, conv(net, x, "conv1", 64, 7, 2, counts[2] == 6), "_conv1")))
    for stage, count in enumerate(counts, 2):
        filters = 16 << stage
        for index in range(count):
            unit = f"{stage}{unit_name(counts, stage, index)}"
            stride = 2 if index == 0 and stage > 2 else 1
            y = x
            if index == 0:
                y = conv(net, x, f"res{unit}_branch1", 4 * filters, 1, stride, False)
                y = norm(net, y, f"{unit}_branch1")
            for part, size, wide in (("a", 1, 1), ("b", 3, 1), ("c", 1, 4)):
                layer = f"{unit}_branch2{part}"
                x = conv(net, x, "res" + layer, wide * filters, size, stride, False)
                x = norm(net, x, layer)
                x, stride = x if part == "c" else relu(x), 1
            x = relu(x + y)
    return net.dense(x.mean((2, 3)), "fc1000", CLASSES)


def vgg(net, x, counts):
    for stage, count in enumerate(counts, 1):
        for index in range(1, count + 1):
            filters = min(32 << stage, 512)
            x = relu(conv(net, x, f"conv{stage}_{index}", filters, 3))
        x = F.max_pool2d(x, 2)
    x = relu(net.dense(x.flatten(1), "fc6", 4096))
    return net.dense(relu(net.dense(x, "fc7", 4096)), "fc8", CLASSES)


MODELS = {
    "resnet50": (resnet, [3, 4, 6, 3]), "resnet101": (resnet, [3, 4, 23, 3]),
    "resnet152": (resnet, [3, 8, 36, 3]), "vgg16": (vgg, [2, 2, 3, 3, 3]),
    "vgg19": (vgg, [2, 2, 4, 4, 4]),
}


def golden(model, salt, size):
    """In float64, on the float32 weights and images."""
    build, argument = MODELS[model]
    net = Net(salt)
    with torch.no_grad():
        logits = build(net, image(salt, "image", 2, size).double(), argument)
    return {"model": model, "settings": {} if build is vgg else {"published": "caffe"},
            "names": "caffe", "salt": salt, "library": "tests/tools/caffe_models.py",
            "parameters": net.parameters, "tensors": net.tensors,
            "eval": {"size": size, "batch": 2, "blocks": {},
                     "logits": [[float(v) for v in row] for row in logits]}}


def main():
    out_dir, salt = sys.argv[1:3]
    for spec in sys.argv[3:]:
        model, size = spec.split(":")
        with open(os.path.join(out_dir, model + ".json"), "w", encoding="ascii") as f:
            json.dump(rounded(golden(model, salt, int(size))), f, separators=(",", ":"))
            f.write("\n")


if __name__ == "__main__":
    main()
