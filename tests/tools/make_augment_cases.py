#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Makes tests/data/augment/cases.bin: what torchvision makes of the numbers in its own file.

Usage: make_augment_cases.py TESTS_DATA_FOLDER

cases.txt has a line for each case: `kind channels side a b c d e`, with kind affine (angle, x shift,
y shift, scale, shear; zero border), border_edge and border_reflect (the same, other borders),
brightness, contrast, gamma or blur (a the factor, exponent or standard deviation). cases.bin holds,
for each case in order, side x side x channels input bytes and as many float32 expected values in
0..1. Needs PyTorch, torchvision and NumPy.
"""
import math
import os
import sys

import numpy as np
import torch
import torchvision.transforms.functional as F
from torchvision.transforms import InterpolationMode

# Sheared pictures are enlarged so that no step is longer than a pixel: longer ones, which torchvision
# samples as they are, make the program reduce the picture first.
GEOMETRY = [(30.0, 0, 0, 1.0, 0.0), (0.0, 3, -2, 1.0, 0.0), (-17.0, 1, 2, 1.25, 12.0),
            (180.0, 0, 0, 1.0, 0.0), (5.0, -4, 0, 1.5, -20.0)]


def picture(side, channels, seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side]
    planes = [0.5 + 0.4 * np.sin(x / (2.0 + c)) * np.cos(y / (3.0 - c / 2.0)) for c in range(channels)]
    noisy = np.stack(planes, -1) + rng.normal(0, 0.05, (side, side, channels))
    return (np.clip(noisy, 0, 1) * 255).round().astype(np.uint8)


def other_border(image, mode, case):
    """torchvision's affine() has no other border than a fill: the same matrix with grid_sample()."""
    angle, dx, dy, scale, shear = case
    side = image.shape[-1]
    matrix = F._get_inverse_affine_matrix([0.0, 0.0], angle, [dx, dy], scale, [shear, 0.0])
    theta = torch.tensor(matrix, dtype=torch.float64).reshape(1, 2, 3)
    ends = torch.arange(side, dtype=torch.float64) + 0.5 - side / 2
    ys, xs = torch.meshgrid(ends, ends, indexing="ij")
    points = torch.stack([xs, ys, torch.ones_like(xs)], -1) @ theta[0].T
    return torch.nn.functional.grid_sample(image[None], (points * 2 / side)[None], mode="bilinear",
                                           padding_mode=mode, align_corners=False)[0]


def expected(kind, image, case):
    if kind == "affine":
        return F.affine(image, case[0], [case[1], case[2]], case[3], [case[4], 0.0],
                        interpolation=InterpolationMode.BILINEAR)
    if kind.startswith("border_"):
        return other_border(image, {"edge": "border", "reflect": "reflection"}[kind[7:]], case)
    if kind == "blur":
        return F.gaussian_blur(image, 2 * math.ceil(3 * case[0]) + 1, case[0])
    change = {"brightness": F.adjust_brightness, "contrast": F.adjust_contrast,
              "gamma": F.adjust_gamma}[kind]
    return change(image, case[0])


def main():
    folder = os.path.join(sys.argv[1], "augment")
    os.makedirs(folder, exist_ok=True)
    cases = [(kind, case) for kind in ("affine", "border_edge", "border_reflect")
             for case in GEOMETRY]
    cases += [(kind, (value, 0, 0, 0, 0)) for kind in ("brightness", "contrast", "gamma")
              for value in (0.6, 1.4)] + [("blur", (s, 0, 0, 0, 0)) for s in (0.4, 1.3, 2.0)]
    lines = []
    with open(os.path.join(folder, "cases.bin"), "wb") as file:
        for number, (kind, case) in enumerate(cases):
            channels, side = (1, 13) if number % 2 and kind != "contrast" else (3, 14)
            image = picture(side, channels, number)
            tensor = torch.from_numpy(image).permute(2, 0, 1).double() / 255
            result = expected(kind, tensor, case).permute(1, 2, 0).contiguous()
            file.write(image.tobytes() + result.numpy().astype("<f4").tobytes())
            lines.append(" ".join([kind, str(channels), str(side)] + ["%g" % v for v in case]))
    with open(os.path.join(folder, "cases.txt"), "w") as file:
        file.write("\n".join(lines) + "\n")


main()
