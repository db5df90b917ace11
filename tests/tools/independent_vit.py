#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes reference numbers of a vision transformer with timm's names, computed here step by step.

Stands in for timm where Debian has none: the transformer of Dosovitskiy et al. 2021 written with
plain tensor operations from the names and shapes alone, in the format of make_golden.py
(evaluation only).  Checked against a file that timm itself made with --against.

With --old-names instead: torchvision's transformer with the tensors called as in its published
files of 2022, before pull request 6053.

usage: independent_vit.py OUT_DIR SALT MODEL ...
       independent_vit.py --against FILE.json ...
       independent_vit.py --old-names OUT_DIR SALT vit_b_32 ...
"""
import json, math, os, sys
import torch, torchvision
from make_golden import fill, image, rounded

SIZES = {"tiny": (192, 12, 3), "small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16)}
PATCH, SIZE = 16, 224


def shapes(width, depth):
    """Name and shape of every tensor."""
    out = {"cls_token": [1, 1, width], "pos_embed": [1, (SIZE // PATCH) ** 2 + 1, width],
           "patch_embed.proj.weight": [width, 3, PATCH, PATCH], "patch_embed.proj.bias": [width]}
    for i in range(depth):
        for name, rows, columns in (("norm1", width, 0), ("attn.qkv", 3 * width, width),
                                    ("attn.proj", width, width), ("norm2", width, 0),
                                    ("mlp.fc1", 4 * width, width), ("mlp.fc2", width, 4 * width)):
            out[f"blocks.{i}.{name}.weight"] = [rows, columns] if columns else [rows]
            out[f"blocks.{i}.{name}.bias"] = [rows]
    for name, shape in (("norm", [width]), ("head", [1000, width])):
        out[name + ".weight"], out[name + ".bias"] = shape, shape[:1]
    return out


def normalise(x, w, name):
    centred = x - x.mean(-1, keepdim=True)
    scale = (centred ** 2).mean(-1, keepdim=True).add(1e-6).sqrt()
    return centred / scale * w[name + ".weight"] + w[name + ".bias"]


def linear(x, w, name):
    return x @ w[name + ".weight"].T + w[name + ".bias"]


def attend(x, w, name, heads):
    n, t, f = x.shape
    q, k, v = linear(x, w, name + ".qkv").reshape(n, t, 3, heads, f // heads).permute(2, 0, 3, 1, 4)
    weights = (q @ k.transpose(-2, -1) / math.sqrt(f // heads)).exp()
    mixed = weights @ v / weights.sum(-1, keepdim=True)
    return linear(mixed.permute(0, 2, 1, 3).reshape(n, t, f), w, name + ".proj")


def logits(x, w, depth, heads):
    n, side = len(x), SIZE // PATCH
    patches = x.reshape(n, 3, side, PATCH, side, PATCH).permute(0, 2, 4, 1, 3, 5)
    x = patches.reshape(n, side * side, -1) @ w["patch_embed.proj.weight"].flatten(1).T
    x = torch.cat([w["cls_token"].expand(n, 1, -1), x + w["patch_embed.proj.bias"]], 1)
    x = x + w["pos_embed"]
    for i in range(depth):
        name = f"blocks.{i}."
        x = x + attend(normalise(x, w, name + "norm1"), w, name + "attn", heads)
        y = linear(normalise(x, w, name + "norm2"), w, name + "mlp.fc1")
        y = y * (1 + torch.erf(y / math.sqrt(2))) / 2
        x = x + linear(y, w, name + "mlp.fc2")
    return linear(normalise(x, w, "norm")[:, 0], w, "head")


def golden(model, salt):
    """In float64, on the float32 weights and images."""
    width, depth, heads = SIZES[model.split("_")[1]]
    tensors = shapes(width, depth)
    weights = {name: torch.from_numpy(fill(salt, name, tuple(shape))).double()
               for name, shape in tensors.items()}
    with torch.no_grad():
        found = logits(image(salt, "image", 2, SIZE).double(), weights, depth, heads)
    return {"model": model, "salt": salt, "library": "tests/tools/independent_vit.py",
            "parameters": sum(math.prod(shape) for shape in tensors.values()), "tensors": tensors,
            "eval": {"size": SIZE, "batch": 2, "blocks": {},
                     "logits": [[float(v) for v in row] for row in found]}}


def against(path):
    with open(path) as f:
        theirs = json.load(f)
    ours = golden(theirs["model"], theirs["salt"])
    assert ours["tensors"] == theirs["tensors"] and ours["parameters"] == theirs["parameters"]
    a, b = (torch.tensor(g["eval"]["logits"]).double() for g in (ours, theirs))
    print(theirs["model"], "relative difference %.2e" % ((a - b).norm() / b.norm()))


def old_golden(model, salt):
    network = getattr(torchvision.models, model)(weights=None)
    state, tensors = network.state_dict(), {}
    for name, tensor in state.items():
        old = name.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2.")
        tensors[old] = list(tensor.shape)
        state[name] = torch.from_numpy(fill(salt, old, tuple(tensor.shape)))
    network.load_state_dict(state)
    network.double().eval()
    with torch.no_grad():
        found = network(image(salt, "image", 2, SIZE).double())
    return {"model": model, "names": "torchvision-0.12", "salt": salt,
            "library": "torchvision " + torchvision.__version__,
            "parameters": sum(p.numel() for p in network.parameters()), "tensors": tensors,
            "eval": {"size": SIZE, "batch": 2, "blocks": {},
                     "logits": [[float(v) for v in row] for row in found]}}


def main():
    if sys.argv[1] == "--against":
        for path in sys.argv[2:]:
            against(path)
        return
    make = old_golden if sys.argv[1] == "--old-names" else golden
    out_dir, salt, *models = sys.argv[1 + (make is old_golden):]
    for model in models:
        with open(os.path.join(out_dir, model + ".json"), "w") as f:
            json.dump(rounded(make(model, salt)), f, separators=(",", ":"))
        print(model, "written", flush=True)


main()
