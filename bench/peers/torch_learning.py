#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Times learning a field of Gaussians in PyTorch: blurfield.torch beside im2col, in one run.

    torch_learning.py [--rounds 3]      with the package blurfield on PYTHONPATH

One iteration of Adamax at 512 x 512 (document 000): blur, mean squared error, its gradient by
autograd, step. Every sample is a process of its own, the sides in turn; a sample of ours is the
median of 20 iterations, one of im2col is one iteration. The gradients are compared first, with
im2col's one radius on both sides. Prints a table of medians.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from im2col import resident

ITERATIONS = 20


def peak():
    """The most resident memory so far; getrusage would count the parent's in."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024


def sample(kind, radius, x_path, target_path, start_path, out_path):
    """One sample of ours, as adamax_im2col.py's: prints seconds, bytes risen; writes the gradient.

    Radius 0: each pixel's own, 2 sigma.
    """
    import blurfield.torch
    torch.set_num_threads(2)
    x, target, start = (torch.from_numpy(np.load(p)) for p in (x_path, target_path, start_path))
    keywords = {"truncate": 2, "mode": "constant", "radius": int(radius) or None}

    def run(side, iterations):
        part = (Ellipsis, slice(side), slice(side))
        field = torch.nn.Parameter(start[part].clone())
        optimiser = torch.optim.Adamax([field], lr=1e-3)  # widths, and so work, stay the start's
        seconds, first = [], None
        for _ in range(iterations):
            begin = time.perf_counter()
            optimiser.zero_grad()
            given = {"sigma": field[0].exp()} if kind == "isotropic" else {"logchol": field}
            blurred = blurfield.torch.adaptive_blur(x[part], **given, **keywords)
            (blurred - target[part]).square().mean().backward()
            optimiser.step()
            seconds.append(time.perf_counter() - begin)
            first = field.grad.clone() if first is None else first
        return median(seconds), first

    run(64, 1)  # loads the libraries, starts the threads
    before = resident()
    seconds, gradient = run(x.shape[-1], ITERATIONS)
    np.save(out_path, gradient.numpy())
    print(seconds, peak() - before)


def ours(folder, kind, radius, arrays):
    """A sample in its own process: seconds, bytes risen, gradient."""
    for name, array in zip(("x", "target", "start"), arrays):
        np.save(folder / f"{name}.npy", array)
    done = subprocess.run([sys.executable, Path(__file__).resolve(), "sample", kind, str(radius),
                           "x.npy", "target.npy", "start.npy", "gradient.npy"],
                          cwd=folder, check=True, text=True, stdout=subprocess.PIPE)
    seconds, risen = map(float, done.stdout.split())
    return seconds, risen, np.load(folder / "gradient.npy")


def rows(folder, rounds):
    """Rows of the table."""
    from blur import isotropic_field, logchol_field
    from common import agree, mb, ms, verdict
    from learn import RADIUS, SHAPE, peer
    x, target = np.random.default_rng(5).random((2, *SHAPE), np.float32)
    for kind, start in (("isotropic", np.log(isotropic_field(SHAPE))),
                        ("logchol", logchol_field(SHAPE))):
        arrays = (x, target, start)
        own, common, peers = [], [], []
        for _ in range(rounds):
            own.append(ours(folder, kind, 0, arrays))
            peers.append(peer(folder, kind, *arrays))
            common.append(ours(folder, kind, RADIUS, arrays))
        agree(f"gradient, {kind}", common[0][2], peers[0][2], 1e-4)
        mine, other = (median(s[0] for s in samples) for samples in (own, peers))
        yield [kind, ms(mine), mb(max(s[1] for s in own)), ms(median(s[0] for s in common)),
               ms(other), mb(max(s[1] for s in peers)), verdict(other / mine, 100)]


def main():
    from common import table
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        print(f"PyTorch {torch.__version__}, 2 threads, medians of {rounds} rounds.\n")
        print(table(["", "blurfield.torch", "extra memory", "with radius 16", "im2col",
                     "its memory", "ratio"], rows(Path(folder), rounds)), end="")


if __name__ == "__main__":
    if sys.argv[1:2] == ["sample"]:
        sample(*sys.argv[2:])
    else:
        main()
