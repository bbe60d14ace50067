#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Image deblurring by optimisation: an objective, its gradient, and SciPy's Newton-CG.

    python3 image_deblurring.py [OUT_DIR]
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
from common import Array, Outcome, curves, images, need, psnr, run

import blurfield

need("scipy", "PIL")

from scipy.ndimage import map_coordinates  # noqa: E402
from scipy.optimize import minimize  # noqa: E402

MU = 0.2


def grey_astronaut() -> Array:
    red, green, blue = blurfield.datasets.astronaut().astype(np.float64)
    return np.asarray(0.2125 * red + 0.7154 * green + 0.0721 * blue)


# A third of the size, smoothed against aliasing first: scikit-image's rescale(x, 1 / 3,
# mode="constant").
def a_third(x: Array) -> Array:
    side = round(x.shape[0] / 3)
    step = x.shape[0] / side
    smooth = blurfield.gaussian_filter(x, (step - 1) / 2, mode="constant")
    at = (np.arange(side) + 0.5) * step - 0.5
    return np.asarray(map_coordinates(smooth, np.meshgrid(at, at, indexing="ij"), order=1))


# A point in the middle of 13 x 13 pixels, blurred with sigma 1 down and 3 across. What would leave
# them is reflected: not quite a Gaussian, therefore.
def document_psf() -> Array:
    point = np.zeros((13, 13))
    point[6, 6] = 1
    psf = blurfield.gaussian_filter(point, (1, 3))
    return np.asarray(psf / psf.sum())


# sqrt(1/2 |psf * x - y|^2) + mu sqrt(1/2 |differences of neighbours|^2), and its gradient.
class Objective:
    def __init__(self, y: Array, psf: Array) -> None:
        self.y = y
        self.blur = blurfield.BlurOperator(y.shape, psf=psf, mode="constant")
        self.trace: list[float] = []

    def value(self, x: Array) -> float:
        x = x.reshape(self.y.shape)
        misfit = np.sum((self.blur.forward(x) - self.y) ** 2) / 2
        rough = (np.sum(np.diff(x, axis=0) ** 2) + np.sum(np.diff(x, axis=1) ** 2)) / 2
        return float(np.sqrt(misfit) + MU * np.sqrt(rough))

    def gradient(self, x: Array) -> Array:
        x = x.reshape(self.y.shape)
        error = self.blur.forward(x) - self.y
        down, across = np.diff(x, axis=0), np.diff(x, axis=1)
        rough = (np.sum(down**2) + np.sum(across**2)) / 2
        # The adjoint of a difference: minus the difference of what 0 surrounds.
        slopes = -np.diff(down, axis=0, prepend=0, append=0)
        slopes -= np.diff(across, axis=1, prepend=0, append=0)
        by_misfit = self.blur.adjoint(error) / (2 * np.sqrt(np.sum(error**2) / 2))
        return np.asarray(by_misfit + MU * slopes / (2 * np.sqrt(rough))).ravel()

    def note(self, x: Array) -> None:
        self.trace.append(self.value(x))


def timed(solve: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = solve()
    return time.perf_counter() - begin, result


# The same by automatic differentiation, where PyTorch is installed: the value alone is written.
def minimise_by_autograd(y: Array, psf: Array, start: Array) -> Array:
    import torch

    from blurfield.torch import convolve
    target, kernel = torch.from_numpy(y), torch.from_numpy(psf)

    def objective(x: Any) -> Any:
        misfit = ((convolve(x, kernel, mode="constant") - target) ** 2).sum() / 2
        rough = ((x.diff(dim=0) ** 2).sum() + (x.diff(dim=1) ** 2).sum()) / 2
        return torch.sqrt(misfit) + MU * torch.sqrt(rough)

    def value_and_gradient(x: Array) -> tuple[float, Array]:
        variable = torch.from_numpy(x.reshape(y.shape)).requires_grad_()
        value = objective(variable)
        return value.item(), torch.autograd.grad(value, variable)[0].numpy().ravel()

    # Newton-CG wants the Hessian times a direction: exact, by differentiating twice.
    def product(x: Array, direction: Array) -> Array:
        at, along = (torch.from_numpy(v.reshape(y.shape)) for v in (x, direction))
        return np.asarray(torch.autograd.functional.hvp(objective, at, along)[1].numpy().ravel())

    found = minimize(value_and_gradient, start.ravel(), jac=True, hessp=product,
                     method="Newton-CG")
    return np.asarray(found.x.reshape(y.shape))


def main(out: Path) -> Outcome:
    sharp = a_third(grey_astronaut())
    psf = document_psf()
    images(out / "problem.png", [("Astronaut image", sharp),
                                 ("Gaussian point-spread function", psf)], size=4)
    blurred = blurfield.convolve(sharp, psf, mode="constant")

    # As a user writes it: SciPy minimises, the operator blurs.
    rng = np.random.default_rng(1337)
    start = rng.standard_normal(sharp.shape) / 10
    objective = Objective(blurred, psf)
    objective.note(start)
    seconds, found = timed(lambda: minimize(
        objective.value, start.ravel(), jac=objective.gradient, method="Newton-CG",
        callback=objective.note))
    ways = {"SciPy": (found.x.reshape(sharp.shape), seconds)}
    if importlib.util.find_spec("torch"):
        importlib.import_module("blurfield.torch")  # before the clock runs
        seconds, image = timed(lambda: minimise_by_autograd(blurred, psf, start))
        ways["autograd"] = image, seconds

    # The same objective is built in, with exact Hessian products.
    built_in = blurfield.deblur(blurred, psf=psf, mode="constant", fidelity="norm", prior="norm",
                                lambda_=MU, method="newton-cg", start=start)
    ways["deblur"] = built_in.image, built_in.seconds
    for name, (image, seconds) in ways.items():
        print(f"{name:8}  objective {objective.value(image):.7f}  "
              f"PSNR {psnr(image, sharp):.2f} dB  {seconds:.2f} s")
    print(f"{'blurred':8}  PSNR {psnr(blurred, sharp):.2f} dB")

    images(out / "deblurred.png", [("Original", sharp), ("Blurred", blurred),
                                   ("Deblurred", built_in.image)], size=4, vmin=0, vmax=1)
    curves(out / "objective.png", {"SciPy": objective.trace,
                                   "deblur": [row["value"] for row in built_in.trace]},
           title="Objective", xlabel="iteration", yscale="log")
    return {"blurred PSNR": psnr(blurred, sharp), "sharp": sharp, "psf": psf,
            "objective": {name: objective.value(image) for name, (image, _) in ways.items()},
            "PSNR": {name: psnr(image, sharp) for name, (image, _) in ways.items()}}


if __name__ == "__main__":
    run(main)
