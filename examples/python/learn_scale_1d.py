#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Learning the scale of a filter by the derivative of a Gaussian by its sigma, on a 1-D signal.

    python3 learn_scale_1d.py [OUT_DIR]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from common import Array, Outcome, curves, run

import blurfield

TRUE_SIGMA = 3.0


# The support grows with the filter, three sigmas to each side; the signal is 0 beyond its ends.
def support(sigma: float) -> dict[str, Any]:
    return {"radius": max(1, int(np.ceil(3 * sigma))), "mode": "constant"}


# The sampled Gaussian divided by its sum, and its derivative by the quotient rule.
def filter_with_derivative(sigma: float) -> tuple[Array, Array]:
    r = support(sigma)["radius"]
    k = np.arange(-r, r + 1)
    g = np.exp(-k**2 / (2 * sigma**2))
    dg = g * k**2 / sigma**3
    return g / g.sum(), (dg * g.sum() - g * dg.sum()) / g.sum() ** 2


# The same by the library: a derivative is a response to an impulse, too.
def filter_by_library(sigma: float) -> tuple[Array, Array]:
    r = support(sigma)["radius"]
    impulse = np.zeros(2 * r + 1)
    impulse[r] = 1
    return (blurfield.gaussian_kernel(sigma, ndim=1, radius=r),
            blurfield.uniform_blur_jvp(impulse, gaussian_dot=1, sigma=sigma, **support(sigma)))


def draw_filters(out: Path) -> float:
    by_hand = filter_with_derivative(TRUE_SIGMA)
    by_library = filter_by_library(TRUE_SIGMA)
    taps = np.arange(by_hand[0].size) - by_hand[0].size // 2
    curves(out / "filter.png", {"": by_hand[0]}, taps, "Gaussian filter, sigma 3", xlabel="tap")
    curves(out / "derivative.png", {"": by_hand[1]}, taps, "Its derivative by sigma", xlabel="tap")
    # Any real s stands for a sigma above 0.3; at s = 0 the filter hardly blurs.
    first = filter_by_library(blurfield.soft_maximum(0.0))[0]
    curves(out / "filter_at_0.png", {"": first}, np.arange(first.size) - first.size // 2,
           f"Gaussian filter for s = 0, sigma {blurfield.soft_maximum(0.0):.2f}", xlabel="tap")
    s = np.linspace(-6, 9, 151)
    curves(out / "soft_maximum.png",
           {"sigma": blurfield.soft_maximum(s),
            "d sigma / d s": blurfield.soft_maximum_derivative(s)}, s, "The soft maximum",
           xlabel="s")
    return max(float(np.abs(a - b).max()) for a, b in zip(by_hand, by_library))


# Half the sum of squared errors, and its derivative by s: forward, then backward.
def loss_and_gradient(x: Array, target: Array, s: float) -> tuple[float, float, Array]:
    sigma = blurfield.soft_maximum(s)
    filtered = blurfield.uniform_blur(x, sigma=sigma, **support(sigma))
    error = filtered - target
    _, by_sigma = blurfield.uniform_blur_vjp(x, error, sigma=sigma, by_input=False,
                                             **support(sigma))
    return (0.5 * float(np.sum(error**2)),
            float(by_sigma[0]) * blurfield.soft_maximum_derivative(s), filtered)


def recover(x: Array, target: Array, out: Path) -> tuple[list[float], list[float]]:
    s, losses, sigmas = 0.0, [], []
    for iteration in range(101):
        loss, gradient, filtered = loss_and_gradient(x, target, s)
        losses.append(loss)
        sigmas.append(blurfield.soft_maximum(s))
        if iteration in (0, 4, 16, 100):
            curves(out / f"iteration_{iteration}.png", {"target": target, "recovered": filtered},
                   title=f"Iteration {iteration}: sigma {sigmas[-1]:.3f}")
        if iteration % 10 == 0:
            print(f"iteration {iteration:3}  loss {loss:.6g}")
        s -= 0.1 * gradient
    curves(out / "losses.png", {"": losses}, title="Loss", xlabel="iteration", yscale="log")
    curves(out / "sigmas.png", {"": sigmas}, title="Sigma", xlabel="iteration")
    print(f"true sigma {TRUE_SIGMA:.2f}  recovered sigma {sigmas[-1]:.2f}")
    return losses, sigmas


# Backward against central differences, at ten random s.
def check_gradient(x: Array, target: Array, rng: np.random.Generator) -> float:
    step, worst = 1e-5, 0.0
    for s in 3 * rng.standard_normal(10):
        analytic = loss_and_gradient(x, target, s)[1]
        ends = (loss_and_gradient(x, target, s + h)[0] for h in (step, -step))
        numerical = (next(ends) - next(ends)) / (2 * step)
        worst = max(worst, abs(analytic - numerical))
        print(f"s {s: 7.3f}  analytic {analytic: 10.5f}  numerical {numerical: 10.5f}  "
              f"error {abs(analytic - numerical):.1e}")
    return worst


def main(out: Path) -> Outcome:
    rng = np.random.default_rng(1337)
    difference = draw_filters(out)
    print(f"filter and derivative, by hand and by the library: difference {difference:.1e}")

    x = rng.standard_normal(100)
    target = blurfield.uniform_blur(x, sigma=TRUE_SIGMA, **support(TRUE_SIGMA))
    curves(out / "signal.png", {"signal": x, "smoothed": target}, title="The signal, smoothed")
    losses, sigmas = recover(x, target, out)
    error = check_gradient(x, target, rng)

    # Gauss-Newton needs no rate: it knows the derivative of every residual.
    found = blurfield.estimate(x, target, model="uniform", parameter="soft-maximum",
                               mode="constant", truncate=3, noise=1, change=1e-12)
    print(f"estimate: sigma {float(found.field):.7f} after {found.iterations} iterations")
    return {"filter difference": difference, "losses": losses, "sigma": sigmas[-1],
            "gradient error": error, "sigma by estimate": float(found.field),
            "iterations of estimate": found.iterations}


if __name__ == "__main__":
    run(main)
