#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes reference numbers of networks that no Python library has, written down here in PyTorch.

LeNet-5 from the tables of LeCun et al. 1998 (each map of C3 sums its own sources), Caffe's LeNet
and CaffeNet from their published layer lists, AlexNet from the paper, and a shallow network.  The
format is that of make_golden.py, in float64 on the float32 weights and images.

usage: independent_models.py OUT_DIR SALT MODEL[:SIZE[:TRAIN_SIZE]] ...
"""
import json, os, sys
import torch
import torch.nn.functional as F
from make_golden import fill, rounded, stats, uniform

CLASSES = 10
# Table I: the sources of each map of C3.
C3 = ["012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125",
      "0134", "1245", "0235", "012345"]


def squash(x):
    return 1.7159 * torch.tanh(2 * x / 3)


def quarters(x):
    return (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4


def lrn(x, alpha, k):
    """Krizhevsky et al. 2012, section 3.3, five neighbouring channels; alpha times their sum."""
    padded = F.pad(x * x, (0, 0, 0, 0, 2, 2))
    near = sum(padded[:, i:i + x.shape[1]] for i in range(5))
    return x / (k + alpha * near) ** 0.75


class Weights(dict):
    def __init__(self, salt, shapes):
        for name, shape in shapes.items():
            self[name] = torch.from_numpy(fill(salt, name, tuple(shape))).double()
            self[name].requires_grad_("running" not in name)

    def conv(self, x, name, **options):
        return F.conv2d(x, self[name + ".weight"], self.get(name + ".bias"), **options)

    def linear(self, x, name):
        return x @ self[name + ".weight"].T + self[name + ".bias"]


def layers(*each):
    shapes = {}
    for name, *shape in each:
        shapes[name + ".weight"] = shape
        shapes[name + ".bias"] = shape[:1]
    return shapes


def lenet5(x, w, training):
    def subsample(y, name):
        return squash(quarters(y) * w[name + ".weight"].reshape(1, -1, 1, 1)
                      + w[name + ".bias"].reshape(1, -1, 1, 1))

    y = subsample(squash(w.conv(x, "c1")), "s2")
    maps, counts = [], {"three": 0, "four": 0, "all": 0}
    for sources in C3:
        part = {3: "three", 4: "four", 6: "all"}[len(sources)]
        kernel, bias = w[f"c3.{part}.weight"][counts[part]], w[f"c3.{part}.bias"][counts[part]]
        maps.append(bias + sum(F.conv2d(y[:, int(s):int(s) + 1], kernel[i].reshape(1, 1, 5, 5))
                               for i, s in enumerate(sources)))
        counts[part] += 1
    y = subsample(squash(torch.cat(maps, 1)), "s4")
    y = squash(w.conv(y, "c5")).flatten(1)
    return w.linear(squash(w.linear(y, "f6")), "output")


def lenet_caffe(x, w, training):
    y = F.max_pool2d(w.conv(x, "conv1"), 2)
    y = F.max_pool2d(w.conv(y, "conv2"), 2)
    return w.linear(F.relu(w.linear(y.flatten(1), "ip1")), "ip2")


def caffenet(x, w, training):
    def pool(y):
        return F.max_pool2d(y, 3, 2, ceil_mode=True)

    y = lrn(pool(F.relu(w.conv(x, "conv1", stride=4))), 1e-4 / 5, 1)
    y = lrn(pool(F.relu(w.conv(y, "conv2", padding=2, groups=2))), 1e-4 / 5, 1)
    y = F.relu(w.conv(y, "conv3", padding=1))
    y = F.relu(w.conv(y, "conv4", padding=1, groups=2))
    y = pool(F.relu(w.conv(y, "conv5", padding=1, groups=2)))
    y = F.adaptive_avg_pool2d(y, 6).flatten(1)
    return w.linear(F.relu(w.linear(F.relu(w.linear(y, "fc6")), "fc7")), "fc8")


def alexnet_paper(x, w, training):
    y = lrn(F.relu(w.conv(x, "conv1", stride=4)), 1e-4, 2)
    y = F.max_pool2d(y, 3, 2, ceil_mode=True)
    y = lrn(F.relu(w.conv(y, "conv2", padding=2)), 1e-4, 2)
    y = F.max_pool2d(y, 3, 2, ceil_mode=True)
    for name in ("conv3", "conv4", "conv5"):
        y = F.relu(w.conv(y, name, padding=1))
    y = F.adaptive_avg_pool2d(F.max_pool2d(y, 3, 2, ceil_mode=True), 6).flatten(1)
    return w.linear(F.relu(w.linear(F.relu(w.linear(y, "fc6")), "fc7")), "fc8")


def shallow_cnn(x, w, training):
    for i in (1, 2, 3):
        x = F.conv2d(x, w[f"conv{i}.weight"], padding=1)
        x = F.batch_norm(x, *(w[f"bn{i}.{n}"] for n in ("running_mean", "running_var", "weight",
                                                        "bias")), training)
        x = F.max_pool2d(F.relu(x), 2)
    return w.linear(F.relu(w.linear(x.mean((2, 3)), "fc1")), "fc")


def alexnet_layers(groups):
    return layers(("conv1", 96, 3, 11, 11), ("conv2", 256, 96 // groups, 5, 5),
                  ("conv3", 384, 256, 3, 3), ("conv4", 384, 384 // groups, 3, 3),
                  ("conv5", 256, 384 // groups, 3, 3), ("fc6", 4096, 9216), ("fc7", 4096, 4096),
                  ("fc8", 1000, 4096))


def shallow_layers():
    shapes = layers(("fc1", 128, 128), ("fc", CLASSES, 128))
    for i, (a, b) in enumerate(((3, 32), (32, 64), (64, 128)), 1):
        shapes[f"conv{i}.weight"] = [b, a, 3, 3]
        for name in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"bn{i}.{name}"] = [b]
    return shapes


# Function, tensors, channels and size of the image, published parameters (1000 or 10 classes).
MODELS = {
    "lenet5": (lenet5, layers(("c1", 6, 1, 5, 5), ("s2", 6, 1, 1, 1), ("c3.three", 6, 3, 5, 5),
                              ("c3.four", 9, 4, 5, 5), ("c3.all", 1, 6, 5, 5), ("s4", 16, 1, 1, 1),
                              ("c5", 120, 16, 5, 5), ("f6", 84, 120), ("output", CLASSES, 84)),
               1, 32, 60000 + 85 * CLASSES),
    "lenet_caffe": (lenet_caffe, layers(("conv1", 20, 1, 5, 5), ("conv2", 50, 20, 5, 5),
                                        ("ip1", 500, 800), ("ip2", CLASSES, 500)), 1, 28, 431080),
    "caffenet": (caffenet, alexnet_layers(2), 3, 227, 60965224),
    "alexnet_paper": (alexnet_paper, alexnet_layers(1), 3, 227, 62378344),
    "shallow_cnn": (shallow_cnn, shallow_layers(), 3, 224, 111274),
}


def images(salt, tag, n, channels, size):
    values = 4.0 * uniform(salt, tag, n * channels * size * size) - 2.0
    return torch.from_numpy(values.astype("float32").reshape(n, channels, size, size)).double()


def golden(model, salt, size, train_size):
    compute, shapes, channels, _, published = MODELS[model]
    w = Weights(salt, shapes)
    parameters = sum(t.numel() for t in w.values() if t.requires_grad)
    assert parameters == published, parameters
    with torch.no_grad():
        logits = compute(images(salt, "image", 2, channels, size), w, False)
    out = {"model": model, "salt": salt, "library": "tests/tools/independent_models.py",
           "parameters": parameters, "tensors": {n: list(s) for n, s in shapes.items()},
           "eval": {"size": size, "batch": 2, "blocks": {},
                    "logits": [[float(v) for v in row] for row in logits]}}
    if train_size:
        labels = [1, 3, 5, 7]
        x = images(salt, "train", 4, channels, train_size)
        loss = F.cross_entropy(compute(x, w, True), torch.tensor(labels))
        loss.backward()
        out["train"] = {"size": train_size, "batch": 4, "labels": labels,
                        "loss_main": loss.item(), "loss": loss.item(), "aux_weight": 0,
                        "grads": {n: stats(t.grad) for n, t in w.items() if t.requires_grad},
                        "buffers": {n: stats(t) for n, t in w.items() if not t.requires_grad}}
    return out


def main():
    out_dir, salt = sys.argv[1:3]
    for spec in sys.argv[3:]:
        model, *sizes = spec.split(":")
        size = int(sizes[0]) if sizes else MODELS[model][3]
        train_size = int(sizes[1]) if len(sizes) > 1 else size
        with open(os.path.join(out_dir, model + ".json"), "w") as f:
            json.dump(rounded(golden(model, salt, size, train_size)), f, separators=(",", ":"))
        print(model, "written", flush=True)


main()
