# SPDX-License-Identifier: BSD-3-Clause
"""The Python package beside the C++ library that it calls: import, a call's overhead, large blurs."""

import subprocess
import sys
import timeit
from statistics import median

from common import THREADS, alternate, ms, table, timed

import blurfield
import numpy as np

IMPORT = 0.15  # seconds, NumPy's own apart
OVERHEAD = 15e-6  # seconds
SAME = 1.03  # of the C++ benchmark's time
SMALL = 16


def within(value, text, goal, goal_text):
    return f"{text} (goal {goal_text}{'' if value <= goal else ', **missed**'})"


def import_seconds(rounds):
    """Of `import blurfield` in a fresh interpreter that has NumPy."""
    script = ("import time, numpy; begin = time.perf_counter(); import blurfield;"
              "print(time.perf_counter() - begin)")
    return median(float(subprocess.run([sys.executable, "-c", script], capture_output=True,
                                       text=True, check=True).stdout) for _ in range(rounds))


def call_seconds(call, rounds):
    """Of a call, the median of `rounds` times a thousand."""
    timeit.timeit(call, number=100)
    return median(timeit.timeit(call, number=1000) / 1000 for _ in range(rounds))


def bench_calls(rounds):
    """Rows of small calls; the library's own part is that of _core, on prepared arguments."""
    x = np.random.default_rng(1).random((SMALL, SMALL), np.float32)
    sigma, out = np.full_like(x, 1), np.empty_like(x)
    options = blurfield._core.BlurOptions("reflect", 0.0, 4.0, [], 0.0, "auto", False)
    planes = [a[None, None] for a in (x, sigma, out)]
    calls = {
        "adaptive_blur": (lambda: blurfield.adaptive_blur(x, sigma=sigma),
                          lambda: blurfield._core.adaptive_blur(*planes, options)),
        "uniform_blur": (lambda: blurfield.uniform_blur(x, sigma=1),
                         lambda: blurfield._core.uniform_blur(planes[0], [1.0], planes[2],
                                                              options)),
        "gaussian_filter": (lambda: blurfield.gaussian_filter(x, 1),
                            lambda: blurfield._core.uniform_blur(planes[0], [1.0], planes[2],
                                                                 options)),
    }
    for name, (whole, core) in calls.items():
        a, b = call_seconds(whole, rounds), call_seconds(core, rounds)
        yield [f"`{name}`", f"{1e6 * a:.1f} us", f"{1e6 * b:.1f} us",
               within(a - b, f"{1e6 * (a - b):.1f} us", OVERHEAD, "15 us")]


def aligned(values):
    """A copy that begins at a multiple of 64 bytes, as the C++ program's images do."""
    memory = np.empty(values.nbytes + 64, np.uint8)
    begin = -memory.ctypes.data % 64
    array = memory[begin:begin + values.nbytes].view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def bench_large(ours, rounds):
    """Rows of blurs of 2048 x 2048 by both, into memory that is there already."""
    x = aligned(np.random.default_rng(2).random((2048, 2048), np.float32))
    sigma = aligned(np.broadcast_to(np.linspace(0.5, 8, 2048, dtype=np.float32), x.shape))
    out = aligned(x)
    jobs = {
        "uniform, sigma 3": (lambda threads: ours.uniform(x, 3, threads),
                             lambda: blurfield.uniform_blur(x, sigma=3, out=out)),
        "adaptive, sigma 0.5 to 8": (
            lambda threads: ours.adaptive(x, sigma[None], threads, 4)[::2],
            lambda: blurfield.adaptive_blur(x, sigma=sigma, mode="constant", out=out)),
    }
    for name, (theirs, own) in jobs.items():
        row = [name]
        for threads in (1, THREADS):
            blurfield.set_num_threads(threads)

            def compiled(threads=threads, theirs=theirs):
                seconds, result = theirs(threads)
                return seconds, result[0] if isinstance(result, list) else result

            s = alternate(name, {"C++": compiled, "Python": lambda own=own: timed(own)},
                          4 * rounds, 1e-6)
            ratio = s["Python"] / s["C++"]
            row += [ms(s["C++"]), ms(s["Python"]), within(ratio, f"{ratio:.3f}", SAME, "1.03")]
        blurfield.set_num_threads(0)
        yield row


def report(ours, rounds, quick):
    """The tables, as Markdown, section by section."""
    del quick
    seconds = import_seconds(rounds)
    yield ("**Python**: `import blurfield` takes "
           + within(seconds, ms(seconds), IMPORT, "150 ms") + " beside NumPy's own import. A call on "
           f"{SMALL} x {SMALL}\nfloats, sigma 1, all cores:\n\n")
    yield table(["", "from Python", "of that the library", "overhead"], bench_calls(rounds))
    yield ("\nThe same blurs of 2048 x 2048 floats by the C++ program and from Python, all arrays at"
           " multiples of 64 bytes;\nNumPy's own begin at any 16, where a uniform blur takes up to a"
           " fifth longer:\n\n")
    yield table(["", "C++, 1 thread", "Python", "ratio", "C++, 2 threads", "Python", "ratio"],
                bench_large(ours, rounds))
