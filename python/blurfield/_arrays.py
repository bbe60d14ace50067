# SPDX-License-Identifier: BSD-3-Clause
"""Arrays as the library takes them: float32 or float64, (N, C, H, W) or, for signals, (N, C, L)."""

from __future__ import annotations

import operator
from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray[Any, np.dtype[Any]]
_FLOATS: Tuple[np.dtype[Any], ...] = (np.dtype(np.float32), np.dtype(np.float64))


def numeric(value: ArrayLike, name: str) -> Array:
    """`value` as an array of real numbers, of at least one element."""
    array = np.asarray(value)
    if array.dtype.kind not in "fbiu":
        what = {"c": "complex", "O": "object"}.get(array.dtype.kind, str(array.dtype))
        raise TypeError(f"{name}: expected real numbers, got an array of {what}")
    if array.size == 0:
        raise ValueError(f"{name}: expected at least one element, got shape {array.shape}")
    return array


def float_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float32 for what it holds exactly (up to 16 bits), else float64."""
    single = dtype.itemsize <= 2 or (dtype.kind == "f" and dtype.itemsize == 4)
    return _FLOATS[0] if single else _FLOATS[1]


def floating(value: ArrayLike, name: str, dtype: Optional[np.dtype[Any]] = None) -> Array:
    """`value` as float32 or float64, itself where it is that already.

    Strides stay what they are; only unaligned and byte-swapped arrays are copied.
    """
    if type(value) is np.ndarray and value.size and (
            value.dtype is dtype or (dtype is None and value.dtype in _FLOATS)):
        array = value
    else:
        array = numeric(value, name)
        array = np.asarray(array, dtype=float_type(array.dtype) if dtype is None else dtype)
    if not array.dtype.isnative or not array.flags.aligned:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def lifted(array: Array) -> Array:
    """(L), (H, W) or (C, H, W) with the axes that are missing in front; a view."""
    rank = array.ndim
    if rank == 2:
        return array[None, None]
    if rank == 3:
        return array[None]
    if rank == 4:
        return array
    if rank == 1:
        return array[None, None]
    raise ValueError("expected a signal (L), or an image (H, W), (C, H, W) or (N, C, H, W), "
                     f"got shape {array.shape}")


def image(value: ArrayLike, name: str = "input") -> Array:
    """A signal or image of float32 or float64."""
    array = floating(value, name)
    if array.ndim < 1 or array.ndim > 4:
        raise ValueError(f"{name}: expected (L), (H, W), (C, H, W) or (N, C, H, W), "
                         f"got shape {array.shape}")
    return array


def result(like: Array, out: Optional[Array], shape: Optional[Tuple[int, ...]] = None) -> Array:
    """`out`, checked, or a new array of the shape and type of `like`."""
    if out is None:
        return np.empty(like.shape if shape is None else shape, like.dtype)
    wanted = like.shape if shape is None else shape
    if not isinstance(out, np.ndarray) or out.shape != wanted or (
            out.dtype.newbyteorder("=") != like.dtype):
        got = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ValueError(f"out: expected an array {like.dtype} {wanted}, got {got}")
    if not out.flags.writeable:
        raise ValueError("out: expected an array that can be written to, got a read-only one")
    return out


class Target:
    """Where a result is written: `out` itself, or a new array copied there at the end.

    Results may not overlap inputs, must be aligned, and of native byte order.
    """

    def __init__(self, out: Array, *inputs: Optional[Array]) -> None:
        self.out = out
        usable = out.dtype.isnative and out.flags.aligned
        overlaps = any(a is not None and np.may_share_memory(out, a) for a in inputs)
        self.array = (out if usable and not overlaps else
                      np.empty(out.shape, out.dtype.newbyteorder("=")))

    def finish(self) -> Array:
        if self.array is not self.out:
            self.out[...] = self.array
        return self.out


def radii(radius: Union[None, int, Sequence[int]]) -> list[int]:
    """None, a number or (ry, rx) as a list."""
    if radius is None:
        return []
    try:
        found = [operator.index(r) for r in np.atleast_1d(np.asarray(radius))]
    except TypeError:
        raise TypeError(f"radius: expected whole numbers, got {radius}") from None
    return [limited_radius(r) for r in found]


def limited_radius(radius: int) -> int:
    """A radius that the library can count to."""
    if not 0 <= radius <= 2**30:
        raise ValueError(f"radius: expected a whole number of 0 to 2^30, got {radius}")
    return radius
