# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Writes tests/data/jpeg: small JPEG files and, beside each, the pixels that Pillow reads from it.
Needs Pillow over libjpeg-turbo. Usage: make_jpeg_files.py FOLDER"""
import math
import os
import sys

from PIL import Image


def picture(mode, size):
    width, height = size
    planes = len(mode) if mode != "L" else 1
    image = Image.new(mode, size)
    values = []
    for y in range(height):
        for x in range(width):
            values.append(tuple(int(127 + 120 * math.sin(0.9 * x * (k + 1) / 5 + 0.7 * y / (k + 2)))
                                for k in range(planes)))
    image.putdata([v[0] for v in values] if planes == 1 else values)
    return image


def main(folder):
    files = {
        "grey": ("L", (19, 13), {}),
        "colour_444": ("RGB", (19, 13), {"subsampling": 0}),
        "colour_422": ("RGB", (17, 15), {"subsampling": 1}),
        "colour_420": ("RGB", (33, 21), {"subsampling": 2}),
        "progressive": ("RGB", (35, 27), {"progressive": True}),
        "one_pixel": ("RGB", (1, 1), {}),
        "cmyk": ("CMYK", (18, 10), {}),
    }
    for name, (mode, size, options) in files.items():
        path = os.path.join(folder, name + ".jpg")
        picture(mode, size).save(path, quality=83, **options)
        with Image.open(path) as image:
            image.convert("L" if mode == "L" else "RGB").save(
                os.path.join(folder, name + (".pgm" if mode == "L" else ".ppm")))


if __name__ == "__main__":
    main(sys.argv[1])
