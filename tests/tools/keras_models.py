#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes reference numbers of the networks of keras.applications, computed here step by step.

Stands in for TensorFlow: the networks written with plain PyTorch functions from what Keras
documents, its padding, epsilons and strides, in the order in which Keras makes the layers.  Tensors
have the names that the reader of Keras files gives them; the format is that of make_golden.py
(evaluation only) with the backbone's settings and the map of names to use.

usage: keras_models.py OUT_DIR SALT MODEL:SIZE ...
"""
import json, math, os, sys
import torch
import torch.nn.functional as F
from make_golden import fill, image, rounded

CLASSES = 10


class Net:
    """Makes each tensor when it is first asked for."""

    def __init__(self, salt, slash="_"):
        self.salt, self.slash, self.tensors, self.counts, self.parameters = salt, slash, {}, {}, 0

    def tensor(self, name, shape):
        assert name not in self.tensors, name
        self.tensors[name] = list(shape)
        if not name.endswith(("running_mean", "running_var")):
            self.parameters += math.prod(shape)
        return torch.from_numpy(fill(self.salt, name, tuple(shape))).double()

    def automatic(self, kind):
        self.counts[kind] = self.counts.get(kind, -1) + 1
        return f"{kind}_{self.counts[kind]}"

    def kernel(self, x, name, weight, stride, padding, bias, groups=1):
        if padding == "same":
            x = same(x, weight.shape[2:], stride, 0.0)
        b = self.tensor(name + ".bias", [len(weight)]) if bias else None
        return F.conv2d(x, weight, b, stride=stride, groups=groups)

    def conv(self, x, name, filters, size, stride=1, padding="valid", bias=True):
        size = size if isinstance(size, tuple) else (size, size)
        name = name or self.automatic("conv2d")
        weight = self.tensor(name + ".weight", [filters, x.shape[1], *size])
        return self.kernel(x, name, weight, stride, padding, bias)

    def depthwise(self, x, name, stride=1, padding="same"):
        weight = self.tensor(name + ".weight", [x.shape[1], 1, 3, 3])
        return self.kernel(x, name, weight, stride, padding, False, x.shape[1])

    def separable(self, x, name, filters):
        x = self.depthwise(x, name + ".depthwise")
        return self.conv(x, name + ".pointwise", filters, 1, bias=False)

    def bn(self, x, name=None, eps=1e-3, scale=True):
        name, c = name or self.automatic("batch_normalization"), [x.shape[1]]
        gamma = self.tensor(name + ".weight", c) if scale else torch.ones(c).double()
        beta = self.tensor(name + ".bias", c)
        mean = self.tensor(name + ".running_mean", c)
        var = self.tensor(name + ".running_var", c)
        shape = [1, -1, 1, 1]
        x = (x - mean.view(shape)) / (var.view(shape) + eps).sqrt()
        return x * gamma.view(shape) + beta.view(shape)

    def dense(self, x, name, units):
        weight = self.tensor(name + ".weight", [units, x.shape[1]])
        return x @ weight.T + self.tensor(name + ".bias", [units])


def same(x, size, stride, value):
    """TensorFlow's padding: what is missing, the odd row at the bottom, the odd column right."""
    pads = []
    for extent, k in zip(x.shape[2:], size):
        missing = max((math.ceil(extent / stride) - 1) * stride + k - extent, 0)
        pads = [missing // 2, missing - missing // 2] + pads
    return F.pad(x, pads, value=value)


def relu(x):
    return x.clamp(min=0)


def vgg(net, x, counts):
    for block, count in enumerate(counts):
        for i in range(count):
            x = relu(net.conv(x, f"block{block + 1}_conv{i + 1}", (64, 128, 256, 512, 512)[block],
                              3, padding="same"))
        x = F.max_pool2d(x, 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    x = relu(net.dense(x, "fc1", 4096))
    return net.dense(relu(net.dense(x, "fc2", 4096)), "predictions", CLASSES)


EPS = 1.001e-5


def head(net, x, name="predictions"):
    return net.dense(x.mean((2, 3)), name, CLASSES)


def resnet(net, x, counts):
    x = net.conv(F.pad(x, [3] * 4), "conv1_conv", 64, 7, 2)
    x = F.max_pool2d(F.pad(relu(net.bn(x, "conv1_bn", EPS)), [1] * 4), 3, 2)
    for s, count in enumerate(counts):
        filters = 64 << s
        for b in range(count):
            name, stride = f"conv{s + 2}_block{b + 1}_", 2 if b == 0 and s > 0 else 1
            y = x
            if b == 0:
                y = net.bn(net.conv(x, name + "0_conv", 4 * filters, 1, stride), name + "0_bn", EPS)
            x = relu(net.bn(net.conv(x, name + "1_conv", filters, 1, stride), name + "1_bn", EPS))
            x = net.conv(x, name + "2_conv", filters, 3, padding="same")
            x = relu(net.bn(x, name + "2_bn", EPS))
            x = net.bn(net.conv(x, name + "3_conv", 4 * filters, 1), name + "3_bn", EPS)
            x = relu(y + x)
    return head(net, x)


def resnetv2(net, x, counts):
    x = net.conv(F.pad(x, [3] * 4), "conv1_conv", 64, 7, 2)
    x = F.max_pool2d(F.pad(x, [1] * 4), 3, 2)
    for s, count in enumerate(counts):
        filters = 64 << s
        for b in range(count):
            name, stride = f"conv{s + 2}_block{b + 1}_", 2 if b == count - 1 and s < 3 else 1
            before = relu(net.bn(x, name + "preact_bn", EPS))
            if b == 0:
                y = net.conv(before, name + "0_conv", 4 * filters, 1)
            else:
                y = x[:, :, ::stride, ::stride]
            x = relu(net.bn(net.conv(before, name + "1_conv", filters, 1, bias=False),
                            name + "1_bn", EPS))
            x = net.conv(F.pad(x, [1] * 4), name + "2_conv", filters, 3, stride, bias=False)
            x = relu(net.bn(x, name + "2_bn", EPS))
            x = y + net.conv(x, name + "3_conv", 4 * filters, 1)
    return head(net, relu(net.bn(x, "post_bn", EPS)))


def densenet(net, x, counts):
    cut = net.slash
    x = net.conv(F.pad(x, [3] * 4), f"conv1{cut}conv", 64, 7, 2, bias=False)
    x = F.max_pool2d(F.pad(relu(net.bn(x, f"conv1{cut}bn", EPS)), [1] * 4), 3, 2)
    for s, count in enumerate(counts):
        for b in range(count):
            name = f"conv{s + 2}_block{b + 1}_"
            y = net.conv(relu(net.bn(x, name + "0_bn", EPS)), name + "1_conv", 128, 1, bias=False)
            y = net.conv(relu(net.bn(y, name + "1_bn", EPS)), name + "2_conv", 32, 3,
                         padding="same", bias=False)
            x = torch.cat([x, y], 1)
        if s < 3:
            x = relu(net.bn(x, f"pool{s + 2}_bn", EPS))
            x = F.avg_pool2d(net.conv(x, f"pool{s + 2}_conv", x.shape[1] // 2, 1, bias=False), 2)
    return head(net, relu(net.bn(x, "bn", EPS)), "fc1000" if cut == "/" else "predictions")


def mobilenet(net, x, width):
    x = net.conv(x, "conv1", int(32 * width), 3, 2, "same", bias=False)
    x = net.bn(x, "conv1_bn").clamp(0, 6)
    filters = [64, 128, 128, 256, 256] + [512] * 6 + [1024, 1024]
    for i, wanted in enumerate(filters, 1):
        if i in (2, 4, 6, 12):
            x = net.depthwise(F.pad(x, [0, 1, 0, 1]), f"conv_dw_{i}", 2, "valid")
        else:
            x = net.depthwise(x, f"conv_dw_{i}")
        x = net.bn(x, f"conv_dw_{i}_bn").clamp(0, 6)
        x = net.conv(x, f"conv_pw_{i}", int(wanted * width), 1, bias=False)
        x = net.bn(x, f"conv_pw_{i}_bn").clamp(0, 6)
    return net.conv(x.mean((2, 3), keepdim=True), "conv_preds", CLASSES, 1).flatten(1)


def xception(net, x, _):
    def sep(x, name, filters):
        return net.bn(net.separable(x, name, filters), name + "_bn")

    def shortcut(x, filters):
        return net.bn(net.conv(x, None, filters, 1, 2, "same", bias=False))

    def pooled(x):
        return F.max_pool2d(same(x, (3, 3), 2, -math.inf), 3, 2)

    x = relu(net.bn(net.conv(x, "block1_conv1", 32, 3, 2, bias=False), "block1_conv1_bn"))
    x = relu(net.bn(net.conv(x, "block1_conv2", 64, 3, bias=False), "block1_conv2_bn"))
    for block, filters in ((2, 128), (3, 256), (4, 728)):
        y = shortcut(x, filters)
        x = sep(x if block == 2 else relu(x), f"block{block}_sepconv1", filters)
        x = pooled(sep(relu(x), f"block{block}_sepconv2", filters)) + y
    for block in range(5, 13):
        y = x
        for i in (1, 2, 3):
            x = sep(relu(x), f"block{block}_sepconv{i}", 728)
        x = x + y
    y = shortcut(x, 1024)
    x = sep(relu(x), "block13_sepconv1", 728)
    x = pooled(sep(relu(x), "block13_sepconv2", 1024)) + y
    x = relu(sep(x, "block14_sepconv1", 1536))
    return head(net, relu(sep(x, "block14_sepconv2", 2048)))


def inception(net, x, _):
    def cb(x, filters, rows, columns, stride=1, padding="same"):
        x = net.conv(x, None, filters, (rows, columns), stride, padding, bias=False)
        return relu(net.bn(x, scale=False))

    def chain(x, *layers):
        for layer in layers:
            x = cb(x, *layer)
        return x

    def average(x):
        count = F.avg_pool2d(F.pad(torch.ones_like(x[:1, :1]), [1] * 4), 3, 1)
        return F.avg_pool2d(F.pad(x, [1] * 4), 3, 1) / count

    x = chain(x, (32, 3, 3, 2, "valid"), (32, 3, 3, 1, "valid"), (64, 3, 3))
    x = chain(F.max_pool2d(x, 3, 2), (80, 1, 1, 1, "valid"), (192, 3, 3, 1, "valid"))
    x = F.max_pool2d(x, 3, 2)
    for pool in (32, 64, 64):
        x = torch.cat([cb(x, 64, 1, 1), chain(x, (48, 1, 1), (64, 5, 5)),
                       chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
                       cb(average(x), pool, 1, 1)], 1)
    x = torch.cat([cb(x, 384, 3, 3, 2, "valid"),
                   chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3, 2, "valid")),
                   F.max_pool2d(x, 3, 2)], 1)
    for c in (128, 160, 160, 192):
        x = torch.cat([cb(x, 192, 1, 1), chain(x, (c, 1, 1), (c, 1, 7), (192, 7, 1)),
                       chain(x, (c, 1, 1), (c, 7, 1), (c, 1, 7), (c, 7, 1), (192, 1, 7)),
                       cb(average(x), 192, 1, 1)], 1)
    x = torch.cat([chain(x, (192, 1, 1), (320, 3, 3, 2, "valid")),
                   chain(x, (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, 2, "valid")),
                   F.max_pool2d(x, 3, 2)], 1)
    for _i in range(2):
        one, y = cb(x, 320, 1, 1), cb(x, 384, 1, 1)
        three = [cb(y, 384, 1, 3), cb(y, 384, 3, 1)]
        y = chain(x, (448, 1, 1), (384, 3, 3))
        x = torch.cat([one, *three, cb(y, 384, 1, 3), cb(y, 384, 3, 1),
                       cb(average(x), 192, 1, 1)], 1)
    return head(net, x)


# Backbone, function, its argument, further settings, what stands between parts of a name.
MODELS = {
    "vgg16": (vgg, [2, 2, 3, 3, 3]), "vgg19": (vgg, [2, 2, 4, 4, 4]),
    "resnet50": (resnet, [3, 4, 6, 3]), "resnet101": (resnet, [3, 4, 23, 3]),
    "resnet152": (resnet, [3, 8, 36, 3]), "resnetv2_50": (resnetv2, [3, 4, 6, 3]),
    "resnetv2_101": (resnetv2, [3, 4, 23, 3]), "resnetv2_152": (resnetv2, [3, 8, 36, 3]),
    "densenet121": (densenet, [6, 12, 24, 16]), "densenet169": (densenet, [6, 12, 32, 32]),
    "densenet201": (densenet, [6, 12, 48, 32]), "inception_v3": (inception, None),
    "xception": (xception, None), "mobilenet_v1": (mobilenet, 1.0),
    "mobilenet_v1-0.25": (mobilenet, 0.25),
}


def golden(model, salt, size):
    """In float64, on the float32 weights and images."""
    build, argument = MODELS[model]
    net = Net(salt, "/" if model == "densenet169" else "_")
    with torch.no_grad():
        logits = build(net, image(salt, "image", 2, size).double(), argument)
    settings = {} if build is vgg else {"published": "keras"}
    if model == "mobilenet_v1-0.25":
        settings["width"] = "0.25"
    return {"model": model.split("-")[0], "settings": settings, "names": "keras", "salt": salt,
            "library": "tests/tools/keras_models.py", "parameters": net.parameters,
            "tensors": net.tensors,
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
