#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Time from nothing to the prediction of one image: `xenograft predict` and a Python process.

start.py [--rounds N] [--network NAME] XENOGRAFT MODEL IMAGE

The Python process imports torch and torchvision, builds the network (mobilenet_v2), loads its state
from disk and computes the logits of one image (of random numbers: no decoder is needed). Both run
in alternation, after one run each that is not counted. The model is one of a study.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

PEER = """\
import sys
import torch, torchvision
network = getattr(torchvision.models, sys.argv[1])()
if len(sys.argv) > 3:
    torch.save(network.state_dict(), sys.argv[2])
else:
    network.load_state_dict(torch.load(sys.argv[2]))
    with torch.no_grad():
        print(network.eval()(torch.rand(1, 3, 224, 224)).argmax().item())
"""


def run(command):
    """Seconds on the wall clock and peak resident MiB."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit("start.py: %s: exit status %d" % (command[0], process.returncode))
    return seconds, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--network", default="mobilenet_v2")
    parser.add_argument("xenograft")
    parser.add_argument("model")
    parser.add_argument("image")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        state = os.path.join(folder, "state.pth")
        peer = [sys.executable, "-c", PEER, given.network, state]
        ours = [given.xenograft, "predict", given.model, given.image]
        run(peer + ["save"])
        run(peer)
        run(ours)
        pairs = [(run(ours), run(peer)) if i % 2 == 0 else (run(peer), run(ours))[::-1]
                 for i in range(given.rounds)]
    print("round    ours s   MiB   Python s   MiB   ratio")
    for i, (mine, theirs) in enumerate(pairs):
        print("%5d  %8.3f %5.0f   %8.3f %5.0f   %.3f" %
              ((i + 1,) + mine + theirs + (mine[0] / theirs[0],)))
    for name, pick in (("seconds", 0), ("memory", 1)):
        ratios = [mine[pick] / theirs[pick] for mine, theirs in pairs]
        print("%s: median %.3f and %.3f, ratio %.3f (%.3f to %.3f)" %
              (name, statistics.median(mine[pick] for mine, _ in pairs),
               statistics.median(theirs[pick] for _, theirs in pairs),
               statistics.median(ratios), min(ratios), max(ratios)))


if __name__ == "__main__":
    main()
