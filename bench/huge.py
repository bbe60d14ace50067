#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Blurs an image of 20000 x 20000 floats by a map of sigmas from 0.5 to 30, from file to file by rows,
and holds the result against that of the whole image in memory.

    bench/huge.py build/release/blurfield [--side N] [--memory 500M] [--folder DIRECTORY]

Needs four times the image on disk, 6.4 GB, and for the comparison 7 GB of memory.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

STRIP = 64


def scene(y, x, random):
    """Waves of many lengths, and noise."""
    return (0.5 + 0.2 * np.sin(x / 3 + y / 700) * np.cos(y / 5) + 0.1 * np.sin(y / 90 + x / 130)
            + 0.2 * random.random(np.broadcast(y, x).shape, np.float32))


def sigma(y, x, side):
    """From 0.5 to 30 by ratios, with the edge of a disk, as at an object before a background."""
    unit = 0.5 + 0.25 * (np.sin(6 * y / side + x / side) + np.cos(4 * x / side))
    inside = (y - 0.6 * side) ** 2 + (x - 0.5 * side) ** 2 < (0.15 * side) ** 2
    return 0.5 * 60 ** np.where(inside, 0.2 * unit, unit)


def write(path, side, rows):
    """A TIFF of rows(y, x), strip by strip."""
    x = np.arange(side, dtype=np.float32)[None]

    def strips():
        for top in range(0, side, STRIP):
            y = np.arange(top, min(side, top + STRIP), dtype=np.float32)[:, None]
            yield np.ascontiguousarray(rows(y, x), np.float32)

    tifffile.imwrite(path, strips(), shape=(side, side), dtype=np.float32, rowsperstrip=STRIP,
                     photometric="minisblack")


def run(*command):
    """Seconds, and the most memory that it held, in bytes."""
    begin = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)))
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"huge: {command[0]} failed")
    return time.perf_counter() - begin, usage.ru_maxrss * 1024


def difference(a, b):
    return max(float(np.abs(a[y:y + STRIP] - b[y:y + STRIP]).max())
               for y in range(0, len(a), STRIP))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("blurfield")
    parser.add_argument("--side", type=int, default=20000)
    parser.add_argument("--memory", default="500M")
    parser.add_argument("--folder", help="for the files, by default that for temporary ones")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        image, field, bands, whole = (Path(folder, name + ".tif")
                                      for name in ("huge", "map", "bands", "whole"))
        random = np.random.default_rng(9)
        write(image, arguments.side, lambda y, x: scene(y, x, random))
        write(field, arguments.side, lambda y, x: sigma(y, x, arguments.side))
        blur = (arguments.blurfield, "blur", image)
        options = ("--sigma-map", field, "--tolerance", "1e-3")
        seconds, memory = run(*blur, bands, *options, "--memory", arguments.memory)
        print(f"by rows: {seconds:.1f} s, {memory / 1e6:.0f} MB resident at most", flush=True)
        seconds, memory = run(*blur, whole, *options, "--memory", "1T")
        print(f"in one piece: {seconds:.1f} s, {memory / 1e6:.0f} MB", flush=True)
        print(f"largest difference: {difference(tifffile.imread(bands), tifffile.imread(whole)):.1e}")


if __name__ == "__main__":
    main()
