#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Times the library beside SciPy, OpenCV and PyTorch on the same work, in one run.

    run.py OURS [--update docs/benchmarks.md] [--rounds 9] [--quick]

OURS is the program built from ours.cc. Every round runs each side in turn, once to warm up and three
times for a median (im2col: once); the tables hold medians of the rounds. Results are compared before times are: a peer that computes something else
ends the run. --quick leaves out the im2col peers (about two minutes, 8 GB).
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ["OMP_WAIT_POLICY"] = "passive"  # an idle peer must not take our core

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import scipy  # noqa: E402
import scipy.ndimage  # noqa: E402
import torch  # noqa: E402

HERE = Path(__file__).resolve().parent
THREADS = 2
BEGIN, END = "<!-- bench:begin -->\n", "<!-- bench:end -->\n"


class Ours:
    """The process of ours.cc: one line in, one line out."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.process = None
        self.restart()

    def restart(self):
        """A fresh process, so that memory is measured from the start."""
        self.close()
        self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, cwd=self.folder)

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()

    def ask(self, *words):
        """Sends a job and returns the words of the answer."""
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        if not answer:
            raise RuntimeError(f"ours failed on: {' '.join(map(str, words))}")
        return answer

    def uniform(self, x, sigma, threads):
        """Seconds and output."""
        self.write("x", x)
        seconds, _ = self.ask("uniform", *x.shape, threads, sigma, "x", "out")
        return float(seconds), self.read(x.shape)[0]

    def adaptive(self, x, field, threads, truncate, radius=0, gradient=False):
        """Seconds, bytes risen, and [output, gradients...]."""
        self.write("x", x)
        self.write("field", field)
        seconds, risen = self.ask("adaptive", *x.shape, threads, len(field), truncate, radius,
                                  int(gradient), "x", "field", "out")
        shapes = [x.shape] + ([x.shape, field.shape] if gradient else [])
        return float(seconds), float(risen), self.read(*shapes)

    def write(self, name, array):
        np.ascontiguousarray(array, np.float32).tofile(self.folder / name)

    def read(self, *shapes):
        flat = np.fromfile(self.folder / "out", np.float32)
        parts = np.split(flat, np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def timed(function):
    """Once to warm up, then the median of three, as ours.cc does; and the result."""
    result = function()
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return median(seconds), result


def agree(what, ours, peer, tolerance):
    """Ends the run unless both sides computed the same."""
    error = np.abs(ours - peer).max() / np.abs(peer).max()
    if not error <= tolerance:
        raise SystemExit(f"{what}: the results differ by {error:.2g}, expected <= {tolerance:g}")


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
        results = {name: side()[1] for name, side in sides.items()}
        for name, result in results.items():
            agree(f"uniform sigma {sigma}, {name}", results["ours 2"], result, 1e-5)
        seconds = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                seconds[name].append(side()[0])
        s = {name: median(values) for name, values in seconds.items()}
        two = s["ours 2"]
        yield [f"sigma {sigma}", ms(s["ours 1"]), ms(two), f"{s['ours 1'] / two:.2f}x",
               f"{ms(s['cv2'])} = {verdict(s['cv2'] / two, times)}",
               f"{ms(s['scipy'])} = {verdict(s['scipy'] / two, 15)}",
               f"{ms(s['torch'])} = {s['torch'] / two:.1f}x"]


def verdict(ratio, asked):
    """A ratio, the goal, and whether it is met."""
    digits = 1 if ratio < 100 else 0
    return f"{ratio:.{digits}f}x (goal {asked}x{'' if ratio >= asked else ', **missed**'})"


def ms(seconds):
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def mb(number_of_bytes):
    """Resident memory is counted in pages that the kernel may also take back: never below 0."""
    return f"{max(number_of_bytes, 0) / 1e6:.1f} MB"


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
    done = subprocess.run([sys.executable, HERE / "im2col.py", kind, str(radius), "x.npy",
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


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def machine(ours):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file
                      if line.startswith("model name")), platform.processor())
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return (f"{model}, {os.cpu_count()} cores, SIMD target {ours.ask('peak')[1]}; {system}; "
            f"SciPy {scipy.__version__}, OpenCV {cv2.__version__}, PyTorch {torch.__version__}")


def report(ours, rounds, quick):
    """The tables, as Markdown, section by section."""
    command = "script/bench" + (" --quick" if quick else "")
    yield (f"{datetime.date.today()}, `{command}`, medians of {rounds} rounds, float.\n"
           f"Machine: {machine(ours)}.\n\n")
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ours")
    parser.add_argument("--update", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    cv2.setNumThreads(THREADS)
    torch.set_num_threads(THREADS)
    text = ""
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(os.path.abspath(arguments.ours), Path(folder))
        try:
            for section in report(ours, arguments.rounds, arguments.quick):
                print(section, end="", flush=True)
                text += section
        finally:
            ours.close()
    if arguments.update:
        page = arguments.update.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        arguments.update.write_text(before + BEGIN + text + END + rest.split(END)[1],
                                    encoding="utf-8")


if __name__ == "__main__":
    main()
