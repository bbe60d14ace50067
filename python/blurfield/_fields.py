# SPDX-License-Identifier: BSD-3-Clause
"""Fields of Gaussians: sigma, log-Cholesky parameters or covariances, as (N, 1 | 2 | 3, H, W)."""

from __future__ import annotations

from typing import Optional, Tuple

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _core

Array = _arrays.Array


def one_of(**given: Optional[ArrayLike]) -> Tuple[str, ArrayLike]:
    """The name and value of the only argument that is not None."""
    found = [(name, value) for name, value in given.items() if value is not None]
    if len(found) != 1:
        names = [name for name, _ in found]
        raise TypeError(f"expected one of {', '.join(given)}, got "
                        f"{' and '.join(names) if names else 'none'}")
    return found[0]


def _sigma(array: Array, image: Array, shape: Tuple[int, ...]) -> Array:
    """sigma as (N, 1 | 2, H, W)."""
    batched = image.ndim == 4
    if array.shape == shape:
        return array[None, None]
    if array.ndim == 3 and array.shape[1:] == shape:
        is_batch = batched and array.shape[0] == image.shape[0]
        if is_batch and array.shape[0] == 2:
            raise ValueError(
                f"sigma: a shape of {array.shape} may mean (N, H, W) or (2, H, W): expected "
                f"{(2, 1, *shape)} for a field per image, or {(1, 2, *shape)} for two axes")
        if is_batch:
            return array[:, None]
        if array.shape[0] in (1, 2):
            return array[None]
    if batched and array.ndim == 4 and array.shape[0] in (1, image.shape[0]) and (
            array.shape[1] in (1, 2) and array.shape[2:] == shape):
        return array
    if array.ndim == 0:
        raise ValueError("sigma: expected a number for every pixel, got one: uniform_blur and "
                         "gaussian_filter take that")
    front = f", or with {image.shape[0]} in front" if batched else ""
    raise ValueError(f"sigma: expected shape {shape} or {(2, *shape)}{front}, got {array.shape}")


def _logchol(array: Array, image: Array, shape: Tuple[int, ...]) -> Array:
    """logchol as (N, 3, H, W)."""
    if array.shape == (3, *shape):
        return array[None]
    if image.ndim == 4 and array.ndim == 4 and array.shape[1:] == (3, *shape) and (
            array.shape[0] in (1, image.shape[0])):
        return array
    raise ValueError(f"logchol: expected shape {(3, *shape)}"
                     f"{', or with the batch in front' if image.ndim == 4 else ''}, "
                     f"got {array.shape}")


def cov_planes(array: Array) -> Array:
    """cov (..., H, W, 2, 2) as (N, 3, H, W): Sigma_yy, Sigma_yx, Sigma_xx."""
    tilted = np.abs(array[..., 0, 1] - array[..., 1, 0])
    size = np.abs(array[..., 0, 0]) + np.abs(array[..., 1, 1])
    if np.any(tilted > 1e-5 * size):
        raise ValueError("cov: expected symmetric matrices, got some that are not")
    planes = np.stack([array[..., 0, 0], (array[..., 0, 1] + array[..., 1, 0]) / 2,
                       array[..., 1, 1]], axis=-3)
    return planes if planes.ndim == 4 else planes[None]


def cov_matrices(planes: Array) -> Array:
    """The reverse: (..., 3, H, W) as (..., H, W, 2, 2)."""
    yy, yx, xx = (planes[..., i, :, :] for i in range(3))
    return np.stack([np.stack([yy, yx], -1), np.stack([yx, xx], -1)], -2)


def _cov(array: Array, image: Array, shape: Tuple[int, ...]) -> Array:
    """cov as planes (N, 3, H, W)."""
    ranks = (4, 5) if image.ndim == 4 else (4,)
    batch = array.ndim == 4 or array.shape[:1] in ((1,), image.shape[:1])
    if array.ndim not in ranks or array.shape[-4:] != (*shape, 2, 2) or not batch:
        raise ValueError(f"cov: expected shape {(*shape, 2, 2)}"
                         f"{', or with the batch in front' if image.ndim == 4 else ''}, "
                         f"got {array.shape}")
    return cov_planes(array)


class Field:
    """A field for an image, and the way back from gradients by (N, K, H, W) to what was given.

    Attributes
    ----------
    kind : {"sigma", "logchol", "cov"}
    given : ndarray
        What the user handed in, as floats of the image's type.
    array : ndarray
        The same as (N, 1 | 2 | 3, H, W), or (N, 1, L) for signals; log-Cholesky for cov.
    """

    def __init__(self, image: Array, sigma: Optional[ArrayLike], logchol: Optional[ArrayLike],
                 cov: Optional[ArrayLike]) -> None:
        self.kind, value = one_of(sigma=sigma, logchol=logchol, cov=cov)
        self.given = _arrays.floating(value, self.kind, image.dtype)
        shape = image.shape[-2:] if image.ndim > 1 else image.shape
        if image.ndim == 1:
            if self.kind != "sigma" or self.given.shape != shape:
                raise ValueError(f"a signal takes sigma of its own shape {shape}, got {self.kind} "
                                 f"{self.given.shape}")
            self.array = self.given[None, None]
        elif self.kind == "cov":
            self.planes = _cov(self.given, image, shape)
            self.array = np.empty_like(self.planes)
            _core.cov_to_logchol(self.planes, self.array)
        else:
            self.array = (_sigma if self.kind == "sigma" else _logchol)(self.given, image, shape)

    def along(self, dot: Optional[ArrayLike]) -> Optional[Array]:
        """A direction of what was given, as one of `array`."""
        if dot is None:
            return None
        values = _arrays.floating(dot, f"{self.kind}_dot", self.given.dtype)
        if values.shape != self.given.shape:
            raise ValueError(f"{self.kind}_dot: expected shape {self.given.shape}, got "
                             f"{values.shape}")
        if self.kind != "cov":
            return values.reshape(self.array.shape)
        out = np.empty_like(self.planes)
        # Only the symmetric part of a direction moves a covariance.
        symmetric = (values + np.swapaxes(values, -1, -2)) / 2
        _core.cov_to_logchol_jvp(self.planes, cov_planes(symmetric), out)
        return out

    def gradient(self, grad: Array) -> Array:
        """A gradient by `array` as one by what was given."""
        if self.kind != "cov":
            return grad.reshape(self.given.shape)
        out = np.empty_like(self.planes)
        _core.cov_to_logchol_vjp(self.planes, grad, out)
        # Both off-diagonal entries are the same number: half of its gradient for each.
        out[:, 1] /= 2
        return cov_matrices(out).reshape(self.given.shape)
