# SPDX-License-Identifier: BSD-3-Clause
"""Sampled Gaussians, covariances and log-Cholesky parameters, the soft maximum."""

from __future__ import annotations

from typing import Any, Callable, Optional, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _core
from ._fields import cov_matrices, cov_planes, one_of
from ._options import DEFAULT_TRUNCATE, Radius

Array = _arrays.Array


def gaussian_kernel(sigma: Union[None, float, Sequence[float]] = None, *,
                    logchol: Optional[ArrayLike] = None, cov: Optional[ArrayLike] = None,
                    ndim: int = 2, order: Union[int, Sequence[int]] = 0,
                    truncate: float = DEFAULT_TRUNCATE, radius: Radius = None) -> Array:
    """The weights of a sampled Gaussian, float64.

    Parameters
    ----------
    sigma : float or (float, float)
        Pixels; one for each axis, (y, x), or one for all.
    logchol, cov
        Instead of sigma: (a, b, c), or a covariance (2, 2) in (y, x) order, pixels squared.
    ndim : {1, 2}
        Axes of the kernel.
    order : int or (int, int)
        Derivative, per axis; of sigma only. A convolution kernel, as SciPy's (G8).
    truncate : float
        Radius max(1, floor(truncate sigma + 1/2)).
    radius : int or (int, int), optional
        Overrides truncate.

    Returns
    -------
    ndarray
        (2 r + 1) or (2 ry + 1, 2 rx + 1); order 0 sums to 1. (G1), (G3), (G5).

    Raises
    ------
    ValueError
        For sigma <= 0, negative radii and orders, covariances that are not positive definite.
    TypeError
        Unless one of sigma, logchol, cov is given.
    """
    kind, value = one_of(sigma=sigma, logchol=logchol, cov=cov)
    radii = _arrays.radii(radius)
    if kind != "sigma":
        if ndim != 2 or np.any(order):
            raise ValueError(f"{kind}: expected ndim 2 and order 0, got {ndim} and {order}")
        numbers = value if kind == "logchol" else cov_to_logchol(value)
        parameters = [float(v) for v in np.asarray(numbers)]
        r = _pair(radii or _core.gaussian_radius_logchol(parameters, truncate))
        weights = _core.gaussian_kernel2d_logchol(parameters, r)
        return np.array(weights).reshape(2 * r[0] + 1, 2 * r[1] + 1)
    sigmas = np.atleast_1d(np.asarray(value, np.float64))
    if ndim == 1:
        s, n = float(sigmas[0]), int(np.atleast_1d(order)[0])
        r1 = radii[0] if radii else _core.gaussian_radius(s, truncate)
        return np.array(_core.gaussian_kernel1d(s, r1, n))
    if ndim != 2:
        raise ValueError(f"ndim: expected 1 or 2, got {ndim}")
    s2 = _pair(sigmas)
    r = _pair(radii or [_core.gaussian_radius(s, truncate) for s in s2])
    weights = _core.gaussian_kernel2d(s2, r, _pair(np.atleast_1d(order)))
    return np.array(weights).reshape(2 * r[0] + 1, 2 * r[1] + 1)


def _pair(values: ArrayLike) -> list[Any]:
    """One value for both axes, or two."""
    both = np.broadcast_to(np.asarray(values), (2,))
    return [v.item() for v in both]


def logchol_to_cov(logchol: ArrayLike) -> Array:
    """Covariances of log-Cholesky parameters (G4).

    Parameters
    ----------
    logchol : array_like
        (3,) or (..., 3, H, W): (a, b, c).

    Returns
    -------
    ndarray
        (2, 2) or (..., H, W, 2, 2), in (y, x) order, pixels squared.

    Raises
    ------
    ValueError
        For other shapes, and naming the first pixel that is not finite.
    """
    p = _arrays.floating(logchol, "logchol")
    if p.shape == (3,):
        return cov_matrices(_planewise(p[:, None, None], _core.logchol_to_cov))[0, 0]
    if p.ndim < 3 or p.shape[-3] != 3:
        raise ValueError(f"logchol: expected shape (3,) or (..., 3, H, W), got {p.shape}")
    return cov_matrices(_planewise(p, _core.logchol_to_cov))


def cov_to_logchol(cov: ArrayLike) -> Array:
    """Log-Cholesky parameters of covariances, the inverse of logchol_to_cov (G4).

    Parameters
    ----------
    cov : array_like
        (2, 2), (H, W, 2, 2) or (N, H, W, 2, 2), in (y, x) order, pixels squared.

    Returns
    -------
    ndarray
        (3,), (3, H, W) or (N, 3, H, W): (a, b, c).

    Raises
    ------
    ValueError
        Naming the first pixel whose matrix is not symmetric and positive definite.
    """
    c = _arrays.floating(cov, "cov")
    if c.ndim not in (2, 4, 5) or c.shape[-2:] != (2, 2):
        raise ValueError(f"cov: expected shape (2, 2) or (..., H, W, 2, 2), got {c.shape}")
    if c.ndim == 2:
        return _planewise(cov_planes(c[None, None]), _core.cov_to_logchol)[0, :, 0, 0]
    planes = _planewise(cov_planes(c), _core.cov_to_logchol)
    return planes if c.ndim == 5 else planes[0]


