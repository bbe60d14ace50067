# SPDX-License-Identifier: BSD-3-Clause
"""The convolutions beside OpenCV, SciPy, PyTorch and NumPy."""

from common import SLOW, THREADS, alternate, mb, ms, table, timed, verdict

import cv2
import numpy as np
import scipy.fft
import scipy.ndimage
import scipy.signal
import torch
from numpy.lib.stride_tricks import sliding_window_view

ROUNDS = 4
TAPS = (3, 7, 15, 31, 63, 127)
METHODS = ("direct", "separable", "gemm", "fft")
DRAWN_TAPS = (3, 5, 7, 9, 11, 15, 19, 23, 31, 45, 63, 95, 127)
TOLERANCE = 1e-5
PANEL = 1 << 19  # bytes of a panel of im2col: in a core's cache
# The peers of one kernel and what their columns are called.
PEERS = {"cv2.filter2D": "cv2.filter2D", "fftconvolve": "scipy.signal.fftconvolve",
         "oaconvolve": "scipy.signal.oaconvolve",
         "scipy.ndimage.correlate": "scipy.ndimage.correlate", "torch conv2d": "torch conv2d",
         "einsum": "NumPy einsum", "fft_conv2d": "NumPy fft2"}
# The largest kernels that a slow peer is given, in a whole and in a quick run.
LARGEST = {"scipy.ndimage.correlate": (15, 7), "torch conv2d": (31, 15), "einsum": (63, 7),
           "fft_conv2d": (127, 15)}


def threaded_fft(function, x, kernel):
    """A convolution of scipy.signal, its transforms on as many threads as it gains from."""
    with scipy.fft.set_workers(THREADS):
        return function(x, kernel[::-1, ::-1], "same")


