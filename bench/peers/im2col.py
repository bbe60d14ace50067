#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Adaptive blur by im2col and matrix products in PyTorch, every kernel of one common radius.

    im2col.py KIND RADIUS X FIELD OUT     KIND: isotropic (forward) or logchol (forward + gradients)

X (H, W) and FIELD (C, H, W) are .npy files of float32. Prints the seconds and the rise of resident
memory in bytes; writes [output, gradients...] to OUT (.npz). One evaluation in one fresh process,
so that the memory is its own.
"""

import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F


def isotropic_kernels(sigma, radius):
    """(P, k, k) sampled Gaussians, normalised, of P widths."""
    at = torch.arange(-radius, radius + 1, dtype=sigma.dtype)
    line = torch.exp(-0.5 * (at / sigma[:, None]) ** 2)
    line = line / line.sum(1, keepdim=True)
    return line[:, :, None] * line[:, None, :]


def logchol_kernels(theta, radius):
    """(P, k, k) sampled Gaussians, normalised, of P log-Cholesky parameters (P, 3)."""
    at = torch.arange(-radius, radius + 1, dtype=theta.dtype)
    a, b, c = (p[:, None, None] for p in theta.unbind(1))
    z1 = torch.exp(-a) * at[:, None]
    z2 = torch.exp(-c) * (at - b * z1)
    g = torch.exp(-0.5 * (z1**2 + z2**2))
    return g / g.sum((1, 2), keepdim=True)


def local_filter(x, kernels):
    """Filters x (1, 1, H, W), zero beyond the border, with one kernel per pixel (H*W, k, k)."""
    k = kernels.shape[-1]
    windows = F.unfold(x, k, padding=k // 2)  # (1, k*k, H*W)
    windows = windows.permute(0, 2, 1).contiguous().view(-1, 1, k * k)
    return torch.matmul(windows, kernels.reshape(-1, k * k, 1)).view(x.shape)


def evaluate(kind, radius, x, field):
    """The output, and for logchol the gradients of 1/2 |output|^2 by image and field."""
    theta = field.flatten(1).T  # (P, C)
    if kind == "isotropic":
        with torch.no_grad():
            return [local_filter(x, isotropic_kernels(theta[:, 0], radius))]
    x.requires_grad_()
    field.requires_grad_()
    out = local_filter(x, logchol_kernels(field.flatten(1).T, radius))
    out.backward(out.detach())
    return [out.detach(), x.grad, field.grad]


def resident():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024


def main():
    kind, radius, x_path, field_path, out_path = sys.argv[1:]
    torch.set_num_threads(2)
    x = torch.from_numpy(np.load(x_path))[None, None]
    field = torch.from_numpy(np.load(field_path))
    evaluate(kind, 1, x[..., :8, :8].clone(), field[:, :8, :8].clone())  # loads the libraries
    before = resident()
    begin = time.perf_counter()
    results = evaluate(kind, int(radius), x, field)
    seconds = time.perf_counter() - begin
    risen = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    np.savez(out_path, *[r.numpy().squeeze() for r in results])
    print(seconds, risen)


if __name__ == "__main__":
    main()
