# SPDX-License-Identifier: BSD-3-Clause
"""Recovering a blur from sharp images and their blurred versions."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Callable, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _core
from ._options import DEFAULT_TRUNCATE, Radius, blur_options
from ._progress import Progress, reported

Array = _arrays.Array


@dataclass
class Estimate:
    """What `estimate` found.

    Attributes
    ----------
    field : ndarray
        sigma (H, W); (sigma_y, sigma_x) (2, H, W); (a, b, c) (3, H, W); or the mix's weights.
        Feeds `adaptive_blur`, or `mix`.
    confidence : ndarray
        (H, W), 0..1: how well the images tell the field; 0.5 or more counts as known.
    sigmas : tuple of float
        Of the mix.
    noise, lambda_, loss, known : float
        Standard deviation assumed; weight of the prior; mean squared misfit; part of the pixels
        that are known.
    stop : str
        Why the work ended: "change", "iterations", "time", "cancelled", ...
    iterations, evaluations, seconds
        Of the optimiser.
    trace : list of dict
        A row per iteration.
    """

    field: Array = dataclasses.field(repr=False)
    confidence: Array = dataclasses.field(repr=False)
    sigmas: Tuple[float, float]
    noise: float
    lambda_: float
    loss: float
    known: float
    stop: str
    iterations: int
    evaluations: int
    seconds: float
    trace: list[dict[str, Any]] = dataclasses.field(repr=False)


def estimate(sharp: ArrayLike, blurred: ArrayLike, *, model: str = "sigma", scatter: bool = False,
             mask: Optional[ArrayLike] = None, start: Optional[ArrayLike] = None,
             truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, mode: str = "reflect",
             cval: float = 0.0, tolerance: float = 0, prior: str = "smooth",
             lambda_: Optional[float] = None, noise: Optional[float] = None,
             parameter: str = "exponential", sigmas: Sequence[float] = (1.0, 5.0),
             learn_sigmas: bool = False, scalar_weight: bool = False, shared: bool = True,
             method: str = "gauss-newton", max_iterations: int = 0, change: float = 1e-4,
             rate: float = 0.1, max_seconds: float = np.inf, max_sigma: float = 0.0,
             callback: Optional[Callable[[dict[str, Any]], Any]] = None,
             progress: Progress = None) -> Estimate:
    """Recover the blur between sharp images and their blurred versions.

    Minimises 1/2 sum mask ((blur(sharp) - blurred) / noise)^2 + lambda R(field).

    Parameters
    ----------
    sharp, blurred : array_like
        Of one shape: (L), (H, W), (C, H, W) or (N, C, H, W).
    model : {"sigma", "uniform", "sigma-yx", "logchol", "mix"}
        A field of sigmas; one sigma; fields of (sigma_y, sigma_x) or of (a, b, c); mixing weights.
    scatter, truncate, radius, mode, cval, tolerance
        The blur's, as of `adaptive_blur`.
    mask : array_like, optional
        (H, W) >= 0: weights of the pixels of `blurred`; 0 leaves one out.
    start : array_like, optional
        A field to begin with, of the shape of the result.
    prior : {"smooth", "tv", "none"}
        R: smooth fields, fields with edges, or any.
    lambda_ : float, optional
        Weight of the prior; None: the largest whose residual still looks like noise.
    noise : float, optional
        Standard deviation; None: found from the residual.
    parameter : {"exponential", "soft-maximum"}
        sigma = exp(s), or the soft maximum (G7) of s.
    sigmas, learn_sigmas, scalar_weight
        Of "mix": the two widths, whether they move, and whether one weight serves all pixels.
    shared : bool
        One field for a whole batch, or one per image.
    method : {"gauss-newton", "lbfgs", "adamax", "gradient-descent"}
        The optimiser.
    max_iterations : int
        0: the method's own.
    change : float
        Relative change of the value that ends the work.
    rate : float
        Step of adamax and gradient-descent.
    max_seconds : float
        What there is then is given.
    max_sigma : float
        Pixels; 0: a quarter of the shorter side, within 1..64.
    callback : callable, optional
        Given a dict per iteration; False from it ends the work, and what there is is given.
    progress : bool or callable, optional
        True: a bar, where tqdm is installed.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        For shapes that do not match, images that are not finite, options out of range.
    TypeError
        For complex and object arrays.

    Notes
    -----
    "Recovering a blur" in docs/math.md.
    """
    x = _arrays.image(sharp, "sharp")
    y = _arrays.floating(blurred, "blurred", x.dtype)
    if y.shape != x.shape:
        raise ValueError(f"blurred: expected shape {x.shape}, got {y.shape}")
    weights = None if mask is None else _lifted(_arrays.floating(mask, "mask", x.dtype), x)
    begin = None if start is None else _lifted(_arrays.floating(start, "start", x.dtype), x)
    options = _core.EstimateOptions(
        model, parameter, prior, method,
        blur_options(truncate, radius, mode, cval, tolerance, "auto", scatter))
    options.sigmas = (float(sigmas[0]), float(sigmas[1]))
    options.learn_sigmas, options.scalar_weight = learn_sigmas, scalar_weight
    options.shared, options.lambda_, options.noise = shared, lambda_, noise
    options.max_iterations, options.tolerance, options.rate = max_iterations, change, rate
    options.max_seconds, options.max_sigma = max_seconds, max_sigma
    most = max_iterations or _core.usual_iterations(options)
    with reported(progress, "estimate") as tell:
        def each(step: dict[str, Any]) -> Any:
            if tell is not None and tell(step["iteration"] / most) is False:
                return False
            return None if callback is None else callback(step)

        silent = tell is None and callback is None
        found = _core.estimate(_arrays.lifted(x), _arrays.lifted(y), weights, begin, options,
                               None if silent else each)
    values = np.asarray(found.pop("field"))
    confidence = np.asarray(found.pop("confidence"))
    found["lambda_"] = found.pop("lambda")
    return Estimate(_plain(values, x), _plain(confidence, x), **found)


def _lifted(array: Array, image: Array) -> Array:
    """A field or mask, as its image's (N, K, H, W) or (N, K, L)."""
    rank = 3 if image.ndim == 1 else 4
    return array.reshape((1,) * (rank - array.ndim) + array.shape) if array.ndim < rank else array


def _plain(field: Array, image: Array) -> Array:
    """Without the axes of extent 1 that the image lacks too."""
    if field.shape[0] == 1:
        field = field[0]
        if field.shape[0] == 1:
            field = field[0]
    return field
