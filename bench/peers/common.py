# SPDX-License-Identifier: BSD-3-Clause
"""What the modules of run.py share: threads, clocks, comparisons, cells of tables.

Imported before the libraries it sets up.
"""

import os
import time
from statistics import median

os.environ["OMP_WAIT_POLICY"] = "passive"  # an idle peer must not take our core

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

THREADS = 2
SLOW = 0.5  # seconds; what takes longer is run once

cv2.setNumThreads(THREADS)
torch.set_num_threads(THREADS)


def timed(function):
    """Seconds and result: once to warm up, then the median of three, as ours does."""
    begin = time.perf_counter()
    result = function()
    first = time.perf_counter() - begin
    if first > SLOW:
        return first, result
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return median(seconds), result


def alternate(what, sides, rounds, tolerance):
    """Seconds of every side, medians of `rounds`, in each of which every side is run in turn.

    A side is a function that returns its seconds and its result. The results of the first round are
    compared with those of the first side; what is slow is not run again.
    """
    first = {name: side() for name, side in sides.items()}
    expected = next(iter(first.values()))[1]
    for name, (_, result) in first.items():
        agree(f"{what}, {name}", expected, result, tolerance)
    seconds = {name: [taken] for name, (taken, _) in first.items()}
    del first, expected
    for _ in range(rounds - 1):
        for name, side in sides.items():
            if seconds[name][0] <= SLOW:
                seconds[name].append(side()[0])
    return {name: median(values) for name, values in seconds.items()}


def agree(what, ours, peer, tolerance):
    """Ends the run unless both sides computed the same."""
    error = np.abs(ours - peer).max() / np.abs(peer).max()
    if not error <= tolerance:
        raise SystemExit(f"{what}: the results differ by {error:.2g}, expected <= {tolerance:g}")


def verdict(ratio, asked):
    """A ratio, the goal, and whether it is met."""
    digits = 1 if ratio < 100 else 0
    return f"{ratio:.{digits}f}x (goal {asked}x{'' if ratio >= asked else ', **missed**'})"


def ms(seconds):
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1e3:.{1 if seconds >= 1e-2 else 2}f} ms"


def mb(number_of_bytes):
    """Resident memory is counted in pages that the kernel may also take back: never below 0."""
    return f"{max(number_of_bytes, 0) / 1e6:.1f} MB"


def table(head, rows):
    """Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
