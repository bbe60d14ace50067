# SPDX-License-Identifier: BSD-3-Clause
"""Fields on the chunks of an image, and how far their kernels reach in and into each."""

from __future__ import annotations

import math
from typing import Any, Optional, Tuple

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _fields, _gaussian
from ._dask_blocks import checked, edges
from ._options import Radius

Array = _arrays.Array


class FieldBlocks:
    """A field as (N | 1, K, H, W) with chunks (n | 1, K, h, w) where an image has (n, c, h, w).

    Attributes
    ----------
    kind : {"sigma", "logchol"}
        Covariances become log-Cholesky parameters.
    array : dask array
    """

    def __init__(self, image: Any, shape: Tuple[int, ...], chunks: Tuple[Tuple[int, ...], ...],
                 dtype: Any, sigma: Optional[ArrayLike], logchol: Optional[ArrayLike],
                 cov: Optional[ArrayLike]) -> None:
        """`shape` (H, W) of the field, `chunks` along N, H and W, `dtype` the image's type."""
        self.kind, value = _fields.one_of(sigma=sigma, logchol=logchol, cov=cov)
        array = checked(value, self.kind)
        if array.dtype != dtype:
            array = array.astype(dtype)
        if self.kind == "cov":
            self.kind, array = "logchol", _logchol_of(array, shape)
        lift = _fields._sigma if self.kind == "sigma" else _fields._logchol
        array = lift(array, image, shape)
        batch = chunks[0] if array.shape[0] > 1 else (1,)
        self.array = array.rechunk((batch, (array.shape[1],), chunks[1], chunks[2]))

    def widths(self) -> Array:
        """The largest sigma_y and sigma_x of each block, (blocks of N, 2, of H, of W): computed."""
        n, _, height, width = self.array.numblocks
        found = self.array.map_blocks(
            _largest, self.kind, dtype=np.float64,
            chunks=((1,) * n, (2,), (1,) * height, (1,) * width))
        return np.asarray(found.compute())


def _logchol_of(array: Any, shape: Tuple[int, ...]) -> Any:
    """A dask array of covariances (..., H, W, 2, 2) as (..., 3, H, W)."""
    if array.ndim not in (4, 5) or array.shape[-4:] != (*shape, 2, 2):
        raise ValueError(f"cov: expected shape {(*shape, 2, 2)}, got {array.shape}")
    rank = array.ndim
    array = array.rechunk({rank - 2: 2, rank - 1: 2})
    before, (height, width) = array.chunks[:-4], array.chunks[-4:-2]
    return array.map_blocks(_gaussian.cov_to_logchol, dtype=array.dtype,
                            drop_axis=(rank - 2, rank - 1), new_axis=rank - 4,
                            chunks=(*before, (3,), height, width))


def _largest(block: Array, kind: str) -> Array:
    widths = _gaussian.logchol_to_sigma(block) if kind == "logchol" else block
    if not np.all((widths > 0) & (widths < np.inf)):
        raise ValueError(f"{kind}: expected finite numbers" + (" > 0" if kind == "sigma" else ""))
    most = widths.max(axis=(0, 2, 3)).astype(np.float64)
    return np.broadcast_to(most, (2,)).reshape(1, 2, 1, 1)


def reach(widths: ArrayLike, dtype: Any, truncate: float, radius: Radius, tolerance: float
          ) -> Array:
    """Pixels that kernels of these sigmas reach; sigma_y and sigma_x along the second axis.

    With a tolerance, taps on a level of the stack and the filter that made the level: tails of the
    tolerance's order on both sides of two widths whose squares add up to sigma's.
    """
    sigma = np.asarray(widths, np.float64)
    if tolerance > 0:
        tail = math.sqrt(2 * math.log(80 / min(tolerance, 0.1)))
        pixels = np.ceil((math.sqrt(2) * tail + 1) * sigma) + 1
    else:
        most = 13.5 if dtype == np.float32 else 38.0  # sigmas, where weights vanish
        if radius is not None:
            given = np.broadcast_to(_arrays.radii(radius), (2,)).reshape(2, 1, 1)
            pixels = np.minimum(given, np.ceil(most * sigma) + 1)
        else:
            pixels = np.maximum(1, np.floor(min(truncate, most) * sigma + 0.5))
    return np.minimum(pixels, 2.0**30).astype(int)


def arriving(reaches: Array, rows: Tuple[int, ...], columns: Tuple[int, ...], wrap: bool
             ) -> Array:
    """The farthest that comes from in each block, of the kernels that get there from any block.

    A kernel that does not reach a block does not do so from its mirror images either, which are
    farther away: those of a part's ends, where the rule extends it, add nothing.
    """
    apart_y, apart_x = _apart(rows, wrap), _apart(columns, wrap)
    out = reaches.copy()
    for n, y, x in np.ndindex(reaches.shape[0], *reaches.shape[2:]):
        ry, rx = reaches[n, :, y, x]
        there = np.ix_(np.arange(2), np.flatnonzero(apart_y[y] <= ry),
                       np.flatnonzero(apart_x[x] <= rx))
        out[n][there] = np.maximum(out[n][there], reaches[n, :, y, x].reshape(2, 1, 1))
    return out


def _apart(chunks: Tuple[int, ...], wrap: bool) -> Array:
    """Pixels between the nearest of each two chunks of an axis."""
    begin = np.array(edges(chunks))
    first, last = begin[:-1], begin[1:] - 1

    def apart(shift: int) -> Array:
        ahead = first[None, :] + shift - last[:, None]
        behind = first[:, None] - (last[None, :] + shift)
        return np.maximum(0, np.maximum(ahead, behind))

    if not wrap:
        return apart(0)
    size = int(begin[-1])
    return np.minimum(apart(0), np.minimum(apart(size), apart(-size)))
