#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Adaptive blur by local filtering: a Gaussian for every pixel, and the field of them learned.

    python3 local_filtering.py [OUT_DIR]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
from common import Array, Outcome, curves, images, maps, need, run

import blurfield

need("torch")

import torch  # noqa: E402

from blurfield.torch import adaptive_blur  # noqa: E402

SIDE = 32
SIGNALS = 8  # that share one field, beyond the document
# Two standard deviations to each side, zeros beyond the border.
BORDER: dict[str, Any] = {"truncate": 2, "mode": "constant"}


def pixels(x: torch.Tensor) -> Array:
    return np.asarray(x.detach().squeeze().numpy())


def kernel_titles(kernels: list[Array], titles: Optional[list[str]] = None
                  ) -> list[tuple[str, Array]]:
    """Kernels centred in frames of one size, each divided by its peak."""
    side = max(max(k.shape) for k in kernels)
    framed = [np.pad(k / k.max(), [((side - n) // 2,) * 2 for n in k.shape]) for k in kernels]
    return list(zip(titles or [""] * len(framed), framed))


# Any real a, b, c are a covariance: Sigma = U^T U with U = [[e^a, b], [0, e^c]].
def show_gaussians(out: Path, rng: np.random.Generator) -> None:
    tilted = blurfield.gaussian_kernel(cov=[[1, 1], [1, 4]])
    images(out / "kernel.png", kernel_titles([tilted], ["Covariance [[1, 1], [1, 4]]"]))
    images(out / "kernels.png", kernel_titles([blurfield.gaussian_kernel(logchol=theta)
                                              for theta in 0.5 * rng.standard_normal((9, 3))]),
           columns=3, size=1.6)


# A convolution is the matrix of all windows times one vector of weights. With weights of its own
# for every window it is a local filter: two images of three channels, each with its own field.
def filter_locally(out: Path, rng: np.random.Generator) -> tuple[float, float]:
    x = rng.standard_normal((2, 3, SIDE, SIDE))
    field = 0.2 * rng.standard_normal((2, 3, SIDE, SIDE))
    radius = int(np.ceil(2 * blurfield.logchol_to_sigma(field).max()))
    taps = 2 * radius + 1
    columns = blurfield.im2col(x, taps, mode="constant").reshape(2, 3, taps * taps, SIDE, SIDE)
    weights = np.empty((2, taps, taps, SIDE, SIDE))
    for n, i, j in np.ndindex(2, SIDE, SIDE):
        weights[n, :, :, i, j] = blurfield.gaussian_kernel(logchol=field[n, :, i, j], radius=radius)
    products = np.einsum("nckij,nkij->ncij", columns, weights.reshape(2, -1, SIDE, SIDE))
    filtered = blurfield.local_filter(x, weights, mode="constant")
    exact = blurfield.adaptive_blur(x, logchol=field, radius=radius, mode="constant")
    images(out / "local.png", [("Image 2, channel 3", x[1, 2]), ("Locally blurred", exact[1, 2])],
           vmin=-2.5, vmax=2.5)
    errors = float(np.abs(products - exact).max()), float(np.abs(filtered - exact).max())
    print(f"columns {columns.nbytes / 1e6:.1f} MB for an image of {x.nbytes / 1e6:.2f} MB; "
          f"difference from adaptive_blur {errors[0]:.1e}, of local_filter {errors[1]:.1e}")
    return errors


# Bands of as many rows: covariances diag(2, 2), diag(2, 4), [[1, 1], [1, 4]], and random ones.
def band_field(generator: torch.Generator) -> torch.Tensor:
    field = 0.2 * torch.randn(3, SIDE, SIDE, dtype=torch.float64, generator=generator)
    for band, cov in enumerate(([[2, 0], [0, 2]], [[2, 0], [0, 4]], [[1, 1], [1, 4]])):
        theta = blurfield.cov_to_logchol(np.array(cov, np.float64))
        field[:, 8 * band:8 * band + 8] = torch.from_numpy(theta)[:, None, None]
    return field


# Bands of log sigma -1, -0.5, 0, 0.5.
def sphere_field() -> torch.Tensor:
    rows = torch.tensor([-1, -0.5, 0, 0.5], dtype=torch.float64).repeat_interleave(SIDE // 4)
    return rows[:, None].expand(SIDE, SIDE).contiguous()


def blur(x: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    """By log-Cholesky parameters (3, H, W), or by log sigma (H, W)."""
    if s.ndim == 3:
        return adaptive_blur(x, logchol=s, **BORDER)
    return adaptive_blur(x, sigma=torch.exp(s), **BORDER)


def roughness(s: torch.Tensor) -> torch.Tensor:
    return (s.diff(dim=-1) ** 2).sum() + (s.diff(dim=-2) ** 2).sum()


# 100 iterations of Adamax, from covariance 1; with a penalty on slopes of the field.
def adamax(x: torch.Tensor, target: torch.Tensor, start: torch.Tensor, penalty: float = 0,
           each: Callable[[int, torch.Tensor], Any] = lambda i, out: None
           ) -> tuple[torch.Tensor, list[float]]:
    s = torch.nn.Parameter(start.clone())
    optimiser = torch.optim.Adamax([s], lr=0.1)
    losses = []
    for iteration in range(101):
        recovered = blur(x, s)
        each(iteration, recovered)
        loss = ((recovered - target) ** 2).mean()
        losses.append(loss.item())
        if iteration < 100:
            optimiser.zero_grad()
            (loss + penalty * roughness(s)).backward() if penalty else loss.backward()
            optimiser.step()
    return s.detach(), losses


# The same loss by Gauss-Newton: a pixel of the result depends on its own parameters alone.
def gauss_newton(x: torch.Tensor, target: torch.Tensor, model: str, penalty: float = 0,
                 iterations: int = 100) -> blurfield.Estimate:
    return blurfield.estimate(x.numpy(), target.numpy(), model=model, noise=1,
                              prior="smooth" if penalty else "none", lambda_=penalty * x.numel(),
                              max_iterations=iterations, **BORDER)


def parameter_errors(s: torch.Tensor, truth: torch.Tensor) -> Array:
    """Squared errors of a pixel, their mean over its parameters."""
    squares = pixels((s - truth) ** 2)
    return squares.mean(axis=0) if squares.ndim == 3 else squares


def recover(name: str, x: torch.Tensor, truth: torch.Tensor, learned: torch.Tensor,
            out: Path) -> tuple[torch.Tensor, dict[str, Any]]:
    target = blur(x, truth)
    images(out / f"{name}.png", [("Signal", pixels(x)), ("Smoothed", pixels(target))])
    shown = [("Smoothed", pixels(target))]

    def each(iteration: int, recovered: torch.Tensor) -> None:
        if iteration in (0, 25, 50, 100):
            shown.append((f"Iteration {iteration}", pixels(recovered)))

    s, losses = adamax(x, target, torch.zeros_like(learned), each=each)
    newton = gauss_newton(x, target, "logchol" if learned.ndim == 3 else "sigma", iterations=12)
    images(out / f"{name}_recovery.png", shown, vmin=float(target.min()), vmax=float(target.max()))
    # A spherical truth, as parameters of a full covariance.
    as_learned = truth if truth.ndim == learned.ndim else torch.stack(
        (truth, torch.zeros_like(truth), truth))
    errors = parameter_errors(s, as_learned)
    maps(out / f"{name}_errors.png",
         [("Squared error of the signal", (shown[-1][1] - pixels(target)) ** 2),
          ("Squared error of parameters", errors)])
    curves(out / f"{name}_loss.png",
           {"Adamax": losses, "Gauss-Newton": [max(row["loss"], 1e-16) for row in newton.trace]},
           title="Loss", xlabel="iteration", yscale="log")
    for iteration in range(0, 101, 20):
        print(f"{name}: iteration {iteration:3}  loss {losses[iteration]:.3e}")
    print(f"{name}: loss of 12 iterations of Gauss-Newton {newton.loss:.3e}; parameter error of "
          f"Adamax {errors.mean():.3f}")
    return s, {"losses": losses, "Gauss-Newton": newton.loss, "parameter error": errors.mean()}


# Means of rows grow with y, as they should; single kernels are diverse: one signal does not tell
# three parameters per pixel.
def show_kernels(s: torch.Tensor, out: Path) -> None:
    rows = (0, 8, 16, 31)
    of_theta = {"truncate": BORDER["truncate"]}
    means = [blurfield.gaussian_kernel(logchol=pixels(s[:, y].mean(-1)), **of_theta) for y in rows]
    images(out / "means.png", kernel_titles(means, [f"y = {y}" for y in rows]), size=2)
    single = [blurfield.gaussian_kernel(logchol=pixels(s[:, y, x]), **of_theta)
              for y in rows for x in rows]
    images(out / "single.png",
           kernel_titles(single, [f"y, x = {y}, {x}" for y in rows for x in rows]), columns=4,
           size=2)


# More data, regularisation, and an optimiser that gets closer to the minimum.
def get_closer(x: torch.Tensor, truth: torch.Tensor, generator: torch.Generator,
               out: Path) -> dict[tuple[str, int, bool], float]:
    many = torch.randn(SIGNALS, 1, SIDE, SIDE, dtype=torch.float64, generator=generator)
    errors: dict[tuple[str, int, bool], float] = {}
    shown = []
    print("signals  method         penalty   parameter error")
    for signals, penalty in ((x, 0), (x, 1e-5), (many, 0), (many, 1e-6)):
        target = blur(signals, truth)
        for method in ("Adamax", "Gauss-Newton"):
            s = (adamax(signals, target, torch.zeros_like(truth), penalty)[0]
                 if method == "Adamax" else torch.from_numpy(
                     gauss_newton(signals, target, "logchol", penalty).field))
            error = parameter_errors(s, truth)
            data = "1 signal" if signals is x else f"{SIGNALS} signals"
            errors[method, len(signals), penalty > 0] = float(error.mean())
            shown.append((f"{method}\n{data}{', smooth' if penalty else ''}", error))
            print(f"{signals.shape[0]:7}  {method:13}  {penalty:7.0e}   {error.mean():.5f}")
    images(out / "closer.png", shown, columns=4, cmap="magma", vmin=0, vmax=0.5)
    return errors


def main(out: Path) -> Outcome:
    rng = np.random.default_rng(1337)
    show_gaussians(out, rng)
    filtering = filter_locally(out, rng)

    generator = torch.Generator().manual_seed(1337)
    x = torch.randn(1, 1, SIDE, SIDE, dtype=torch.float64, generator=generator)
    bands = band_field(generator)
    sphere = sphere_field()
    _, full = recover("full", x, bands, bands, out)
    _, spherical = recover("spherical", x, sphere, sphere, out)
    s, both = recover("full_for_spherical", x, sphere, bands, out)
    show_kernels(s, out)
    return {"filtering": filtering, "full": full, "spherical": spherical,
            "full for spherical": both, "closer": get_closer(x, bands, generator, out)}


if __name__ == "__main__":
    run(main)
