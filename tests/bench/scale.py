#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""What an image costs in studies of more and more images.

scale.py [-s SECTION.KEY=VALUE ...] [--keep FOLDER] XENOGRAFT [COUNT ...]

Makes 64 x 64 grey images of two classes, stripes in noise, and runs a study with each count of them
(624, 6000, 60000), first on an empty cache of features on disk, then on what that run left, then
with the cache in memory. Prints the time by activity, the same per image, the most memory that the
process had resident and had of its own (not pages of files, which the system may take back; seen
fifty times a second), and the bytes of the cache and of the result folder.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

SIDE = 64
CLASSES = ("across", "along")
RUNS = (("disk", "disk"), ("again", "disk"), ("memory", "memory"))

STUDY = """\
[study]
name = scale
output = {output}
[data]
images = {images}
patient = none
size = 64
cache = {cache}
[backbone]
plugin = squeezenet1_1
weights = random
[strategy]
plugin = frozen
epochs = 5
patience = 0
"""


def write_images(folder, begin, end):
    """Images begin..end - 1 as PGM files; the same ones at each call."""
    for name in CLASSES:
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    stripe = bytes(64 if (i // 8) % 2 else 0 for i in range(SIDE))
    picture = {"along": stripe * SIDE,
               "across": b"".join(bytes([stripe[y]]) * SIDE for y in range(SIDE))}
    stripes = {name: int.from_bytes(rows, "big") for name, rows in picture.items()}
    noise_mask = int.from_bytes(b"\x7f" * (SIDE * SIDE), "big")
    for i in range(begin, end):
        name = CLASSES[i % len(CLASSES)]
        noise = random.Random(i).getrandbits(8 * SIDE * SIDE) & noise_mask
        path = os.path.join(folder, name, "%06d.pgm" % i)
        with open(path, "wb") as file:
            file.write(b"P5 %d %d 255\n" % (SIDE, SIDE))
            file.write((noise + stripes[name]).to_bytes(SIDE * SIDE, "big"))


def folder_bytes(folder):
    return sum(os.path.getsize(os.path.join(place, name))
               for place, _, names in os.walk(folder) for name in names)


def own_memory(process):
    """Resident MiB that are no pages of files; 0 once the process has ended."""
    try:
        with open("/proc/%d/status" % process.pid, encoding="utf-8") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["RssAnon"].split()[0]) / 1024
    except (OSError, KeyError):
        return 0


def run_study(xenograft, study, settings, environment):
    """Seconds on the wall clock, on the processor, and the most resident MiB: all, own."""
    command = [xenograft, "run", study]
    for setting in settings:
        command += ["-s", setting]
    start = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        ended, own = 0, 0
        while not ended:
            own = max(own, own_memory(process))
            time.sleep(0.02)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            sys.exit("scale.py: exit status %d\n%s" %
                     (process.returncode, said.read().decode(errors="replace")[-2000:]))
    return (time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, own)


def report(count, name, measured, output, cache):
    wall, busy, memory, own = measured
    with open(os.path.join(output, "result.json"), encoding="utf-8") as file:
        timings = json.load(file)["timings"]
    print("%6d images, %-6s  %8.2f s  %7.0f us/image  processor %7.0f us/image  peak %5.0f MiB"
          " (own %4.0f)  cache %6.1f MiB  results %6.1f MiB" %
          (count, name, wall, wall / count * 1e6, busy / count * 1e6, memory, own,
           folder_bytes(cache) / 2**20, folder_bytes(output) / 2**20))
    for timing in timings:
        print("    %-24s %8.2f s  %7.0f us/image" %
              (timing["name"], timing["seconds"], timing["seconds"] / count * 1e6))
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("-s", action="append", default=[], dest="settings")
    parser.add_argument("--keep", help="an existing folder for the images and results")
    parser.add_argument("xenograft")
    parser.add_argument("counts", nargs="*", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or temporary
        images, made = os.path.join(folder, "images"), 0
        for count in sorted(given.counts or (624, 6000, 60000)):
            write_images(images, made, count)
            made = count
            cache = os.path.join(folder, "cache-%d" % count)
            environment = dict(os.environ, XDG_CACHE_HOME=cache)
            for name, kind in RUNS:
                output = os.path.join(folder, "run-%d-%s" % (count, name))
                study = output + ".ini"
                with open(study, "w", encoding="utf-8") as file:
                    file.write(STUDY.format(output=output, images=images, cache=kind))
                measured = run_study(given.xenograft, study, given.settings, environment)
                report(count, name, measured, output, cache)


if __name__ == "__main__":
    main()
