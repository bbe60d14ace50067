# SPDX-License-Identifier: BSD-3-Clause
"""The blurs beside SciPy, OpenCV and PyTorch."""

import subprocess
import sys
from pathlib import Path
from statistics import median

from common import THREADS, agree, alternate, mb, ms, table, timed, verdict

import cv2
import numpy as np
import scipy.ndimage
import torch


def torch_uniform(x, sigma, radius):
    """Separable conv2d with the borders reflected (edge pixel repeated)."""
    at = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel /= kernel.sum()

    def border(n):
        i = torch.arange(-radius, n + radius) % (2 * n)
        return torch.where(i < n, i, 2 * n - 1 - i)

    with torch.no_grad():
        image = torch.from_numpy(x)[None, None]
        image = image.index_select(2, border(x.shape[0]))
        image = torch.nn.functional.conv2d(image, kernel.view(1, 1, -1, 1))
        image = image.index_select(3, border(x.shape[1]))
        return torch.nn.functional.conv2d(image, kernel.view(1, 1, 1, -1))[0, 0].numpy()


def bench_uniform(ours, rounds):
    """Rows of the uniform table."""
    x = np.random.default_rng(1).random((2048, 2048), np.float32)
    asked = {1: 2, 3: 4, 8: 6, 20: 6}
    for sigma, times in asked.items():
        radius = max(1, int(4 * sigma + 0.5))
        size = 2 * radius + 1
        sides = {
            "ours 2": lambda: ours.uniform(x, sigma, 2),
            "cv2": lambda: timed(lambda: cv2.GaussianBlur(x, (size, size), sigma, sigmaY=sigma,
                                                          borderType=cv2.BORDER_REFLECT)),
            "ours 1": lambda: ours.uniform(x, sigma, 1),
            "scipy": lambda: timed(lambda: scipy.ndimage.gaussian_filter(
                x, sigma, truncate=4, mode="reflect")),
            "torch": lambda: timed(lambda: torch_uniform(x, sigma, radius)),
        }
        s = alternate(f"uniform sigma {sigma}", sides, rounds, 1e-5)
        two = s["ours 2"]
        yield [f"sigma {sigma}", ms(s["ours 1"]), ms(two), f"{s['ours 1'] / two:.2f}x",
               f"{ms(s['cv2'])} = {verdict(s['cv2'] / two, times)}",
               f"{ms(s['scipy'])} = {verdict(s['scipy'] / two, 15)}",
               f"{ms(s['torch'])} = {s['torch'] / two:.1f}x"]


def isotropic_field(shape):
    """Sigma from 0.5 at the top left to 8 at the bottom right, (1, H, W)."""
    y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    return (0.5 + 7.5 * (y + x) / 2)[None].astype(np.float32)


def logchol_field(shape):
    """The same ramp along a swirling major axis, half of it across, (3, H, W)."""
    major = isotropic_field(shape)[0].astype(np.float64)
    minor = major / 2
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    angle = np.arctan2(y, x) + 2 * np.hypot(y, x)
    c, s = np.cos(angle), np.sin(angle)
    yy = (s * major) ** 2 + (c * minor) ** 2
    yx = s * c * (major**2 - minor**2)
    xx = (c * major) ** 2 + (s * minor) ** 2
    a = np.log(yy) / 2
    b = yx / np.sqrt(yy)
    return np.stack([a, b, np.log(xx - b * b) / 2]).astype(np.float32)


def im2col(folder, kind, radius, x, field):
    """One evaluation of the peer in its own process: seconds, bytes risen, results."""
    np.save(folder / "x.npy", x)
    np.save(folder / "field.npy", field)
    done = subprocess.run([sys.executable, Path(__file__).with_name("im2col.py"), kind, str(radius), "x.npy",
                           "field.npy", "out.npz"], cwd=folder, check=True, text=True,
                          stdout=subprocess.PIPE)
    seconds, risen = map(float, done.stdout.split())
    with np.load(folder / "out.npz") as file:
        return seconds, risen, list(file.values())


