# SPDX-License-Identifier: BSD-3-Clause
"""Sliding windows, and classic filters by name."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _core
from ._options import mode_name

Array = _arrays.Array
Whole = Union[int, Sequence[int]]


def sliding_window(input: Array, window: Whole, stride: Whole = 1) -> Array:
    """All windows that lie within the image, `stride` apart: a view, without a copy.

    Parameters
    ----------
    input : ndarray
        (..., H, W), or (L) with one number as `window`.
    window, stride : int or (int, int)
        Pixels along (y, x), or along both.

    Returns
    -------
    ndarray
        (..., Ho, Wo, kh, kw), read-only; Ho = floor((H - kh) / stride) + 1 (C1). Of a signal
        (Lo, k).

    Raises
    ------
    ValueError
        For windows larger than the image, and numbers below 1.
    """
    x = np.asarray(input)
    axes = min(x.ndim, 2)
    sizes, steps = (np.broadcast_to(np.asarray(v, int), (axes,)) for v in (window, stride))
    if axes == 0 or np.any(sizes < 1) or np.any(sizes > x.shape[-axes:]) or np.any(steps < 1):
        raise ValueError(f"sliding_window: expected windows of 1 to {x.shape[-axes:]} pixels and "
                         f"strides >= 1, got {window} and {stride}")
    along: Any = tuple(range(-axes, 0))
    views = np.lib.stride_tricks.sliding_window_view(x, tuple(sizes), along)
    skip = tuple(slice(None, None, int(step)) for step in steps)
    index: Any = (..., *skip, *(slice(None),) * axes)
    return views[index]


def im2col(input: ArrayLike, window: Whole, *, stride: Whole = 1, dilation: Whole = 1,
           output: str = "same", mode: str = "reflect", cval: float = 0.0) -> Array:
    """Windows as a kernel sees them, packed: (..., C kh kw, Ho Wo).

    Parameters
    ----------
    input : array_like
        (H, W), (C, H, W) or (N, C, H, W).
    window : int or (int, int)
        (kh, kw).
    stride, dilation : int or (int, int)
        Pixels.
    output : {"same", "full", "valid"}
        Where windows stand.
    mode, cval
        What stands beyond the border, as of `adaptive_blur`.

    Returns
    -------
    ndarray
        (C kh kw, Ho Wo), or (N, C kh kw, Ho Wo) of a batch: tap (i, j) of channel c is row
        (c kh + i) kw + j. float32 or float64.

    Raises
    ------
    TypeError
        For complex and object arrays.
    ValueError
        For numbers below 1, and windows that leave no output.

    Notes
    -----
    Ho and Wo by (C1).
    """
    x = _arrays.image(input)
    options = _options(stride, dilation, output, mode, cval)
    shape = _core.im2col_shape(list(_arrays.lifted(x).shape), _pair(window), options)
    out = np.empty(shape, x.dtype)
    _core.im2col(_arrays.lifted(x), _pair(window), out, options)
    return out if x.ndim == 4 else out[0]


def col2im(columns: ArrayLike, shape: Sequence[int], window: Whole, *, stride: Whole = 1,
           dilation: Whole = 1, output: str = "same", mode: str = "reflect") -> Array:
    """The adjoint of im2col: every entry is added to the pixel that it came from.

    Parameters
    ----------
    columns : array_like
        (C kh kw, Ho Wo), or (N, C kh kw, Ho Wo) for a batch.
    shape : sequence of int
        Of the image: (H, W), (C, H, W) or (N, C, H, W).
    window, stride, dilation, output, mode
        As of `im2col`.

    Returns
    -------
    ndarray
        Of the shape `shape`, float32 or float64.

    Raises
    ------
    TypeError, ValueError
        As `im2col`; ValueError for columns that do not belong to the shape.
    """
    c = _arrays.floating(columns, "columns")
    out = np.empty(tuple(shape), c.dtype)
    _core.col2im(c if c.ndim == 3 else c[None], _pair(window), _arrays.lifted(out),
                 _options(stride, dilation, output, mode, 0.0))
    return out


def _pair(value: Whole) -> list[int]:
    return [int(v) for v in np.broadcast_to(np.asarray(value, int), (2,))]


def _options(stride: Whole, dilation: Whole, output: str, mode: str,
             cval: float) -> _core.CorrelateOptions:
    return _core.CorrelateOptions(mode_name(mode), cval, output, _pair(stride), _pair(dilation), [],
                                  False, "auto")


class Filter(NamedTuple):
    """A filter of the bank: its name, what it does, and what it takes."""

    name: str
    summary: str
    has_sigma: bool
    least_size: int
    usual_size: int

    def kernel(self, size: Optional[int] = None, sigma: float = 0.0) -> Array:
        """The weights (size, size), to be correlated; see make_filter."""
        return make_filter(self.name, self.usual_size if size is None else size, sigma)


def filter_bank() -> Tuple[Filter, ...]:
    """All filters known by name.

    Returns
    -------
    tuple of Filter
        In a fixed order.
    """
    return tuple(Filter(*entry) for entry in _core.filters())


def make_filter(name: str, size: int, sigma: float = 0.0) -> Array:
    """The weights (size, size) of a filter by name, float64, to be correlated.

    Parameters
    ----------
    name : str
        One of `filter_bank`, say "sobel-x".
    size : int
        Pixels, odd, and at least the filter's `least_size`.
    sigma : float
        Of those that have one, pixels; 0 stands for size / 6.

    Returns
    -------
    ndarray
        (size, size), float64, y downwards: "sobel-x" is positive where light grows to the right.

    Raises
    ------
    ValueError
        For an unknown name, listing the known ones, and for a size that is even or too small.
    """
    return np.array(_core.make_filter(name, size, sigma)).reshape(size, size)
