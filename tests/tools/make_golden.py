#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes reference numbers of a torchvision model on weights that anyone can recompute.

Needs Debian's python3-torch and python3-torchvision; a model named timm.NAME or cadene.NAME needs
timm or Cadene's pretrainedmodels on PYTHONPATH.  Weights are not stored:
value i of the tensor named NAME is a function of (SALT, NAME, i), see fill().

usage: make_golden.py [--double] OUT_DIR SALT MODEL[:SIZE[:TRAIN_SIZE]] ...
--double computes in float64, on the same float32 weights and images.
"""
import json, math, os, sys
import numpy as np
import torch, torchvision

DTYPE = torch.float64 if "--double" in sys.argv else torch.float32

MASK = (1 << 64) - 1


def fnv1a64(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def uniform(salt, name, count):
    """count values in [0, 1) with 24 random bits each: splitmix64(fnv1a64(salt + ':' + name) + i)."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint64) + np.uint64(fnv1a64(salt + ":" + name))
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / float(1 << 24)


def fill(salt, name, shape):
    """The value of a parameter or buffer, in the shape and order that PyTorch gives it."""
    u = uniform(salt, name, int(np.prod(shape)))
    if name.endswith("running_var"):
        v = 0.5 + u
    elif name.endswith("running_mean") or name.endswith("bias"):
        v = 0.2 * (u - 0.5)
    elif len(shape) == 1:
        v = 0.5 + u
    elif name.endswith(("token", "pos_embedding", "pos_embed")):
        v = 0.2 * (u - 0.5)
    else:
        v = math.sqrt(6.0 / np.prod(shape[1:])) * (2.0 * u - 1.0)
    return v.reshape(shape).astype(np.float32)


def load(model, salt):
    state = model.state_dict()
    for name, tensor in state.items():
        if not name.endswith("num_batches_tracked"):
            state[name] = torch.from_numpy(fill(salt, name, tuple(tensor.shape)))
    model.load_state_dict(state)


def image(salt, tag, n, size):
    """A normalised input batch, N x 3 x H x W, values in [-2, 2)."""
    u = uniform(salt, tag, n * 3 * size * size)
    return torch.from_numpy((4.0 * u - 2.0).reshape(n, 3, size, size).astype(np.float32)).to(DTYPE)


def stats(t):
    f = t.detach().double().flatten()
    return {"shape": list(t.shape), "mean": f.mean().item(), "norm": f.norm().item(),
            "first": [float(v) for v in f[:4]]}


def golden(name, salt, size, train_size):
    kwargs = {}
    library, build = "torchvision " + torchvision.__version__, None
    if name.startswith("timm."):
        import timm
        library, build = "timm " + timm.__version__, timm.create_model
    elif name.startswith("cadene."):
        import pretrainedmodels
        library = "Cadene/pretrained-models.pytorch"
        build = lambda n: getattr(pretrainedmodels, n)(pretrained=None)
    name = name.split(".")[-1]
    if name in ("googlenet", "inception_v3"):
        kwargs = {"init_weights": False, "aux_logits": True}
    if name == "googlenet":
        kwargs["transform_input"] = False
    if name == "inception_v3":
        kwargs["transform_input"] = False
    if name.startswith("vit"):
        kwargs["image_size"] = size
    model = build(name) if build else getattr(torchvision.models, name)(weights=None, **kwargs)
    load(model, salt)
    model.to(DTYPE).eval()
    blocks = {}
    for child, module in model.named_children():
        module.register_forward_hook(lambda m, i, o, c=child: blocks.__setitem__(c, stats(o))
                                     if torch.is_tensor(o) else None)
    with torch.no_grad():
        logits = model(image(salt, "image", 2, size))
    for m in model.modules():
        if type(m).__name__ == "DropPath":
            m.drop_prob = 0.0
        if type(m).__name__ == "StochasticDepth":
            m.p = 0.0
    out = {"model": name, "salt": salt, "library": library,
           "parameters": sum(p.numel() for p in model.parameters()),
           "tensors": {n: list(t.shape) for n, t in model.state_dict().items()},
           "eval": {"size": size, "batch": 2, "blocks": blocks,
                    "logits": [[float(v) for v in row] for row in logits]}}
    if train_size:
        for m in model.modules():
            if isinstance(m, torch.nn.Dropout):
                m.p = 0.0
        model.train()
        x, y = image(salt, "train", 4, train_size), torch.tensor([1, 3, 5, 7])
        o = model(x)
        aux = []
        if not torch.is_tensor(o):
            aux = [a for a in o[1:] if a is not None] if not hasattr(o, "logits") else \
                  [a for k, a in o._asdict().items() if k != "logits" and a is not None]
            o = o[0] if not hasattr(o, "logits") else o.logits
        loss = torch.nn.functional.cross_entropy(o, y)
        main = loss.item()
        for a in aux:
            loss = loss + (0.3 if name == "googlenet" else 0.4) * torch.nn.functional.cross_entropy(a, y)
        loss.backward()
        out["train"] = {"size": train_size, "batch": 4, "labels": [1, 3, 5, 7], "loss_main": main,
                        "loss": loss.item(),
                        "aux_weight": 0.3 if name == "googlenet" else 0.4 if name == "inception_v3" else 0,
                        "grads": {n: stats(p.grad) for n, p in model.named_parameters() if p.grad is not None},
                        "buffers": {n: stats(b) for n, b in model.named_buffers() if "num_batches" not in n}}
    return out


def rounded(v):
    """Nine significant digits: all that float32 holds."""
    if isinstance(v, float):
        return float("%.9g" % v)
    if isinstance(v, dict):
        return {k: rounded(x) for k, x in v.items()}
    return [rounded(x) for x in v] if isinstance(v, list) else v


def main():
    args = [a for a in sys.argv[1:] if a != "--double"]
    out_dir, salt = args[:2]
    os.makedirs(out_dir, exist_ok=True)
    for spec in args[2:]:
        parts = spec.split(":")
        name, size = parts[0], int(parts[1]) if len(parts) > 1 else 224
        train_size = int(parts[2]) if len(parts) > 2 else 0
        torch.manual_seed(0)
        with open(os.path.join(out_dir, name.split(".")[-1] + ".json"), "w") as f:
            json.dump(rounded(golden(name, salt, size, train_size)), f, separators=(",", ":"))
        print(name, "written", flush=True)


if __name__ == "__main__":
    main()
