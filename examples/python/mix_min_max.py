#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A reckless approximation of adaptive blur: mixes of a sharper and a blurrier image, learned.

    python3 mix_min_max.py [OUT_DIR]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
from common import Array, Outcome, curves, images, maps, need, run

import blurfield

need("torch", "PIL")

import torch  # noqa: E402

from blurfield.torch import mix, uniform_blur  # noqa: E402

SIGMA_MIN, SIGMA_MAX = 3.0, 9.0
# Two sigmas to each side, zeros beyond the border.
BORDER: dict[str, Any] = {"truncate": 2, "mode": "constant"}


def pixels(x: torch.Tensor) -> Array:
    return np.asarray(x.detach().squeeze().numpy())


# The even mix of sigma 1 and 5 is not sigma 3: high frequencies of the sharper one come through.
def show_roughness(x: torch.Tensor, out: Path) -> tuple[float, float]:
    exact = uniform_blur(x, sigma=3.0, **BORDER)
    rough = mix(x, 1.0, 5.0, 0.5, **BORDER)
    images(out / "rough.png", [("Signal", pixels(x)), ("Sigma 3", pixels(exact)),
                               ("Half 1, half 5", pixels(rough))])
    error = float(((rough - exact) ** 2).mean())
    print(f"even mix: mean squared error {error:.2e}, of a blur of mean square "
          f"{float((exact**2).mean()):.2e}")
    return error, float((exact**2).mean())


# 1000 iterations of Adamax on the mean squared error; pictures of a few.
def learn(model: Callable[[], torch.Tensor], target: torch.Tensor,
          parameters: list[torch.nn.Parameter], path: Path) -> list[float]:
    optimiser = torch.optim.Adamax(parameters, lr=0.1)
    losses, shown = [], [("Target", pixels(target))]
    for iteration in range(1000):
        recovered = model()
        loss = ((recovered - target) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if iteration in (0, 4, 16, 999):
            shown.append((f"Iteration {iteration}", pixels(recovered)))
        if iteration % 100 == 0:
            print(f"iteration {iteration:3}  loss {loss.item():.3e}")
    print(f"iteration 999  loss {losses[-1]:.3e}")
    images(path, shown, vmin=float(target.min()), vmax=float(target.max()))
    return losses


# One weight for the whole image; the loss is quadratic in it, so the best is known.
def learn_one_weight(x: torch.Tensor, sigma: float, out: Path) -> tuple[float, float]:
    target = uniform_blur(x, sigma=sigma, **BORDER)
    s = torch.nn.Parameter(torch.zeros((), dtype=x.dtype))
    print(f"one weight, true sigma {sigma:g}")
    learn(lambda: mix(x, SIGMA_MIN, SIGMA_MAX, torch.sigmoid(s), **BORDER), target, [s],
          out / f"one_weight_{sigma:g}.png")
    weight = float(torch.sigmoid(s.detach()))
    sharper, blurrier = (uniform_blur(x, sigma=v, **BORDER) for v in (SIGMA_MIN, SIGMA_MAX))
    difference = sharper - blurrier
    best = float((difference * (target - blurrier)).sum() / (difference**2).sum())
    print(f"true sigma {sigma:.2f}  recovered sigma "
          f"{weight * SIGMA_MIN + (1 - weight) * SIGMA_MAX:.2f}  weight {weight:.4f}, "
          f"the best {min(max(best, 0), 1):.4f}")
    return weight, min(max(best, 0.0), 1.0)


# The left half is blurred with sigma 4, the right half with 7.
def halves(x: torch.Tensor) -> torch.Tensor:
    left = torch.zeros(x.shape[-2:], dtype=x.dtype)
    left[:, :left.shape[1] // 2] = 1
    return mix(x, 4.0, 7.0, left, **BORDER)


def learn_weights(x: torch.Tensor, out: Path) -> list[float]:
    target = halves(x)
    s = torch.nn.Parameter(torch.zeros(x.shape, dtype=x.dtype))
    print("a weight for every pixel")
    losses = learn(lambda: mix(x, SIGMA_MIN, SIGMA_MAX, torch.sigmoid(s), **BORDER), target, [s],
                   out / "weights.png")
    maps(out / "weights_map.png", [("Weights of sigma 3", pixels(torch.sigmoid(s)))],
         cmap="viridis", vmin=0, vmax=1)
    return losses


# Both blurs can be differentiated by their sigmas: they are learned, with a weight per column.
def learn_bounds(x: torch.Tensor, out: Path) -> tuple[float, float]:
    target = halves(x)
    s = torch.nn.Parameter(torch.zeros(1, x.shape[-1], dtype=x.dtype))
    log_sigmas = torch.nn.Parameter(torch.log(torch.tensor([SIGMA_MIN, SIGMA_MAX], dtype=x.dtype)))
    optimiser = torch.optim.LBFGS([s, log_sigmas], max_iter=200, line_search_fn="strong_wolfe")
    losses = []

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        low, high = torch.exp(log_sigmas)
        # Blurs with the radii that sigmas have now.
        loss = ((mix(x, low, high, torch.sigmoid(s), **BORDER) - target) ** 2).mean()
        loss.backward()
        losses.append(loss.item())
        return loss

    optimiser.step(closure)
    low, high = torch.exp(log_sigmas.detach()).tolist()
    curves(out / "bounds_loss.png", {"": losses}, title="Loss, the sigmas learned too",
           xlabel="evaluation", yscale="log")
    curves(out / "bounds_weights.png", {"": pixels(torch.sigmoid(s))}, title="Weights of columns",
           xlabel="column")
    print(f"sigmas learned too: {low:.3f} and {high:.3f}, of 4 and 7; loss {losses[-1]:.1e}")
    return low, high


# A photograph under a ramp of sigma, interpolated between K uniform blurs.
def more_levels(out: Path) -> dict[int, float]:
    photo = blurfield.datasets.ascent()[::2, ::2].astype(np.float64)
    sigma = np.broadcast_to(np.geomspace(1, 9, photo.shape[1]), photo.shape)
    exact = blurfield.adaptive_blur(photo, sigma=sigma, truncate=8)
    two = blurfield.mix_levels(photo, sigma, [1, 9], truncate=8)
    errors, enough = {2: float(np.abs(two - exact).max())}, exact
    for tolerance in (1e-1, 1e-2, 1e-3):
        levels = blurfield.mix_level_sigmas(1, 9, tolerance)
        enough = blurfield.mix_levels(photo, sigma, levels, truncate=8)
        errors[len(levels)] = float(np.abs(enough - exact).max())
    for count, error in errors.items():
        print(f"{count:2} levels: largest error {error:.1e}")
    images(out / "levels.png", [("Exact", exact), ("Two levels", two),
                                (f"{max(errors)} levels", enough)], size=3.4, vmin=0, vmax=1)
    maps(out / "levels_error.png", [("Error of two levels", np.abs(two - exact)),
                                    (f"Error of {max(errors)} levels", np.abs(enough - exact))])
    return errors


def main(out: Path) -> Outcome:
    torch.manual_seed(1337)
    x = torch.randn(1, 1, 64, 64, dtype=torch.float64)
    rough = show_roughness(x, out)
    weights = {sigma: learn_one_weight(x, sigma, out) for sigma in (3.0, 5.0)}
    losses = learn_weights(x, out)
    sigmas = learn_bounds(x, out)
    return {"rough": rough, "weights": weights, "losses": losses, "sigmas": sigmas,
            "level errors": more_levels(out)}


if __name__ == "__main__":
    run(main)
