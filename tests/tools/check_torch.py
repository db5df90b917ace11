#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Loads a result folder's model.safetensors into torchvision and compares probabilities.

usage: check_torch.py RESULT_FOLDER IMAGE_FOLDER MODEL   (needs python3-torch, python3-torchvision)

The run must have kept the published head (strategy partial, full or scratch; or a network whose head
is one linear map). What remains of a difference is the decoding of JPEG.
"""
import csv, json, struct, sys
import numpy as np, torch, torchvision
from PIL import Image
run, folder, name = sys.argv[1:4]
data = open(run + "/model.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
meta = json.loads(header.pop("__metadata__")["xenograft.model"])
state = {k: torch.from_numpy(np.frombuffer(data[8 + size:], dtype="<f4", count=int(np.prod(v["shape"])),
         offset=v["data_offsets"][0]).reshape(v["shape"]).copy()) for k, v in header.items()}
net = getattr(torchvision.models, name)(num_classes=len(meta["classes"])).eval()
print(net.load_state_dict(state, strict=True))
p = meta["preprocess"]
T = torchvision.transforms
prep = T.Compose([T.ToTensor(), T.Resize(p["resize_px"], antialias=True), T.CenterCrop(p["size_px"]), T.Normalize(p["mean"], p["std"])])
worst = 0
for row in list(csv.DictReader(open(run + "/predictions.csv")))[:40]:
    x = prep(Image.open(folder + "/" + row["path"]).convert("RGB"))[None]
    with torch.no_grad(): q = net(x).softmax(1)[0]
    worst = max(worst, max(abs(float(row["prob:" + c]) - q[i].item()) for i, c in enumerate(meta["classes"])))
print("largest difference of probabilities over 40 images:", worst)