def torch_conv2d(x, bank):
    """(C, H, W) and (K, C, h, w) -> (K, H, W), zeros beyond the border."""
    padding = [n // 2 for n in bank.shape[2:]]
    with torch.no_grad():
        return torch.nn.functional.conv2d(torch.from_numpy(x)[None], torch.from_numpy(bank),
                                          padding=padding)[0].numpy()


def padded(x, taps):
    """Zeros around the last two axes, for odd kernels."""
    around = [(0, 0)] * (x.ndim - 2) + [(taps // 2, taps // 2)] * 2
    return np.pad(x, around)


def einsum_conv2d(x, kernel):
    """A contraction over the view of all windows."""
    windows = sliding_window_view(padded(x, len(kernel)), kernel.shape)
    return np.einsum("yxij,ij->yx", windows, kernel)


def fft_conv2d(x, kernel):
    """Complex transforms, padded to powers of two; multiplied, transformed back, cropped."""
    full = [n + k - 1 for n, k in zip(x.shape, kernel.shape, strict=True)]
    size = [1 << (n - 1).bit_length() for n in full]
    spectrum = np.fft.fft2(x, size) * np.fft.fft2(kernel[::-1, ::-1], size)
    top, left = (k // 2 for k in kernel.shape)
    return np.fft.ifft2(spectrum).real[top:top + x.shape[0], left:left + x.shape[1]]


def im2col(x, bank, rows):
    """The kernels times the windows of `rows` output rows at a time, packed: (K, H, W)."""
    count, channels, taps, _ = bank.shape
    height, width = x.shape[1:]
    windows = sliding_window_view(padded(x, taps), (channels, taps, taps))[0]
    weights = bank.reshape(count, -1)
    out = np.empty((count, height, width), np.float32)
    for y in range(0, height, rows):
        columns = np.moveaxis(windows[y:y + rows], (0, 1), (3, 4)).reshape(weights.shape[1], -1)
        out[:, y:y + rows] = (weights @ columns).reshape(count, -1, width)
    return out


def filter2d_bank(x, bank):
    """cv2.filter2D kernel by kernel, summed over the channels."""
    out = np.empty((len(bank), *x.shape[1:]), np.float32)
    for kernels, result in zip(bank, out, strict=True):
        cv2.filter2D(x[0], -1, kernels[0], dst=result, borderType=cv2.BORDER_CONSTANT)
        for plane, kernel in zip(x[1:], kernels[1:], strict=True):
            cv2.add(result, cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_CONSTANT),
                    dst=result)
    return out


def random_image(*shape):
    return np.random.default_rng(5).random(shape, np.float32)


def random_bank(*shape):
    return np.random.default_rng(6).standard_normal(shape, np.float32)


def single_peers(x, kernel, quick):
    """Every peer that correlates one plane with one kernel of this size.

    Like ours, those that can write to an array that is there already.
    """
    out = [np.empty_like(x), np.empty_like(x)]
    peers = {
        "cv2.filter2D": lambda: cv2.filter2D(x, -1, kernel, dst=out[0],
                                             borderType=cv2.BORDER_CONSTANT),
        "fftconvolve": lambda: threaded_fft(scipy.signal.fftconvolve, x, kernel),
        "oaconvolve": lambda: threaded_fft(scipy.signal.oaconvolve, x, kernel),
        "scipy.ndimage.correlate": lambda: scipy.ndimage.correlate(x, kernel, out[1], "constant"),
        "torch conv2d": lambda: torch_conv2d(x[None], kernel[None, None])[0],
        "einsum": lambda: einsum_conv2d(x, kernel),
        "fft_conv2d": lambda: fft_conv2d(x, kernel),
    }
    return {name: peer for name, peer in peers.items()
            if len(kernel) <= LARGEST.get(name, (127, 127))[quick]}


def bench_single(ours, rounds, quick):
    """Rows of the table of one random kernel."""
    for side in (2048, 512):
        copy = float(ours.ask("copy", side * side, THREADS)[0])
        x = random_image(side, side)
        for taps in TAPS:
            bank = random_bank(1, 1, taps, taps)
            peers = single_peers(x, bank[0, 0], quick)
            sides = {f"ours {n}": lambda n=n: first_plane(ours.correlate(x[None], bank, n))
                     for n in (THREADS, 1)}
            sides |= {name: lambda peer=peer: timed(peer) for name, peer in peers.items()}
            s = alternate(f"correlate {taps} x {taps}", sides, rounds, TOLERANCE)
            two = s[f"ours {THREADS}"]
            fastest = min(s[name] for name in peers)
            ran = ours.correlate(x[None], bank, THREADS, keep=False)[3]
            cells = [ms(s[name]) if name in s else "" for name in PEERS]
            yield [f"{side} x {side}", f"{taps} x {taps}", ms(s["ours 1"]), ms(two), ran,
                   single_verdict(fastest / two, copy / two, taps), *cells]


def first_plane(answer):
    """Seconds and the only plane."""
    return answer[0], answer[1][0]


def single_verdict(ratio, copied, taps):
    """Against the fastest peer; short kernels may instead come near the speed of a copy."""
    goal = 2 if taps <= 15 else 1.3
    text = f"{ratio:.1f}x (goal {goal}x"
    if ratio >= goal:
        return text + ")"
    if taps <= 15:
        text += f" or 80 % of a copy, {100 * copied:.0f} %"
        if copied >= 0.8:
            return text + ")"
    return text + ", **missed**)"


class Methods:
    """Our methods on one image beside each other, over sizes of kernels."""

    def __init__(self, ours, side, rounds):
        self.ours = ours
        self.x = random_image(1, side, side)
        self.rounds = rounds
        self.last = {}  # (method, threads) -> (taps, seconds) of the last size that was timed

    def affordable(self, case, taps):
        """Whether the time of the last size, grown with the kernel, stays short; auto's should."""
        before, seconds = self.last.get(case, (1, 0))
        return case[0] == "auto" or seconds * (taps / before) ** 2 <= 2 * SLOW

    def times(self, bank, methods, threads):
        """(method, threads) -> seconds; what would be slow is left out."""
        taps = bank.shape[-1]
        cases = [(method, n) for method in methods for n in threads
                 if self.affordable((method, n), taps)]
        sides = {case: lambda case=case: self.ours.correlate(self.x, bank, case[1], case[0])[:2]
                 for case in cases}
        s = alternate(f"methods, {taps} x {taps}", sides, self.rounds, TOLERANCE)
        self.last |= {case: (taps, seconds) for case, seconds in s.items()}
        return s

    def row(self, taps):
        """Of the table of methods."""
        bank = random_bank(1, 1, taps, taps)
        s = self.times(bank, ("auto", *METHODS), (THREADS, 1))
        best = min(s[method, THREADS] for method in METHODS if (method, THREADS) in s)
        ran = self.ours.correlate(self.x, bank, THREADS, keep=False)[3]
        side = self.x.shape[-1]
        cells = [f"{ms(s[method, 1])} / {ms(s[method, THREADS])}" if (method, 1) in s else ""
                 for method in METHODS]
        return [f"{side} x {side}", f"{taps} x {taps}", *cells, ran,
                f"{s['auto', THREADS] / best:.2f}x"]


def draw_methods(ours, rounds, drawing):
    """Writes the curves of the methods, milliseconds over the kernel's size."""
    methods = Methods(ours, 2048, rounds)
    rank_one = Methods(ours, 2048, rounds)
    points = {}
    for taps in DRAWN_TAPS:
        bank = random_bank(1, 1, taps, taps)
        line = random_bank(taps)
        product = np.outer(line, line)[None, None]
        s = methods.times(bank, ("auto", *METHODS), (THREADS,))
        s |= {("separable, rank 1", n): seconds for (_, n), seconds in
              rank_one.times(product, ("separable",), (THREADS,)).items()}
        for (name, _), seconds in s.items():
            points.setdefault(name, []).append((taps, 1e3 * seconds, name))
    ours.plot(("taps of the kernel along each axis", "milliseconds"),
              [point for curve in points.values() for point in curve], drawing)


def bench_banks(ours, rounds):
    """Rows of the table of filter banks."""
    for side, channels, count, taps in ((2048, 1, 8, 7), (512, 32, 32, 3), (128, 32, 32, 3)):
        x = random_image(channels, side, side)
        bank = random_bank(count, channels, taps, taps)
        rows = max(1, PANEL // (4 * side * bank[0].size))
        sides = {f"ours {n}": lambda n=n: ours.correlate(x, bank, n)[:2] for n in (THREADS, 1)}
        peers = {"torch": lambda: torch_conv2d(x, bank), "im2col": lambda: im2col(x, bank, rows),
                 "cv2": lambda: filter2d_bank(x, bank)}
        sides |= {name: lambda peer=peer: timed(peer) for name, peer in peers.items()}
        s = alternate(f"bank of {count}", sides, rounds, TOLERANCE)
        two = s[f"ours {THREADS}"]
        ran = ours.correlate(x, bank, THREADS, keep=False)[3]
        gflops = 2e-9 * bank.size * side * side / two
        yield [f"{count} filters {taps} x {taps} on {channels} x {side} x {side}", ms(s["ours 1"]),
               ms(two), ran, f"{gflops:.0f}", *[ms(s[name]) for name in peers],
               verdict(min(s[name] for name in peers) / two, 1)]


def bench_large(ours):
    """A sentence on the memory of a large image."""
    side, taps = 8192, 63
    x = random_image(1, side, side)
    bank = random_bank(1, 1, taps, taps)
    ours.restart()
    ours.correlate(random_image(1, 256, 256), bank, THREADS, keep=False)  # starts threads
    seconds, _, risen, ran = ours.correlate(x, bank, THREADS, keep=False)
    whole = 2 + max(risen, 0) / x.nbytes
    return (f"**Memory.** {side} x {side} with {taps} x {taps}: {ms(seconds)} on {THREADS} threads"
            f" by {ran}, {mb(risen)} beside image and result,\nin all {whole:.2f} times the image "
            f"(goal: under 3{'' if whole < 3 else ', **missed**'}).\n")


def report(ours, rounds, quick, drawing):
    """The tables, as Markdown, section by section; draws, if `drawing` is a path."""
    yield ("**Convolution with one kernel**: random, of full rank; zeros beyond the border, output "
           "`same`. Ratios: the fastest\npeer / ours on 2 threads. Empty: too slow to wait for.\n\n")
    yield table(["image", "kernel", "ours, 1 thread", "ours, 2 threads", "method",
                 "fastest peer / ours", *PEERS.values()], bench_single(ours, rounds, quick))
    yield "\n**Methods**, the same work, 1 thread / 2 threads.\n\n"
    yield table(["image", "kernel", *METHODS, "auto took", "auto / best, 2 threads"],
                (methods.row(taps) for methods in (Methods(ours, n, rounds) for n in (2048, 512))
                 for taps in TAPS))
    yield ("\n**Filter banks**, zeros beyond the border, output `same`; GFLOP/s count two per tap."
           "\n\n")
    yield table(["", "ours, 1 thread", "ours, 2 threads", "method", "GFLOP/s", "torch conv2d",
                 "NumPy im2col", "cv2.filter2D one by one", "fastest peer / ours"],
                bench_banks(ours, rounds))
    yield "\n" + bench_large(ours)
    if drawing:
        draw_methods(ours, min(rounds, 2), drawing)
