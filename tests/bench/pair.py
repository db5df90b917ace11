#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Runs `xenograft bench` and another program in alternation and prints the ratios of their speed.

pair.py [--rounds N] XENOGRAFT BACKBONE [OPTION of bench ...] -- PEER [ARGUMENT...]

The peer is any command; the last number that it prints is its images per second. Every round runs
both once, each first in every other round, so that what else the machine does hits both alike.
Peak memory is that of the processes, as the system counts it. Ratios are ours / theirs.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def run(command):
    """What the command prints, and the peak resident memory of its processes in MiB."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    except OSError as failure:
        sys.exit("pair.py: %s: %s" % (command[0], failure.strerror))
    text = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit("pair.py: %s: exit status %d" % (" ".join(command), process.returncode))
    return text, usage.ru_maxrss / 1024


def ours(command):
    text, memory = run(command)
    return json.loads(text)["images_per_second"], memory


def theirs(command):
    text, memory = run(command)
    numbers = NUMBER.findall(text)
    if not numbers or float(numbers[-1]) <= 0:
        sys.exit("pair.py: %s: expected images per second as the last number, found \"%s\"" %
                 (" ".join(command), text.strip()))
    return float(numbers[-1]), memory


def spread(values):
    return "minimum %.3f, median %.3f, maximum %.3f" % (
        min(values), statistics.median(values), max(values))


def main():
    words = sys.argv[1:]
    if "--" not in words:
        sys.exit(__doc__.strip() if "-h" in words or "--help" in words
                 else "pair.py: expected -- and the peer's command")
    split = words.index("--")
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("command")
    parser.add_argument("backbone")
    options, rest = parser.parse_known_args(words[:split])
    peer = words[split + 1:]
    if not peer or options.rounds < 1:
        parser.error("expected a peer's command behind -- and at least one round")
    us = [options.command, "bench", options.backbone, *rest, "--json"]
    speed, memory = [], []
    for number in range(options.rounds):
        if number % 2:
            peer_result, our_result = theirs(peer), ours(us)
        else:
            our_result, peer_result = ours(us), theirs(peer)
        speed.append(our_result[0] / peer_result[0])
        memory.append(our_result[1] / peer_result[1])
        print("round %d: %.2f and %.2f images/s, ratio %.3f; %.0f and %.0f MiB, ratio %.3f" %
              (number + 1, our_result[0], peer_result[0], speed[-1],
               our_result[1], peer_result[1], memory[-1]), flush=True)
    print("memory: " + spread(memory))
    print("speed: " + spread(speed))


if __name__ == "__main__":
    main()
