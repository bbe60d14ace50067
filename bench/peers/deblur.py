# SPDX-License-Identifier: BSD-3-Clause
"""Deblurring beside SciPy and scikit-image, one thread each."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from common import SLOW, alternate, ms, table, timed, verdict

import numpy as np
import skimage
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve
from skimage.io import imread
from skimage.restoration import richardson_lucy
from skimage.transform import rescale

IMAGES = Path(__file__).parents[2] / "examples/images"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
SOLVERS = {"newton-cg": "Newton-CG", "lbfgs": "L-BFGS-B"}  # ours, SciPy's
OBJECTIVE = 2.058532  # to be reached at 171 x 171
ITERATIONS = 30


def photograph(side):
    """Grey, 0..1, rescaled from 512 x 512."""
    grey = imread(IMAGES / "astronaut.png") / 255 @ [0.2125, 0.7154, 0.0721]
    if side == 171:
        return rescale(grey, 1 / 3, mode="constant", anti_aliasing=True)  # as the document does
    return grey if side == 512 else rescale(grey, side / 512)


def gaussian_psf():
    """The document's."""
    psf = np.zeros((13, 13))
    psf[6, 6] = 1
    psf = gaussian_filter(psf, (1, 3))
    return psf / psf.sum()


def disk_psf(side):
    y, x = np.mgrid[:side, :side] - side // 2
    psf = (np.hypot(y, x) <= side / 2).astype(float)
    return psf / psf.sum()


def scipy_side(folder, gradient, method, arrays):
    """Seconds, objective and gradients of SciPy in a process of its own."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    done = subprocess.run([sys.executable, Path(__file__).with_name("deblur_scipy.py"), gradient,
                           method, *(f"{name}.npy" for name in arrays)],
                          cwd=folder, env=os.environ | ONE_THREAD, check=True, text=True,
                          stdout=subprocess.PIPE)
    seconds, objective, gradients = done.stdout.split()
    return float(seconds), float(objective), int(gradients)


class Document:
    """Document 004 of one size: every side's seconds, objective and work."""

    def __init__(self, ours, side, rounds, autograd):
        psf = gaussian_psf()
        blurred = fftconvolve(photograph(side), psf, "same")
        start = np.random.default_rng(1).standard_normal(side * side) / 10
        self.arrays = {"psf": psf, "blurred": blurred, "start": start}
        self.ours, self.side, self.rounds, self.autograd = ours, side, rounds, autograd
        self.told = {}

    def measure(self, solver):
        """Seconds of the sides."""
        method = SOLVERS[solver]
        gradients = ["hand", "autograd"] if self.autograd else ["hand"]
        sides = {form: lambda form=form: self.ours.document(form, solver, 1, **self.arrays)
                 for form in ("built-in", "var")}
        sides |= {kind: lambda kind=kind: scipy_side(self.ours.folder, kind, method, self.arrays)
                  for kind in gradients}

        def run(name):
            seconds, *self.told[solver, name] = sides[name]()
            return seconds, np.array(self.told[solver, name][:1])

        seconds = alternate(f"document 004, {self.side}, {solver}",
                            {name: lambda name=name: run(name) for name in sides}, self.rounds,
                            1e-5)
        limit = min([self.told[solver, kind][0] for kind in gradients]
                    + ([OBJECTIVE] if self.side == 171 else []))
        for form in ("built-in", "var"):
            if not self.told[solver, form][0] <= limit:
                raise SystemExit(f"document 004, {self.side}, {solver}, {form}: expected an "
                                 f"objective <= {limit}, got {self.told[solver, form][0]}")
        return seconds


def bench_document(ours, rounds, quick):
    """Rows of the table."""
    installed = importlib.util.find_spec("autograd") is not None
    for side, var_goal in ((171, 1.5), (512, None), (1024, 2.5)):
        document = Document(ours, side, rounds, installed and (side == 171 or not quick))
        taken = {solver: document.measure(solver) for solver in SOLVERS}
        for solver, seconds in taken.items():
            one, two, hand = (seconds[name] for name in ("built-in", "var", "hand"))
            told = document.told[solver, "built-in"]
            row = [f"{side} x {side}", SOLVERS[solver].removesuffix("-B"), ms(one), ms(two),
                   at_most(two / one, var_goal), ms(hand), verdict(hand / one, 5)]
            if document.autograd:
                by_autograd = seconds["autograd"]
                row += [ms(by_autograd), f"{by_autograd / one:.0f}x",
                        verdict(taken["newton-cg"]["autograd"] / one, 100)]
            else:
                row += ["not run" if installed else "not installed", "", ""]
            yield [*row, f"{told[0]:.7f} / {document.told[solver, 'hand'][0]:.7f}",
                   f"{told[1] + told[2]} / {document.told[solver, 'hand'][1]}"]


def at_most(ratio, goal):
    if goal is None:
        return f"{ratio:.2f}x"
    return f"{ratio:.2f}x (goal {goal}x{'' if ratio <= goal else ', **missed**'})"


def bench_richardson_lucy(ours, rounds):
    """Rows of the table."""
    sharp = photograph(512)
    for name, psf in (("13 x 13, Gaussian", gaussian_psf()), ("13 x 13, disk", disk_psf(13)),
                      ("63 x 63, disk", disk_psf(63))):
        blurred = np.maximum(fftconvolve(sharp, psf, "same"), 0)

        def peer(psf=psf, blurred=blurred):
            return timed(lambda: richardson_lucy(blurred, psf, ITERATIONS, clip=False))

        seconds = alternate(f"Richardson-Lucy, {name}", {
            "ours": lambda psf=psf, blurred=blurred:
                ours.richardson_lucy(blurred, psf, 1, ITERATIONS),
            "scikit-image": peer}, rounds, 1e-6)
        yield [name, ms(seconds["ours"]), ms(seconds["scikit-image"]),
               verdict(seconds["scikit-image"] / seconds["ours"], 3)]


def report(ours, rounds, quick):
    """The tables, as Markdown."""
    ours.restart()
    yield ("**Document 004**: a photograph deblurred by minimising a misfit and a roughness, double,"
           " 1 thread each, from the same\nstart to an objective at or below SciPy's. Ours built in"
           " and typed on `Var`; SciPy's gradient by hand or by HIPS autograd. The\ndocument's own"
           f" way is Newton-CG by autograd. What takes more than {SLOW} s is run once.\n\n")
    yield table(["", "solver", "ours, built in", "ours, `Var`", "`Var` / built in", "SciPy by hand",
                 "by hand / ours", "SciPy + autograd", "its ratio", "the document's way / ours",
                 "objective, ours / by hand", "gradients and products, ours / gradients by hand"],
                bench_document(ours, rounds, quick))
    yield (f"\n**Richardson-Lucy**, {ITERATIONS} iterations without acceleration, 512 x 512, double,"
           f" zero beyond the border, 1 thread each; scikit-image\n{skimage.__version__} gives the"
           " same to 1e-6.\n\n")
    yield table(["PSF", "ours", "scikit-image", "ratio"], bench_richardson_lucy(ours, rounds))
