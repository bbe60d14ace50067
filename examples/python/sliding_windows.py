#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sliding windows as views, one convolution in many ways, a bank of filters, and timings.

    python3 sliding_windows.py [OUT_DIR]
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Callable

import numpy as np
from common import Array, Outcome, curves, images, need, run

import blurfield

need("scipy", "PIL")

from scipy import signal  # noqa: E402

# A handwritten zero, 0..16.
DIGIT = np.array([[0, 0, 5, 13, 9, 1, 0, 0],
                  [0, 0, 13, 15, 10, 15, 5, 0],
                  [0, 3, 15, 2, 0, 11, 8, 0],
                  [0, 4, 12, 0, 0, 8, 8, 0],
                  [0, 5, 8, 0, 0, 9, 8, 0],
                  [0, 4, 11, 0, 1, 12, 7, 0],
                  [0, 2, 14, 5, 10, 12, 0, 0],
                  [0, 0, 6, 13, 10, 0, 0, 0]], np.float64)


def apart(a: Array, b: Array) -> float:
    """The greatest difference over the greatest value of b."""
    return float(np.abs(a - b).max() / np.abs(b).max())


# All windows of an image are a view of it with two more axes; nothing is copied.
def show_windows(photo: Array, out: Path) -> bool:
    small = np.arange(25.0).reshape(5, 5)
    for stride in (1, 2):
        windows = blurfield.sliding_window(small, 3, stride)
        print(f"5 x 5, window 3, stride {stride}: {windows.shape}")
    n = 4
    stride = photo.shape[0] // n
    views = blurfield.sliding_window(photo, photo.shape[0] - stride * (n - 1), stride)
    print(f"{photo.shape[0]} x {photo.shape[1]}, window {views.shape[-1]}, stride {stride}: "
          f"{views.shape}")
    images(out / "photograph.png", [("", photo)], size=5)
    images(out / "views.png", [("", view) for row in views for view in row], columns=n, size=1.6,
           vmin=0, vmax=1)
    return bool(np.shares_memory(views, photo) and np.array_equal(
        views[1, 2], photo[stride:stride + views.shape[2], 2 * stride:2 * stride + views.shape[3]]))


# out(i, j) = sum over (k, l) of x(i + k, j + l) w(k, l), where the kernel lies within the image.
def step_by_step(x: Array, kernel: Array) -> Array:
    height, width = (n - k + 1 for n, k in zip(x.shape, kernel.shape))
    out = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            for k in range(kernel.shape[0]):
                for l in range(kernel.shape[1]):  # noqa: E741
                    out[i, j] += x[i + k, j + l] * kernel[k, l]
    return out


def by_windows(x: Array, kernel: Array) -> Array:
    return np.asarray(np.einsum("ijkl,kl->ij", blurfield.sliding_window(x, kernel.shape), kernel))


def by_tensordot(x: Array, kernel: Array) -> Array:
    return np.tensordot(blurfield.sliding_window(x, kernel.shape), kernel, axes=2)


def by_im2col(x: Array, kernel: Array) -> Array:
    columns = blurfield.im2col(x, kernel.shape, output="valid")
    return np.asarray(kernel.ravel() @ columns).reshape(
        [n - k + 1 for n, k in zip(x.shape, kernel.shape)])


def by_fft(x: Array, kernel: Array) -> Array:
    return blurfield.fftconvolve(x, kernel[::-1, ::-1], "valid")


