#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""One iteration of Adamax on a field of Gaussians, by im2col and matrix products in PyTorch.

    adamax_im2col.py KIND RADIUS X TARGET START OUT    KIND: isotropic (of log sigma) or logchol

X, TARGET (H, W) and START (C, H, W) are .npy files of float32. Prints the seconds and the rise of
resident memory in bytes; writes the gradient at START to OUT (.npy). One iteration in one fresh
process, so that the memory is its own.
"""

import resource
import sys
import time

import numpy as np
import torch
from im2col import isotropic_kernels, local_filter, logchol_kernels, resident


def iterate(kind, radius, x, target, parameters, optimiser):
    """One step on the mean squared error between the blurred x and the target."""
    theta = parameters.flatten(1).T
    kernels = (isotropic_kernels(theta[:, 0].exp(), radius) if kind == "isotropic"
               else logchol_kernels(theta, radius))
    loss = (local_filter(x, kernels) - target).square().mean()
    loss.backward()
    optimiser.step()


def main():
    kind, radius, *paths, out_path = sys.argv[1:]
    torch.set_num_threads(2)
    x, target, start = (torch.from_numpy(np.load(path)) for path in paths)
    x, target = x[None, None], target[None, None]

    def run(radius, side):
        parameters = torch.nn.Parameter(start[:, :side, :side].clone())
        optimiser = torch.optim.Adamax([parameters], lr=0.1)
        iterate(kind, radius, x[..., :side, :side], target[..., :side, :side], parameters,
                optimiser)
        return parameters.grad

    run(1, 8)  # loads the libraries
    before = resident()
    begin = time.perf_counter()
    gradient = run(int(radius), max(x.shape))
    seconds = time.perf_counter() - begin
    np.save(out_path, gradient.numpy())
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before)


if __name__ == "__main__":
    main()
