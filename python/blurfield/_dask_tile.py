# SPDX-License-Identifier: BSD-3-Clause
"""What tasks of deblur_tiles do, on arrays."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from . import _arrays, _deblur, _gaussian
from ._dask_blocks import Cut

Array = _arrays.Array


def cell_weights(part: Cut, size: int, cells: int) -> Array:
    """The weights of a grid's cells at the centres of those of a part, as psf_grid.h has them."""
    length = part.size
    if length == size:
        return np.eye(cells)
    count = min(2 * -(-length * cells // size) + 1, length)
    centres = part.pieces[0].start + (np.arange(count) + 0.5) * length / count
    at = np.clip(centres % size * cells / size - 0.5, 0, cells - 1)
    before = at.astype(int)
    weights = np.zeros((count, cells))
    share = np.cos(np.pi / 2 * (at - before)) ** 2
    weights[np.arange(count), before] = share
    weights[np.arange(count), np.minimum(before + 1, cells - 1)] += 1 - share
    return weights


def _found(part: Array, *rest: Array, names: Tuple[str, ...], options: Mapping[str, Any],
           unseen: List[Tuple[int, int]]) -> _deblur.Deblurred:
    """deblur of a part, but for the pixels `unseen` before and after each axis: light from beyond
    falls on them, of which only the border rule "extend" knows where the part was cut.
    """
    given: Dict[str, Any] = {**options, **dict(zip(names, rest))}
    if any(map(any, unseen)):
        height, width = part.shape[-2:]
        (top, bottom), (left, right) = unseen
        seen = np.zeros((1, 1, height, width), part.dtype)
        seen[..., top:height - bottom, left:width - right] = 1
        given["weight"] = seen * given.get("weight", 1)
    return _deblur.deblur(part, **given)


def deblurred(*parts: Array, keep: Tuple[slice, slice], **keywords: Any) -> Array:
    return _found(*parts, **keywords).image[(Ellipsis, *keep)]


def prior_weight(*parts: Array, **keywords: Any) -> Array:
    return np.full((1,) * 4, _found(*parts, **keywords).lambda_)


def noise_of(part: Array, weight: Optional[Array] = None) -> Array:
    """NaN where a tile is too small to tell, or of weight 0."""
    small = min(part.shape[-2:]) < 4 or (weight is not None and not weight.any())
    if weight is not None:
        part = np.where(weight > 0, part, 0)  # anything may stand there
    return np.full((1,) * 4, np.nan if small else _gaussian.noise_level(part, weight))


def faded(pieces: List[Array], places: List[Tuple[Tuple[int, ...], Tuple[int, ...]]]) -> Array:
    """The weighted mean of the results of tiles, where each has one."""
    if len(pieces) == 1:
        return np.ascontiguousarray(pieces[0])
    height, width = (max(place[axis][0] + piece.shape[axis - 2]
                         for piece, place in zip(pieces, places)) for axis in (0, 1))
    total = np.zeros((*pieces[0].shape[:-2], height, width))
    weights = np.zeros((height, width))
    for piece, place in zip(pieces, places):
        y, x = (slice(place[axis][0], place[axis][0] + piece.shape[axis - 2]) for axis in (0, 1))
        by_y, by_x = (_ramps(piece.shape[axis - 2], *place[axis][1:]) for axis in (0, 1))
        weight = by_y[:, None] * by_x
        total[..., y, x] += weight * piece
        weights[y, x] += weight
    return (total / weights).astype(pieces[0].dtype)


def _ramps(count: int, first: int, length: int, low: int, high: int) -> Array:
    """1 within a tile of a length, falling to 0 as sin^2 from `low` pixels within to as many beyond
    its begin, and likewise at its end; at `count` pixels from `first` on.
    """
    at = first + 0.5 + np.arange(count)
    weights = np.ones(count)
    for inside, ramp in ((at, low), (length - at, high)):
        if ramp:
            weights *= np.sin(np.pi / 2 * np.clip((inside + ramp) / (2 * ramp), 0, 1)) ** 2
    return weights
