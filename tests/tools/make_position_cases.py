#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes tests/data/model/positions.json: position embeddings resized by PyTorch as timm resizes
them: bicubic, antialiased, the class token's embedding kept.

Run by hand: make_position_cases.py > tests/data/model/positions.json."""
import json
import sys

import torch
from torch.nn.functional import interpolate

# Patches along a side before and after, class token, features.
CASES = [(14, 20, 1, 2), (14, 24, 1, 1), (7, 12, 0, 2), (14, 7, 1, 2), (24, 14, 0, 1), (3, 5, 1, 3),
         (1, 4, 1, 2), (5, 1, 1, 2)]


def case(old, new, prefix, features):
    found = torch.randn(1, prefix + old * old, features)
    grid = found[:, prefix:].reshape(1, old, old, features).permute(0, 3, 1, 2)
    grid = interpolate(grid, size=(new, new), mode="bicubic", antialias=True, align_corners=False)
    patches = grid.permute(0, 2, 3, 1).reshape(1, new * new, features)
    wanted = torch.cat([found[:, :prefix], patches], 1)
    numbers = [[float("%.7g" % v) for v in t.flatten()] for t in (found, wanted)]
    return {"from": old, "to": new, "prefix": prefix, "features": features, "found": numbers[0],
            "wanted": numbers[1]}


torch.manual_seed(1)
json.dump([case(*c) for c in CASES], sys.stdout, separators=(",", ":"))
print()
