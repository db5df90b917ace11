#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes tests/data/ops/descriptors.json: the operators lbp and hog by scikit-image.

The format is that of make_op_cases.py. Patterns are counted here from the labels of
local_binary_pattern(), over the pixels whose circle lies inside the image.
"""
import json
import math
import pathlib

import numpy as np
from skimage.feature import hog, local_binary_pattern

BATCH = 2
random = np.random.default_rng(20261123)
cases = []


def images(height, width, channels):
    """Noise over a smooth shape, whole numbers."""
    y, x = np.mgrid[0:height, 0:width]
    shape = 80 + 60 * np.sin(x / 5.0) * np.cos(y / 7.0)
    noise = random.normal(0, 25, (BATCH, height, width, channels))
    return np.clip(np.rint(shape[None, :, :, None] + noise), 0, 255)


def case(op, x, output, attributes):
    cases.append({"op": op, "attributes": attributes,
                  "inputs": [{"dims": [-1] + list(x.shape[1:]), "data": x.reshape(-1).tolist()}],
                  "output": [float(f"{v:.8g}") for v in np.reshape(output, -1)],
                  "dy": [0.0] * int(np.size(output)), "gradients": [None], "after": None})


def own_bins(labels, points):
    """scikit-image numbers uniform patterns by how far a run of ones must be rotated."""
    table = np.arange(points * (points - 1) + 3)
    for ones in range(1, points):
        for rotation in range(points):
            table[1 + (ones - 1) * points + rotation] = \
                1 + (ones - 1) * points + (points - rotation) % points
    return table[labels]


def histograms(image, points, radius, cells, rotation_invariant):
    margin = math.ceil(radius)
    method = "uniform" if rotation_invariant else "nri_uniform"
    labels = local_binary_pattern(image, points, radius, method).astype(int)
    labels = labels[margin:-margin, margin:-margin]
    if not rotation_invariant:
        labels = own_bins(labels, points)
    bins = points + 2 if rotation_invariant else points * (points - 1) + 3
    rows, columns = labels.shape
    cell = (np.arange(rows) * cells // rows)[:, None] * cells + np.arange(columns) * cells // columns
    counts = np.zeros((cells * cells, bins))
    np.add.at(counts, (cell, labels), 1)
    return counts / counts.sum(1, keepdims=True)


def lbp_case(height, width, channels, points, radius, cells, rotation_invariant):
    x = images(height, width, channels)
    output = [[histograms(image[:, :, c], points, radius, cells, rotation_invariant)
               for c in range(channels)] for image in x]
    case("lbp/1", x, np.array(output), {"points": points, "radius": float(radius), "cells": cells,
                                        "rotation_invariant": int(rotation_invariant)})


def hog_case(height, width, channels, orientations, cells, block):
    x = images(height, width, channels)
    cell = (height // cells, width // cells)
    output = [hog(image, orientations, cell, (block, block), "L2-Hys", channel_axis=-1)
              for image in x]
    case("hog/1", x, np.array(output), {"orientations": orientations, "cells": cells,
                                        "block": block})


lbp_case(15, 17, 1, 8, 1, 1, True)
lbp_case(15, 17, 1, 8, 1, 2, False)
lbp_case(20, 19, 2, 16, 2, 3, True)
lbp_case(24, 21, 1, 24, 3, 2, True)
lbp_case(18, 16, 1, 6, 1.5, 2, False)
hog_case(16, 16, 1, 9, 2, 2)
hog_case(21, 30, 1, 9, 5, 2)
hog_case(19, 26, 3, 12, 3, 3)
hog_case(17, 16, 2, 6, 2, 1)

path = pathlib.Path(__file__).parent.parent / "data" / "ops" / "descriptors.json"
path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
