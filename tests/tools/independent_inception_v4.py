#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Reference numbers of Inception v4 with timm's names, from the paper's figures (arXiv:1602.07261).

Needs Debian's python3-torch. In float64 on the float32 weights and images of make_golden.py: files
made in float32 differ from these by more than golden-check allows (README of tests/golden).

usage: independent_inception_v4.py OUT_DIR SALT SIZE TRAIN_SIZE
       independent_inception_v4.py --against FILE    also float32, in three ways, against the file
"""
import json
import os
import sys

import torch
from torch import nn
from torch.nn import functional

from make_golden import fill, image, rounded, stats

WIDE, TALL = (1, 7), (7, 1)


class Unit(nn.Module):
    """Convolution, norm, rectifier; "same" keeps the size, "valid" pads nothing."""

    def __init__(self, ins, outs, kernel, stride=1, padding="same"):
        super().__init__()
        kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        pad = tuple(k // 2 for k in kernel) if padding == "same" else 0
        self.conv = nn.Conv2d(ins, outs, kernel, stride, pad, bias=False)
        self.bn = nn.BatchNorm2d(outs, eps=1e-3)

    def forward(self, x):
        return functional.relu(self.bn(self.conv(x)))


class Join(nn.Module):
    """Branches side by side, joined along the channels."""

    def __init__(self, **branches):
        super().__init__()
        for name, branch in branches.items():
            setattr(self, name, branch)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.children()], 1)


class Fork(nn.Module):
    """The 8x8 module: two branches end with 1x3 beside 3x1."""

    def __init__(self):
        super().__init__()
        self.branch0 = Unit(1536, 256, 1)
        self.branch1_0 = Unit(1536, 384, 1)
        self.branch1_1a, self.branch1_1b = Unit(384, 256, (1, 3)), Unit(384, 256, (3, 1))
        self.branch2_0, self.branch2_1 = Unit(1536, 384, 1), Unit(384, 448, (3, 1))
        self.branch2_2 = Unit(448, 512, (1, 3))
        self.branch2_3a, self.branch2_3b = Unit(512, 256, (1, 3)), Unit(512, 256, (3, 1))
        self.branch3 = nn.Sequential(average(), Unit(1536, 256, 1))

    def forward(self, x):
        one = self.branch1_0(x)
        two = self.branch2_2(self.branch2_1(self.branch2_0(x)))
        return torch.cat([self.branch0(x), self.branch1_1a(one), self.branch1_1b(one),
                          self.branch2_3a(two), self.branch2_3b(two), self.branch3(x)], 1)


def average():
    return nn.AvgPool2d(3, 1, 1, count_include_pad=False)


def halve(ins, outs):
    return Unit(ins, outs, 3, 2, "valid")


def chain(*parts):
    return nn.Sequential(*parts)


def module_35():
    return Join(branch0=Unit(384, 96, 1), branch1=chain(Unit(384, 64, 1), Unit(64, 96, 3)),
                branch2=chain(Unit(384, 64, 1), Unit(64, 96, 3), Unit(96, 96, 3)),
                branch3=chain(average(), Unit(384, 96, 1)))


def module_17():
    return Join(branch0=Unit(1024, 384, 1),
                branch1=chain(Unit(1024, 192, 1), Unit(192, 224, WIDE), Unit(224, 256, TALL)),
                branch2=chain(Unit(1024, 192, 1), Unit(192, 192, TALL), Unit(192, 224, WIDE),
                              Unit(224, 224, TALL), Unit(224, 256, WIDE)),
                branch3=chain(average(), Unit(1024, 128, 1)))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        stem = [halve(3, 32), Unit(32, 32, 3, 1, "valid"), Unit(32, 64, 3),
                Join(maxpool=nn.MaxPool2d(3, 2), conv=halve(64, 96)),
                Join(branch0=chain(Unit(160, 64, 1), Unit(64, 96, 3, 1, "valid")),
                     branch1=chain(Unit(160, 64, 1), Unit(64, 64, WIDE), Unit(64, 64, TALL),
                                   Unit(64, 96, 3, 1, "valid"))),
                Join(conv=halve(192, 192), maxpool=nn.MaxPool2d(3, 2))]
        to_17 = Join(branch0=halve(384, 384),
                     branch1=chain(Unit(384, 192, 1), Unit(192, 224, 3), halve(224, 256)),
                     branch2=nn.MaxPool2d(3, 2))
        to_8 = Join(branch0=chain(Unit(1024, 192, 1), halve(192, 192)),
                    branch1=chain(Unit(1024, 256, 1), Unit(256, 256, WIDE), Unit(256, 320, TALL),
                                  halve(320, 320)), branch2=nn.MaxPool2d(3, 2))
        self.features = chain(*stem, *(module_35() for _ in range(4)), to_17,
                              *(module_17() for _ in range(7)), to_8, *(Fork() for _ in range(3)))
        self.last_linear = nn.Linear(1536, 1000)

    def forward(self, x):
        return self.last_linear(self.features(x).mean((2, 3)))


def golden(salt, size, train_size, dtype=torch.float64):
    model = Network()
    state = model.state_dict()
    for name, tensor in state.items():
        if not name.endswith("num_batches_tracked"):
            state[name] = torch.from_numpy(fill(salt, name, tuple(tensor.shape)))
    model.load_state_dict(state)
    model.to(dtype).eval()
    with torch.no_grad():
        logits = model(image(salt, "image", 2, size).to(dtype))
    labels = [1, 3, 5, 7]
    model.train()
    loss = functional.cross_entropy(model(image(salt, "train", 4, train_size).to(dtype)),
                                    torch.tensor(labels))
    loss.backward()
    return {"model": "inception_v4", "salt": salt,
            "library": "tests/tools/independent_inception_v4.py",
            "parameters": sum(p.numel() for p in model.parameters()),
            "tensors": {n: list(t.shape) for n, t in state.items()},
            "eval": {"size": size, "batch": 2, "blocks": {},
                     "logits": [[float(v) for v in row] for row in logits]},
            "train": {"size": train_size, "batch": 4, "labels": labels, "loss": loss.item(),
                      "grads": {n: stats(p.grad) for n, p in model.named_parameters()},
                      "buffers": {n: stats(b) for n, b in model.named_buffers()
                                  if "num_batches" not in n}}}


def worst(ours, theirs, part):
    found = 0.0
    for name, expected in theirs[part].items():
        if name in ours[part]:
            norm = abs(ours[part][name]["norm"] - expected["norm"]) / expected["norm"]
            found = max(found, norm)
    return found


def against(path):
    with open(path) as file:
        theirs = json.load(file)
    sizes = theirs["eval"]["size"], theirs["train"]["size"]
    for label, dtype, onednn in (("float64", torch.float64, True), ("float32", torch.float32, True),
                                 ("float32 without oneDNN", torch.float32, False)):
        with torch.backends.mkldnn.flags(enabled=onednn):
            ours = golden(theirs["salt"], *sizes, dtype)
        assert ours["tensors"] == theirs["tensors"] and ours["parameters"] == theirs["parameters"]
        a, b = (torch.tensor(g["eval"]["logits"]).double() for g in (ours, theirs))
        print("%s: logits %.1e, worst norm of a gradient %.1e, of a statistic %.1e" % (
            label, (a - b).norm() / b.norm(), worst(ours["train"], theirs["train"], "grads"),
            worst(ours["train"], theirs["train"], "buffers")), flush=True)


def main():
    if sys.argv[1] == "--against":
        against(sys.argv[2])
        return
    out_dir, salt, size, train_size = sys.argv[1:]
    with open(os.path.join(out_dir, "inception_v4.json"), "w") as file:
        json.dump(rounded(golden(salt, int(size), int(train_size))), file, separators=(",", ":"))


main()