def by_correlate(x: Array, kernel: Array) -> Array:
    same = blurfield.correlate(x, kernel, mode="constant")
    (top, left), (height, width) = (k // 2 for k in kernel.shape), kernel.shape
    return same[top:top + x.shape[0] - height + 1, left:left + x.shape[1] - width + 1]


WAYS: dict[str, Callable[[Array, Array], Array]] = {
    "einsum over windows": by_windows, "tensordot": by_tensordot,
    "im2col and a product": by_im2col, "fftconvolve, kernel turned": by_fft,
    "correlate": by_correlate}


def show_digit(out: Path) -> float:
    kernel = blurfield.make_filter("gaussian", 5, 1)
    steps = step_by_step(DIGIT, kernel)
    errors = {name: apart(way(DIGIT, kernel), steps) for name, way in WAYS.items()}
    for name, error in errors.items():
        print(f"{name:27} difference from four loops {error:.1e}")
    images(out / "digit.png", [("The digit", DIGIT), ("The kernel", kernel), ("The result", steps)],
           cmap="gray_r")
    return max(errors.values())


# The whole bank in one product: (taps, windows) columns under (filters, taps) weights.
def show_bank(photo: Array, out: Path) -> tuple[float, int]:
    bank = {f.name: f.kernel(7, 1) for f in blurfield.filter_bank()}
    # Each over its own range, 0 in the middle.
    images(out / "bank.png", [(name, kernel / max(np.abs(kernel).max(), 1e-9))
                              for name, kernel in bank.items()],
           columns=5, size=1.8, cmap="gray_r", vmin=-1, vmax=1)
    columns = blurfield.im2col(photo, 7, output="valid")
    stacked = np.stack([kernel.ravel() for kernel in bank.values()])
    results = (stacked @ columns).reshape(-1, *(n - 6 for n in photo.shape))
    error = max(apart(by_correlate(photo, kernel), result) if kernel.any() else
                float(np.abs(result).max()) for kernel, result in zip(bank.values(), results))
    images(out / "filtered.png", list(zip(bank, results)), columns=5, size=2.2)
    print(f"{len(bank)} filters in one product and one by one: difference {error:.1e}")
    return error, len(bank)


# Correlation and convolution agree where the kernel looks the same turned by 180 degrees.
def compare_with_convolution(photo: Array) -> dict[str, tuple[bool, float, float]]:
    found = {}
    for name in ("gaussian", "laplacian", "vertical", "sobel-x", "emboss"):
        kernel = blurfield.make_filter(name, 7, 1)
        turned = np.rot90(kernel, 2)
        convolved = signal.fftconvolve(photo, kernel, mode="same")
        straight = apart(blurfield.correlate(photo, kernel, mode="constant"), convolved)
        back = apart(blurfield.correlate(photo, turned, mode="constant"), convolved)
        found[name] = bool(np.allclose(kernel, turned)), straight, back
        print(f"{name:10} difference of correlation from convolution {straight:.1e}, with the "
              f"kernel turned {back:.1e}")
    return found


def milliseconds(function: Callable[[], Array]) -> float:
    """The fastest of some runs that take about a tenth of a second."""
    times: list[float] = []
    while len(times) < 2 or (sum(times) < 0.1 and len(times) < 20):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return 1e3 * min(times)


def scipy_fft(x: Array, kernel: Array) -> Array:
    return np.asarray(signal.fftconvolve(x, kernel[::-1, ::-1], mode="valid"))


def measure(photo: Array, out: Path, rng: np.random.Generator) -> dict[str, list[float]]:
    sizes = (3, 5, 7, 11, 15, 21, 31)
    ways = {"einsum over windows": by_windows, "im2col and a product": by_im2col,
            "scipy.signal.fftconvolve": scipy_fft, "blurfield.fftconvolve": by_fft,
            "blurfield.correlate": by_correlate}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    x = photo.astype(np.float32)
    for size in sizes:
        kernel = rng.standard_normal((size, size)).astype(np.float32)
        for name, way in ways.items():
            # The matrix of im2col holds size^2 images.
            too_large = way is by_im2col and size > 15
            taken[name].append(np.nan if too_large else
                               milliseconds(partial(way, x, kernel)))
    print(f"{'milliseconds, taps':26}" + "".join(f"{size:9}" for size in sizes))
    for name, times in taken.items():
        print(f"{name:26}" + "".join(f"{t:9.2f}" for t in times))
    curves(out / "timing.png", taken, sizes, "512 x 512 pixels, float32", (7, 4),
           xlabel="taps of the kernel along each axis", ylabel="milliseconds", yscale="log",
           ylim=(0.1, 1000))
    return taken


def main(out: Path) -> Outcome:
    photo = blurfield.datasets.ascent().astype(np.float64)
    views = show_windows(photo, out)
    digit_error = show_digit(out)
    bank_error, filters = show_bank(photo, out)
    symmetry = compare_with_convolution(photo)
    taken = measure(photo, out, np.random.default_rng(1337))
    return {"views": views, "digit error": digit_error, "bank error": bank_error,
            "filters": filters, "symmetry": symmetry, "milliseconds": taken}


if __name__ == "__main__":
    run(main)
