# SPDX-License-Identifier: BSD-3-Clause
"""scipy.signal's convolutions by FFT."""

from __future__ import annotations

from typing import Any, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _core
from ._passes import axis_list

Array = _arrays.Array


def fftconvolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full",
                axes: Union[None, int, Sequence[int]] = None) -> Array:
    """Convolution by FFT, as scipy.signal.fftconvolve.

    Parameters
    ----------
    in1, in2 : array_like
        Real numbers, of one rank; finite. Along other axes than `axes` they broadcast.
    mode : {"full", "valid", "same"}
        "same" is the size of `in1`, centred in "full"; "valid" needs one of the two to be at least
        as large as the other along every axis.
    axes : int or sequence of int, optional
        The axes of the convolution: one or two; all by default.

    Returns
    -------
    ndarray
        Of the extents that `mode` says; float32 if both are, else float64.

    Raises
    ------
    TypeError
        For complex and object arrays.
    ValueError
        For different ranks, values that are not finite, more than two axes, and a "valid" that no
        order of the two allows.
    """
    return _convolve(in1, in2, mode, axes)


def oaconvolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full",
               axes: Union[None, int, Sequence[int]] = None) -> Array:
    """Convolution by overlapping blocks, as scipy.signal.oaconvolve.

    The same as `fftconvolve`, which cuts large images into blocks by itself.

    Parameters
    ----------
    in1, in2, mode, axes
        As of `fftconvolve`.

    Returns
    -------
    ndarray
        As of `fftconvolve`.

    Raises
    ------
    TypeError, ValueError
        As `fftconvolve`.
    """
    return _convolve(in1, in2, mode, axes)


def _convolve(in1: ArrayLike, in2: ArrayLike, mode: str,
              axes: Union[None, int, Sequence[int]]) -> Array:
    a, b = _arrays.numeric(in1, "in1"), _arrays.numeric(in2, "in2")
    if mode not in ("full", "valid", "same"):
        raise ValueError(f"mode: expected full, valid or same, got {mode!r}")
    if a.ndim != b.ndim:
        raise ValueError(f"expected two arrays of one rank, got shapes {a.shape} and {b.shape}")
    if a.ndim == 0:
        return np.asarray(a * b)
    along = axis_list(axes, a.ndim)
    if len(along) > 2:
        raise ValueError(f"axes: expected one or two, got {len(along)}")
    single = all(_arrays.float_type(v.dtype) == np.float32 for v in (a, b))
    dtype = np.dtype(np.float32 if single else np.float64)
    # Axes of extent 1 in one of the two multiply.
    a, b = (np.moveaxis(v.astype(dtype, copy=False), along, range(-len(along), 0)) for v in (a, b))
    if len(along) == 1:
        a, b = a[..., None, :], b[..., None, :]
    outer = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    sizes = a.shape[-2:], b.shape[-2:]
    both = [(n, m) for n, m in zip(*sizes) if min(n, m) > 1]  # one pixel multiplies
    if mode == "valid" and all(n <= m for n, m in both):
        a, b = b, a
    elif mode == "valid" and not all(n >= m for n, m in both):
        raise ValueError("mode valid: expected one array at least as large as the other along "
                         f"every axis, got {sizes[0]} and {sizes[1]}")
    full = _full(a, b, outer, dtype)
    start: Tuple[int, ...]
    extent: Tuple[int, ...]
    if mode == "full":
        start, extent = (0, 0), full.shape[-2:]
    elif mode == "same":
        extent = sizes[0]
        start = tuple((n - m) // 2 for n, m in zip(full.shape[-2:], extent))
    else:
        pairs = list(zip(a.shape[-2:], b.shape[-2:]))
        start = tuple(m - 1 if n > 1 else 0 for n, m in pairs)
        extent = tuple(n - m + 1 if n > 1 else m for n, m in pairs)
    out = full[..., start[0]:start[0] + extent[0], start[1]:start[1] + extent[1]]
    if len(along) == 1:
        out = out[..., 0, :]
    return np.ascontiguousarray(np.moveaxis(out, range(-len(along), 0), along))


def _full(a: Array, b: Array, outer: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Each plane of a with its plane of b, the smaller one as the kernel."""
    if a.shape[-2] * a.shape[-1] < b.shape[-2] * b.shape[-1]:
        a, b = b, a
    count = int(np.prod(outer, dtype=int))
    shared = b.size == b.shape[-2] * b.shape[-1]
    image = np.broadcast_to(a, (*outer, *a.shape[-2:])).reshape(1, count, *a.shape[-2:])
    kernel = (np.ascontiguousarray(b.reshape(b.shape[-2:])) if shared else
              np.broadcast_to(b, (*outer, *b.shape[-2:])).reshape(count, *b.shape[-2:]))
    options = _core.CorrelateOptions("constant", 0.0, "full", [], [], [], True, "fft")
    shape = _core.correlate_shape(list(image.shape), list(kernel.shape), options)
    out = np.empty(shape, dtype)
    _core.correlate(image, np.ascontiguousarray(kernel), out, options)
    return out.reshape(*outer, *shape[-2:])
