# SPDX-License-Identifier: BSD-3-Clause
"""One iteration of learning a field of Gaussians, beside PyTorch."""

import subprocess
import sys
from pathlib import Path
from statistics import median

from blur import isotropic_field, logchol_field
from common import THREADS, agree, mb, ms, table, verdict

import numpy as np

SHAPE = (512, 512)
RADIUS = 16  # ceil(2 * 8), the peer's one radius
GOAL = 300


def peer(folder, kind, x, target, start):
    """One iteration in its own process: seconds, bytes risen, gradient."""
    for name, array in (("x", x), ("target", target), ("start", start)):
        np.save(folder / f"{name}.npy", array)
    done = subprocess.run([sys.executable, Path(__file__).with_name("adamax_im2col.py"), kind,
                           str(RADIUS), "x.npy", "target.npy", "start.npy", "gradient.npy"],
                          cwd=folder, check=True, text=True, stdout=subprocess.PIPE)
    seconds, risen = map(float, done.stdout.split())
    return seconds, risen, np.load(folder / "gradient.npy")


def bench_adamax(ours, rounds, quick):
    """Rows of the table."""
    x, target = np.random.default_rng(5).random((2, *SHAPE), np.float32)
    for kind, start in (("isotropic", np.log(isotropic_field(SHAPE))),
                        ("logchol", logchol_field(SHAPE))):
        ours.restart()
        corner = (slice(64), slice(64))
        ours.adamax(x[corner], target[corner], start[:, *corner], THREADS)  # starts threads
        own = [ours.adamax(x, target, start, THREADS) for _ in range(rounds)]
        one = median(ours.adamax(x, target, start, 1)[0] for _ in range(rounds))
        common = [ours.adamax(x, target, start, THREADS, RADIUS) for _ in range(rounds)]
        row = [kind, ms(one), ms(median(sample[0] for sample in own)),
               mb(max(sample[1] for sample in own)), ms(median(sample[0] for sample in common))]
        if quick:
            yield [*row, "not run", "", ""]
            continue
        peers = []
        for _ in range(3):
            peers.append(peer(ours.folder, kind, x, target, start))
            own.append(ours.adamax(x, target, start, THREADS))
        agree(f"Adamax, {kind}", common[0][2], peers[0][2], 1e-4)
        two = median(sample[0] for sample in own)
        seconds = median(p[0] for p in peers)
        row[2] = ms(two)
        yield [*row, ms(seconds), mb(max(p[1] for p in peers)), verdict(seconds / two, GOAL)]


def report(ours, rounds, quick):
    """The table, as Markdown."""
    yield ("**Learning**, one iteration of Adamax on a field of Gaussians: 512 x 512, sigma from 0.5"
           " to 8 as\nabove, zero beyond the border, truncate 2; the mean squared error, its gradient"
           " by automatic\ndifferentiation, and the step.\n\n")
    yield table(["", "ours, 1 thread", "ours, 2 threads", "extra memory", "ours, radius 16",
                 "torch im2col", "its memory", "ratio"], bench_adamax(ours, rounds, quick))
