#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""The peer of a `frozen` study: a PyTorch loop over class folders with a new linear head.

torch_frozen.py FOLDER MODEL WEIGHTS.pth [--cache] [--epochs 10] [--batch 32] [--threads 2]

Without --cache every epoch decodes, resizes and passes every image through the network, as most
scripts do; with it each image passes once and epochs see feature vectors. 70/15/15 split, validation
after each epoch, test at the end. Prints seconds from the start of the process and the accuracy.
"""
import time

BEGIN = time.time()
import argparse
import os
import random

import torch
import torchvision
from PIL import Image
from torchvision import transforms

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("model")
parser.add_argument("weights")
parser.add_argument("--cache", action="store_true")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)

classes = sorted(d for d in os.listdir(args.folder) if os.path.isdir(os.path.join(args.folder, d)))
files = [(os.path.join(args.folder, c, f), i) for i, c in enumerate(classes)
         for f in sorted(os.listdir(os.path.join(args.folder, c)))]
random.Random(0).shuffle(files)
n = len(files)
parts = files[:int(0.7 * n)], files[int(0.7 * n):int(0.85 * n)], files[int(0.85 * n):]
prepare = transforms.Compose([
    transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])

net = getattr(torchvision.models, args.model)()
net.load_state_dict(torch.load(args.weights))
width = net.fc.in_features
net.fc = torch.nn.Identity()
net.eval().to(memory_format=torch.channels_last)
head = torch.nn.Linear(width, len(classes))
optimizer = torch.optim.SGD(head.parameters(), 1e-2, momentum=0.9)


def batches(rows):
    for i in range(0, len(rows), args.batch):
        yield rows[i:i + args.batch]


def features(rows):
    images = torch.stack([prepare(Image.open(path).convert("RGB")) for path, _ in rows])
    with torch.no_grad():
        return net(images.contiguous(memory_format=torch.channels_last))


def passes(part, shuffle):
    if not args.cache:
        rows = random.sample(part, len(part)) if shuffle else part
        for chunk in batches(rows):
            yield features(chunk), torch.tensor([label for _, label in chunk])
        return
    x, y = cached[id(part)]
    order = torch.randperm(len(y)) if shuffle else torch.arange(len(y))
    for chunk in order.split(args.batch):
        yield x[chunk], y[chunk]


def accuracy(part):
    with torch.no_grad():
        return sum(float((head(x).argmax(1) == y).sum()) for x, y in passes(part, False)) / len(part)


if args.cache:
    cached = {id(part): (torch.cat([features(c) for c in batches(part)]),
                         torch.tensor([label for _, label in part])) for part in parts}
for epoch in range(args.epochs):
    for x, y in passes(parts[0], True):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head(x), y).backward()
        optimizer.step()
    accuracy(parts[1])
print(f"{time.time() - BEGIN:.1f} s, accuracy {accuracy(parts[2]):.3f}")
