# SPDX-License-Identifier: BSD-3-Clause
"""Mixes of two uniform blurs, and interpolation between several."""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _core
from ._blur import same_as
from ._fields import Field
from ._options import DEFAULT_TRUNCATE, Radius, blur_options
from ._progress import Progress, reported

Array = _arrays.Array


def _weight(weight: ArrayLike, image: Array) -> Array:
    """A mixing weight as (N | 1, 1, H | 1, W | 1), (1, 1, L | 1) for signals; a view."""
    array = _arrays.floating(weight, "weight", image.dtype)
    rank = 3 if image.ndim == 1 else 4
    if array.ndim == rank:
        return array
    if array.ndim == 3 and array.shape[0] == 1:
        return array[None]
    if array.ndim > 2 or (image.ndim == 1 and array.ndim > 1):
        raise ValueError("weight: expected a number, (H | 1, W | 1), or (N | 1, 1, H | 1, W | 1), "
                         f"got shape {array.shape}")
    return array.reshape((1,) * (rank - array.ndim) + array.shape)


def mix(input: ArrayLike, sigma_min: float, sigma_max: float, weight: ArrayLike, *,
        truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, mode: str = "reflect",
        cval: float = 0.0, tolerance: float = 0, out: Optional[Array] = None,
        progress: Progress = None) -> Array:
    """weight * blur(input, sigma_min) + (1 - weight) * blur(input, sigma_max)  (B3).

    Parameters
    ----------
    input : array_like
        As of `adaptive_blur`.
    sigma_min, sigma_max : float
        Pixels; 0 means no blur.
    weight : array_like
        A number, a field (H, W), one per row (H, 1) or column (W), or (N, 1, H, W) for a batch.
    radius : int or (int, int), optional
        One radius for both blurs, or one for each.
    truncate, mode, cval, tolerance, out, progress
        As of `adaptive_blur`.

    Returns
    -------
    ndarray
        Of the shape of `input`.

    Raises
    ------
    ValueError
        For sigma < 0, values that are not finite, shapes that do not match.
    TypeError
        For complex and object arrays.
    Cancelled
        Where `progress` said False.
    """
    x = _arrays.image(input)
    w = _weight(weight, x)
    options = blur_options(truncate, radius, mode, cval, tolerance)
    target = _arrays.Target(_arrays.result(x, out), x, w)
    with reported(progress, "mix") as tell:
        _core.mix(_arrays.lifted(x), (sigma_min, sigma_max), w, _arrays.lifted(target.array),
                  options, tell)
    return target.finish()


def mix_vjp(input: ArrayLike, sigma_min: float, sigma_max: float, weight: ArrayLike,
            cotangent: ArrayLike, *, truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
            mode: str = "reflect", cval: float = 0.0, tolerance: float = 0, by_input: bool = True,
            by_sigmas: bool = True, by_weight: bool = True
            ) -> Tuple[Optional[Array], Optional[Array], Optional[Array]]:
    """Gradients of sum(cotangent * mix(...)) by the input, (sigma_min, sigma_max), the weight.

    Parameters
    ----------
    input, sigma_min, sigma_max, weight, truncate, radius, mode, cval, tolerance
        As of `mix`.
    cotangent : array_like
        Of the shape of `input`: the gradient of a loss by the mix.
    by_input, by_sigmas, by_weight : bool
        Which gradients are computed; None stands for the others.

    Returns
    -------
    grad_input : ndarray or None
        Of the shape of `input`. With cval, that of the linear part.
    grad_sigmas : ndarray or None
        (2,), float64: by sigma_min and sigma_max.
    grad_weight : ndarray or None
        Of the shape of `weight`.

    Raises
    ------
    ValueError, TypeError
        As `mix`.

    Notes
    -----
    Exact derivatives of (B3), the radii held fixed (G2).
    """
    x = _arrays.image(input)
    w = _weight(weight, x)
    options = blur_options(truncate, radius, mode, cval, tolerance)
    grad_x = np.empty_like(x, order="C") if by_input else None
    grad_w = np.empty(w.shape, x.dtype) if by_weight else None
    grad_sigmas = _core.mix_vjp(_arrays.lifted(x), (sigma_min, sigma_max), w,
                                _arrays.lifted(same_as("cotangent", cotangent, x)),
                                None if grad_x is None else _arrays.lifted(grad_x), by_sigmas,
                                grad_w, options)
    return (grad_x, np.array(grad_sigmas) if by_sigmas else None,
            None if grad_w is None else grad_w.reshape(np.shape(weight)))