def sigma_to_logchol(sigma_y: ArrayLike, sigma_x: ArrayLike) -> Array:
    """Log-Cholesky parameters of widths along the axes (G4): (ln sigma_y, 0, ln sigma_x).

    Parameters
    ----------
    sigma_y, sigma_x : array_like
        Pixels, > 0: numbers or fields (..., H, W), which broadcast.

    Returns
    -------
    ndarray
        (3,) or (..., 3, H, W): (a, b, c).

    Raises
    ------
    ValueError
        For sigma <= 0.
    """
    y, x = np.broadcast_arrays(_arrays.floating(sigma_y, "sigma_y"),
                               _arrays.floating(sigma_x, "sigma_x"))
    if np.any(y <= 0) or np.any(x <= 0):
        raise ValueError("sigma_to_logchol: expected sigma > 0")
    return np.stack([np.log(y), np.zeros_like(y), np.log(x)], axis=-3 if y.ndim > 1 else 0)


def logchol_to_sigma(logchol: ArrayLike) -> Array:
    """The widths along y and x, sqrt(Sigma_yy) and sqrt(Sigma_xx), of log-Cholesky parameters (G4).

    Parameters
    ----------
    logchol : array_like
        (3,) or (..., 3, H, W): (a, b, c).

    Returns
    -------
    ndarray
        (2,) or (..., 2, H, W): (sigma_y, sigma_x), pixels.

    Raises
    ------
    ValueError
        As `logchol_to_cov`.
    """
    cov = logchol_to_cov(logchol)
    diagonal = np.sqrt(np.stack([cov[..., 0, 0], cov[..., 1, 1]]))
    return diagonal if diagonal.ndim == 1 else np.moveaxis(diagonal, 0, -3)


def _planewise(planes: Array, convert: Callable[[Array, Array], None]) -> Array:
    """A conversion of (..., 3, H, W)."""
    flat = np.ascontiguousarray(planes).reshape(-1, *planes.shape[-3:])
    out = np.empty_like(flat)
    convert(flat, out)
    return out.reshape(planes.shape)


def soft_maximum(s: ArrayLike, sigma_min: float = 0.3, shift: float = -3.0) -> Any:
    """The soft maximum log(exp(sigma_min) + exp(s + shift)) (G7): any s gives sigma > sigma_min.

    Parameters
    ----------
    s : array_like
        Any real numbers.
    sigma_min : float
        Pixels; the least width.
    shift : float
        Added to s.

    Returns
    -------
    float or ndarray
        sigma, pixels: of the shape of `s`, float64.
    """
    return _numberwise(s, lambda v: _core.soft_maximum(v, sigma_min, shift))


def soft_maximum_derivative(s: ArrayLike, sigma_min: float = 0.3, shift: float = -3.0) -> Any:
    """The soft maximum's derivative by s (G7).

    Parameters
    ----------
    s, sigma_min, shift
        As of `soft_maximum`.

    Returns
    -------
    float or ndarray
        Within 0..1: of the shape of `s`, float64.
    """
    return _numberwise(s, lambda v: _core.soft_maximum_derivative(v, sigma_min, shift))


def soft_maximum_inverse(sigma: ArrayLike, sigma_min: float = 0.3, shift: float = -3.0) -> Any:
    """The s whose soft maximum (G7) is sigma.

    Parameters
    ----------
    sigma : array_like
        Pixels.
    sigma_min, shift
        As of `soft_maximum`.

    Returns
    -------
    float or ndarray
        s: of the shape of `sigma`, float64.

    Raises
    ------
    ValueError
        Unless sigma > sigma_min.
    """
    return _numberwise(sigma, lambda v: _core.soft_maximum_inverse(v, sigma_min, shift))


def _numberwise(values: ArrayLike, f: Callable[[float], float]) -> Any:
    array = np.asarray(values, np.float64)
    return f(float(array)) if array.ndim == 0 else np.vectorize(f, otypes=[np.float64])(array)


def noise_level(image: ArrayLike, weight: Optional[ArrayLike] = None) -> float:
    """Standard deviation of white noise in an image, by the finest wavelet coefficients' MAD.

    Parameters
    ----------
    image : array_like
        (L), (H, W), (C, H, W) or (N, C, H, W). An axis of less than 4 pixels is left alone.
    weight : array_like, optional
        (H, W): coefficients that touch a pixel of weight 0 are left out.

    Returns
    -------
    float
        One number for all channels, in the image's unit; 0 where no coefficient is left.

    Raises
    ------
    TypeError
        For complex and object arrays.
    ValueError
        For pixels that are not finite, and a weight of another shape.

    Notes
    -----
    Donoho and Johnstone 1994, with Daubechies' wavelet of four taps.
    """
    x = _arrays.image(image, "image")
    w = None if weight is None else _arrays.lifted(_arrays.floating(weight, "weight", x.dtype))
    return _core.noise_level(_arrays.lifted(x), w)
