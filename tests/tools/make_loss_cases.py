#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes tests/data/train/losses.json: PyTorch's cross entropy of small batches, and its gradient.

Run by hand: make_loss_cases.py > tests/data/train/losses.json. Without a gamma the loss is
torch.nn.functional.cross_entropy() with label smoothing and class weights. The focal loss of Lin et
al. 2017 is not in PyTorch for more than two classes: it is written here on log_softmax(), and its
gradient is autograd's. Everything in float64."""
import json
import sys

import torch
import torch.nn.functional as F

CLASSES = 4


def focal(logits, labels, weights, smoothing, gamma):
    log_p = F.log_softmax(logits, dim=1)
    target = F.one_hot(labels, CLASSES).double() * (1 - smoothing) + smoothing / CLASSES
    scale = torch.ones(CLASSES, dtype=torch.float64) if weights is None else weights
    rows = -(scale * target * (1 - log_p.exp()) ** gamma * log_p).sum(dim=1)
    return rows.sum() / scale[labels].sum()


def case(name, rows, weights=None, smoothing=0.0, gamma=0.0, spread=2.0):
    generator = torch.Generator().manual_seed(len(name))
    logits = spread * torch.randn(rows, CLASSES, generator=generator)
    logits = logits.double().requires_grad_()
    labels = torch.randint(0, CLASSES, (rows,), generator=generator)
    scale = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    if gamma > 0:
        loss = focal(logits, labels, scale, smoothing, gamma)
    else:
        loss = F.cross_entropy(logits, labels, weight=scale, label_smoothing=smoothing)
        same = focal(logits, labels, scale, smoothing, 0.0)
        assert abs(float(loss) - float(same)) < 1e-12
    loss.backward()
    return {"name": name, "classes": CLASSES, "labels": labels.tolist(), "smoothing": smoothing,
            "gamma": gamma, "class_weights": weights or [], "loss": float(loss),
            "logits": logits.detach().flatten().tolist(), "gradient": logits.grad.flatten().tolist()}


def main():
    weights = [0.5, 2.0, 1.0, 0.1]
    cases = [
        case("plain", 5),
        case("one row", 1),
        case("large logits", 6, spread=40.0),
        case("smoothed", 7, smoothing=0.1),
        case("weighted", 8, weights=weights),
        case("smoothed and weighted", 9, weights=weights, smoothing=0.2),
        case("focal, gamma 2", 7, gamma=2.0),
        case("focal, gamma 0.5", 7, gamma=0.5),
        case("focal, smoothed and weighted", 9, weights=weights, smoothing=0.1, gamma=1.5),
    ]
    json.dump({"made_with": f"PyTorch {torch.__version__}", "cases": cases}, sys.stdout,
              separators=(",", ":"))
    print()


main()