def mix_jvp(input: ArrayLike, sigma_min: float, sigma_max: float, weight: ArrayLike,
            input_dot: Optional[ArrayLike] = None, sigmas_dot: Sequence[float] = (0.0, 0.0),
            weight_dot: Optional[ArrayLike] = None, *, truncate: float = DEFAULT_TRUNCATE,
            radius: Radius = None, mode: str = "reflect", cval: float = 0.0, tolerance: float = 0
            ) -> Array:
    """The derivative of mix along directions of its input, sigmas and weight.

    Parameters
    ----------
    input, sigma_min, sigma_max, weight, truncate, radius, mode, cval, tolerance
        As of `mix`.
    input_dot, weight_dot : array_like, optional
        Directions, of the shapes of `input` and `weight`; None is zero.
    sigmas_dot : (float, float)
        A direction of (sigma_min, sigma_max); zero by default.

    Returns
    -------
    ndarray
        Of the shape of `input`.

    Raises
    ------
    ValueError, TypeError
        As `mix`.

    Notes
    -----
    Of (B3), the radii held fixed (G2).
    """
    x = _arrays.image(input)
    w = _weight(weight, x)
    options = blur_options(truncate, radius, mode, cval, tolerance)
    x_dot = None if input_dot is None else _arrays.lifted(same_as("input_dot", input_dot, x))
    w_dot = None if weight_dot is None else _weight(weight_dot, x)
    out = np.empty_like(x, order="C")
    along = (float(sigmas_dot[0]), float(sigmas_dot[1]))
    _core.mix_jvp(_arrays.lifted(x), (sigma_min, sigma_max), w, x_dot, along, w_dot,
                  _arrays.lifted(out), options)
    return out


def mix_levels(input: ArrayLike, sigma: ArrayLike, sigmas: Optional[Sequence[float]] = None, *,
               truncate: Optional[float] = None, radius: Radius = None, mode: str = "reflect",
               cval: float = 0.0, tolerance: float = 1e-3, out: Optional[Array] = None,
               progress: Progress = None) -> Array:
    """Blur by a field of sigmas, interpolated between K uniform blurs.

    Parameters
    ----------
    input : array_like
        As of `adaptive_blur`.
    sigma : array_like
        (H, W), pixels, within the range of `sigmas`.
    sigmas : sequence of float, optional
        The uniform blurs' widths, ascending. None: as many as `tolerance` asks for.
    tolerance : float
        Of the interpolation where `sigmas` is None. The blurs themselves are exact.
    truncate : float, optional
        None: six sigmas.
    radius, mode, cval, out, progress
        As of `adaptive_blur`.

    Returns
    -------
    ndarray
        Of the shape of `input`.

    Raises
    ------
    ValueError
        For fewer than two widths or some that do not ascend, sigma <= 0, a field of one sigma
        alone where `sigmas` is None, values that are not finite, shapes that do not match.
    TypeError
        For complex and object arrays.
    Cancelled
        Where `progress` said False.

    Notes
    -----
    (B3) for K blurs: weights are Lagrange's polynomials in ln sigma.
    """
    x = _arrays.image(input)
    field = Field(x, sigma, None, None)
    if sigmas is None:
        sigmas = mix_level_sigmas(float(field.given.min()), float(field.given.max()), tolerance)
    options = blur_options(6.0 if truncate is None else truncate, radius, mode, cval, 0)
    target = _arrays.Target(_arrays.result(x, out), x, field.given)
    with reported(progress, "mix_levels") as tell:
        _core.mix_levels(_arrays.lifted(x), list(sigmas), field.array,
                         _arrays.lifted(target.array), options, tell)
    return target.finish()


def mix_level_sigmas(sigma_min: float, sigma_max: float, tolerance: float) -> list[float]:
    """The fewest widths between which sigma_min..sigma_max is interpolated within a tolerance.

    Parameters
    ----------
    sigma_min, sigma_max : float
        Pixels, 0 < sigma_min <= sigma_max.
    tolerance : float
        Within 0..1, as of `adaptive_blur` (T1).

    Returns
    -------
    list of float
        At least two, pixels, ascending: Chebyshev nodes in ln sigma, for `mix_levels`.

    Raises
    ------
    ValueError
        For numbers out of range.
    """
    # Levels are of a range, be it a narrow one.
    return _core.mix_level_sigmas(sigma_min, max(sigma_max, 1.01 * sigma_min), tolerance)
