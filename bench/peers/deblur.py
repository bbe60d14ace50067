# SPDX-License-Identifier: BSD-3-Clause
"""Deblurring beside SciPy and scikit-image."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from common import SLOW, THREADS, agree, alternate, ms, table, timed, verdict

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
FORMS = ("built-in", "var")  # of our objective
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
    """Document 004 of one size, by all sides."""

    def __init__(self, ours, side, rounds, autograd):
        psf = gaussian_psf()
        blurred = fftconvolve(photograph(side), psf, "same")
        start = np.random.default_rng(1).standard_normal(side * side) / 10
        self.arrays = {"psf": psf, "blurred": blurred, "start": start}
        self.ours, self.side, self.rounds = ours, side, rounds
        self.gradients = ["hand", "autograd"] if autograd else ["hand"]

    def measure(self, solver):
        """Seconds of every side, and what else it told. Slow peers are run once, slow ones of ours
        three times."""
        sides = {form: lambda form=form: self.ours.document(form, solver, 1, **self.arrays)
                 for form in FORMS}
        sides |= {kind: lambda kind=kind: scipy_side(self.ours.folder, kind, SOLVERS[solver],
                                                     self.arrays)
                  for kind in self.gradients}
        told = {}
        seconds = {name: [] for name in sides}
        for turn in range(self.rounds):
            for name, side in sides.items():
                if turn == 0 or seconds[name][0] <= SLOW or (name in FORMS and turn < 3):
                    taken, *told[name] = side()
                    seconds[name].append(taken)
        self.check(solver, told)
        return {name: median(values) for name, values in seconds.items()}, told

    def check(self, solver, told):
        """Ends the run unless all found the same minimum, and ours no higher than SciPy's."""
        limit = min(told[kind][0] for kind in self.gradients)
        if self.side == 171:
            limit = min(limit, OBJECTIVE)
        for form in FORMS:
            what = f"document 004, {self.side}, {solver}, {form}"
            agree(what, np.array(told[form][0]), np.array(limit), 1e-5)
            if not told[form][0] <= limit:
                raise SystemExit(f"{what}: expected an objective <= {limit}, got {told[form][0]}")


def bench_document(ours, rounds, quick):
    """Rows of the table."""
    installed = importlib.util.find_spec("autograd") is not None
    for side, var_goal in ((171, 1.5), (512, None), (1024, 2.5)):
        document = Document(ours, side, rounds, installed and (side == 171 or not quick))
        newton = None
        for solver, method in SOLVERS.items():
            seconds, told = document.measure(solver)
            newton = newton or seconds
            one, two = (seconds[form] for form in FORMS)
            row = [f"{side} x {side}, {method.removesuffix('-B')}", ms(one), ms(two),
                   at_most(two / one, var_goal)]
            for kind, goal in (("hand", 5), ("autograd", 100)):
                if kind in seconds:
                    row += [f"{ms(seconds[kind])} = {seconds[kind] / one:.1f}x",
                            verdict(newton[kind] / one, goal)]
                else:
                    row += ["not run" if installed else "not installed", ""]
            yield [*row, f"{told['built-in'][0]:.7f}, {told['hand'][0]:.7f}",
                   f"{told['built-in'][1] + told['built-in'][2]}, {told['hand'][1]}"]


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

        def own(threads, psf=psf, blurred=blurred):
            return ours.richardson_lucy(blurred, psf, threads, ITERATIONS)

        one, two, other = alternate(f"Richardson-Lucy, {name}",
                                    {"1 thread": lambda own=own: own(1),
                                     "2 threads": lambda own=own: own(THREADS),
                                     "scikit-image": peer}, rounds, 1e-6).values()
        yield [name, ms(one), ms(two), ms(other), f"{other / one:.1f}x", verdict(other / two, 3)]


def report(ours, rounds, quick):
    """The tables, as Markdown."""
    ours.restart()
    yield ("**Document 004**: a photograph deblurred by minimising misfit and roughness, double, 1"
           " thread each, from one start,\nours to an objective at or below SciPy's. Ours is built"
           " in or typed on `Var`; SciPy's gradient is written by hand or by\nHIPS autograd, which"
           " with Newton-CG is the document's way. Ratios: SciPy / ours built in; first with the"
           " same solver,\nthen SciPy's Newton-CG to either.\n\n")
    yield table(["", "ours, built in", "ours, `Var`", "`Var` / built in", "SciPy by hand",
                 "its Newton-CG / ours", "SciPy + autograd", "its Newton-CG / ours",
                 "objective: ours, by hand", "gradients and products: ours, by hand"],
                bench_document(ours, rounds, quick))
    yield (f"\n**Richardson-Lucy**, {ITERATIONS} iterations without acceleration, 512 x 512, double,"
           f" zero beyond the border;\nscikit-image {skimage.__version__}, which has one thread,"
           " gives the same to 1e-6.\n\n")
    yield table(["PSF", "ours, 1 thread", "ours, 2 threads", "scikit-image", "ratio, 1 thread",
                 "ratio, 2 threads"], bench_richardson_lucy(ours, rounds))
