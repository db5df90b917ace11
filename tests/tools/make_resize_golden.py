#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Makes the images of tests/data/images and what Pillow makes of them.

Usage: make_resize_golden.py CHEST_XRAY_FOLDER TESTS_DATA_FOLDER

Each line of resize/cases.txt is `image filter shorter crop file`; `file` holds crop x crop x channels
bytes: the image resized as torchvision's Resize(shorter) and cut as its CenterCrop(crop), by Pillow.
Needs Pillow and NumPy.
"""
import os
import shutil
import sys

import numpy as np
from PIL import Image

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


def waves(height, width, channels, seed):
    """Smooth waves, an edge and noise, so that filters differ."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        wave = 0.5 + 0.3 * np.sin(x / (3.0 + c)) * np.cos(y / (5.0 - c))
        wave[height // 3 :, width // 2 :] = 1.0 - 0.8 * wave[height // 3 :, width // 2 :]
        planes.append(wave + rng.normal(0, 0.08, wave.shape))
    return np.clip(np.stack(planes, -1), 0, 1)


def make_images(folder, chest):
    for name, source in (("xray0.jpeg", "normal/0.jpeg"), ("xray1.jpeg", "pneumonia/1.jpeg")):
        shutil.copyfile(os.path.join(chest, source), os.path.join(folder, name))
    colour = (waves(67, 101, 3, 1) * 255).round().astype(np.uint8)
    grey = (waves(131, 45, 1, 2)[..., 0] * 255).round().astype(np.uint8)
    small = (waves(13, 9, 3, 3) * 255).round().astype(np.uint8)
    Image.fromarray(colour).save(os.path.join(folder, "colour.png"), optimize=True)
    Image.fromarray(grey).save(os.path.join(folder, "grey.png"), optimize=True)
    Image.fromarray(small).save(os.path.join(folder, "small.png"), optimize=True)
    Image.fromarray(small).save(os.path.join(folder, "small.bmp"))
    Image.fromarray(small).save(os.path.join(folder, "small.tga"))
    Image.fromarray(small).save(os.path.join(folder, "small_rle.tga"), rle=True)
    Image.fromarray(small).save(os.path.join(folder, "small.ppm"))
    Image.fromarray(small).convert("L").save(os.path.join(folder, "small.pgm"))
    Image.fromarray(small).convert("P", palette=Image.ADAPTIVE).save(os.path.join(folder, "small.gif"))
    Image.fromarray(small).convert("P", palette=Image.ADAPTIVE).save(os.path.join(folder, "small_palette.png"))
    Image.fromarray(small).convert("1").save(os.path.join(folder, "small_bits.png"))
    Image.fromarray(small).save(os.path.join(folder, "small.jpg"), quality=90)
    Image.fromarray(small).save(os.path.join(folder, "small_progressive.jpg"), quality=90, progressive=True)
    Image.fromarray(small).convert("L").save(os.path.join(folder, "small_grey.jpg"), quality=90)
    alpha = np.concatenate([small, np.full(small.shape[:2] + (1,), 128, np.uint8)], -1)
    Image.fromarray(alpha).save(os.path.join(folder, "small_alpha.png"), optimize=True)
    y, x = np.mgrid[0:7, 0:11]
    deep = (x * 5957 + y * 37).astype(np.uint16)
    Image.fromarray(deep).save(os.path.join(folder, "deep.png"))
    with open(os.path.join(folder, "deep.pgm"), "wb") as f:
        f.write(b"P5 # 12 bit\n11 7\n4095\n" + (deep >> 4).astype(">u2").tobytes())


def expected(image, filter_name, shorter, crop):
    width, height = image.size
    if width <= height:
        size = (shorter, int(shorter * height / width))
    else:
        size = (int(shorter * width / height), shorter)
    resized = image.resize(size, FILTERS[filter_name])
    left, top = int(round((size[0] - crop) / 2.0)), int(round((size[1] - crop) / 2.0))
    return resized.crop((left, top, left + crop, top + crop))


def main():
    chest, data = sys.argv[1:3]
    images, golden = os.path.join(data, "images"), os.path.join(data, "resize")
    os.makedirs(images, exist_ok=True)
    os.makedirs(golden, exist_ok=True)
    make_images(images, chest)
    cases = [("xray0.jpeg", 64, 56), ("xray1.jpeg", 67, 61), ("colour.png", 32, 29),
             ("colour.png", 67, 64), ("colour.png", 90, 77), ("grey.png", 17, 16), ("grey.png", 64, 64),
             ("small.png", 40, 39)]
    with open(os.path.join(golden, "cases.txt"), "w", encoding="ascii") as listing:
        for name, shorter, crop in cases:
            for filter_name in FILTERS:
                with Image.open(os.path.join(images, name)) as image:
                    out = expected(image, filter_name, shorter, crop)
                file = f"{name.split('.')[0]}-{filter_name}-{shorter}-{crop}.bin"
                with open(os.path.join(golden, file), "wb") as f:
                    f.write(out.tobytes())
                listing.write(f"{name} {filter_name} {shorter} {crop} {file}\n")


if __name__ == "__main__":
    main()