def bench_adaptive(ours, rounds, quick):
    """Rows of the adaptive table."""
    shape = (512, 512)
    x = np.random.default_rng(2).random(shape, np.float32)
    radius = 16  # ceil(2 * 8), the peer's one radius
    for kind, field, gradient, goal in (("isotropic", isotropic_field(shape), False, 1500),
                                        ("logchol", logchol_field(shape), True, 400)):
        ours.restart()
        ours.adaptive(x[:64, :64], field[:, :64, :64], THREADS, 2, 0, gradient)  # starts threads
        own = [ours.adaptive(x, field, THREADS, 2, 0, gradient) for _ in range(rounds + 1)]
        risen = max(sample[1] for sample in own)
        one = median(ours.adaptive(x, field, 1, 2, 0, gradient)[0] for _ in range(rounds))
        common = [ours.adaptive(x, field, THREADS, 2, radius, gradient) for _ in range(rounds)]
        two = median(sample[0] for sample in own[1:])
        row = [f"{kind}, forward{' + vjp' if gradient else ''}", ms(one), ms(two), mb(risen),
               ms(median(sample[0] for sample in common))]
        if quick:
            yield [*row, "not run", "", ""]
            continue
        peers = []
        for _ in range(3):
            peers.append(im2col(ours.folder, kind, radius, x, field)[:2])
            own.append(ours.adaptive(x, field, THREADS, 2, 0, gradient))
        *_, results = im2col(ours.folder, kind, radius, x, field)
        for mine, peer in zip(common[0][2], results, strict=True):
            agree(f"adaptive {kind}", mine, peer, 1e-4 if gradient else 1e-5)
        two = median(sample[0] for sample in own[1:])
        seconds = median(p[0] for p in peers)
        row[2] = ms(two)
        yield [*row, ms(seconds), mb(max(p[1] for p in peers)), verdict(seconds / two, goal)]


def bench_exact(ours, rounds):
    """Rows of the arithmetic table: flops of the two-dimensional kernel, per core."""
    sigma = 8 * np.random.default_rng(3).uniform(0.9, 1.1, (1, 512, 512)).astype(np.float32)
    x = np.random.default_rng(4).random(sigma.shape[1:], np.float32)
    r = np.maximum(1, np.floor(4 * sigma.astype(np.float64) + 0.5))
    gflop = 2e-9 * ((2 * r + 1) ** 2).sum()
    ours.adaptive(x, sigma, THREADS, 4)
    for threads in (1, 2):
        seconds, peaks = [], []
        for _ in range(rounds):
            peaks.append(float(ours.ask("peak")[0]))
            seconds.append(ours.adaptive(x, sigma, threads, 4)[0])
        rate = gflop / median(seconds) / threads
        peak = median(peaks)
        yield [str(threads), ms(median(seconds)), f"{rate:.1f}", f"{peak:.0f}",
               f"{100 * rate / peak:.0f} %", "60" + ("" if rate >= 60 else ", **missed**")]


def report(ours, rounds, quick):
    """The tables, as Markdown, section by section."""
    yield ("**Uniform**, 2048 x 2048, truncate 4, reflect. Ratios: peer / ours on 2 threads.\n\n")
    yield table(["", "ours, 1 thread", "ours, 2 threads", "2 against 1", "cv2.GaussianBlur",
                 "scipy.ndimage.gaussian_filter", "torch conv2d, separable"],
                bench_uniform(ours, rounds))
    yield ("\n**Adaptive**, 512 x 512, sigma from 0.5 to 8 (logchol: along a swirling axis, half of"
           " it\nacross), zero beyond the border, truncate 2. The peer gives every pixel the largest"
           " radius, 16;\nfor comparison, ours with that radius is timed as well.\n\n")
    yield table(["", "ours, 1 thread", "ours, 2 threads", "extra memory", "ours, radius 16",
                 "torch im2col", "its memory", "ratio"], bench_adaptive(ours, rounds, quick))
    yield ("\n**Exact isotropic**, 512 x 512, sigma 8 +- 10 % noise, truncate 4; two flops per tap of"
           " the\ntwo-dimensional kernel. The peak is that of multiply-adds in registers.\n\n")
    yield table(["threads", "time", "GFLOP/s per core", "peak of a core", "of the peak", "goal"],
                bench_exact(ours, rounds))
