# SPDX-License-Identifier: BSD-3-Clause
"""Correlations along axes of arrays of any rank, by planes, into outputs of any type."""

from __future__ import annotations

import operator
from typing import Any, Sequence, Tuple, Union

import numpy as np
from numpy.typing import DTypeLike

from . import _arrays, _core
from ._options import mode_name

Array = _arrays.Array
OutputLike = Union[None, Array, DTypeLike]
Modes = Union[str, Sequence[str]]
_MODES = ("reflect", "mirror", "nearest", "constant", "wrap")


class Output:
    """The result of filters: passes along axes, each stored in the output's type, as SciPy does."""

    def __init__(self, x: Array, output: OutputLike) -> None:
        if isinstance(output, np.ndarray):
            if output.shape != x.shape:
                raise ValueError(f"output: expected shape {x.shape}, got {output.shape}")
            _arrays.numeric(output, "output")
            self.array = output
        else:
            dtype = x.dtype if output is None else np.dtype(output)
            if dtype.kind not in "fbiu":
                raise TypeError(f"output: expected a type of real numbers, got {dtype}")
            self.array = np.zeros(x.shape, dtype) if dtype.kind != "f" else np.empty(x.shape, dtype)
        is_float = self.array.dtype.kind == "f"
        single = is_float and all(_arrays.float_type(a.dtype) == np.float32
                                  for a in (x, self.array))
        self.work = np.dtype(np.float32 if single else np.float64)

    def store(self, values: Array) -> None:
        """Integers are cut off; what rounding alone keeps below one counts as that."""
        dtype = self.array.dtype
        if dtype.kind in "biu":
            slack = np.minimum(64 * np.spacing(np.maximum(1, np.abs(values))), 0.25)
            values = np.trunc(values + np.copysign(slack, values))
            if dtype.kind == "u" and dtype.itemsize < 8:
                values = values.astype(np.int64)  # below 0 they wrap, as in SciPy
        if values is not self.array:
            self.array[...] = values.astype(dtype, copy=False)

    def filter(self, x: Array, passes: Sequence[Tuple[int, Array, str, int]], cval: float) -> Array:
        """Correlates along axes: (axis, weights, mode, origin) each."""
        if not passes:
            self.array[...] = x
            return self.array
        for axis, weights, mode, origin in passes:
            self._plane(x, ((axis, weights.size),), weights, [origin], mode, cval)
            x = self.array
        return self.array

    def filter_plane(self, x: Array, weights: Array, origins: Sequence[int], mode: str,
                     cval: float) -> Array:
        """Correlates with a kernel of the rank of x."""
        along = [axis for axis in range(x.ndim) if weights.shape[axis] > 1 or origins[axis]]
        if len(along) > 2:
            raise ValueError("weights: expected extents other than 1 along two axes at most, got "
                             f"shape {weights.shape}")
        along = along or [x.ndim - 1]
        taps = weights.reshape([weights.shape[axis] for axis in along])
        pairs = tuple((axis, weights.shape[axis]) for axis in along)
        self._plane(x, pairs, taps, [origins[axis] for axis in along], mode, cval)
        return self.array

    def _plane(self, x: Array, along: Sequence[Tuple[int, int]], taps: Array,
               origins: Sequence[int], mode: str, cval: float) -> None:
        """One correlation along one or two axes, as images (1, A, H, W)."""
        for (axis, size), origin in zip(along, origins):
            if not 0 <= size // 2 + origin < size:
                raise ValueError(f"origin: expected the middle within {size} weights along axis "
                                 f"{axis}, got {origin}")
        kernel = np.ascontiguousarray(_centred(taps, origins), self.work)
        values = _arrays.floating(x, "input", self.work)
        first = along[0][0]
        if len(along) == 2 and along[1][0] == x.ndim - 1:
            # Both axes as they lie: (A, H, B, W), where B may be more than one.
            values = np.moveaxis(values, first, -2)
            out = np.empty(values.shape, self.work)
            _correlate(values.reshape(1, -1, *values.shape[-2:]), kernel,
                       out.reshape(1, -1, *values.shape[-2:]), mode, cval)
            self.store(np.moveaxis(out, -2, first))
        elif len(along) == 2:
            values = np.moveaxis(values, [axis for axis, _ in along], [-2, -1])
            out = np.empty(values.shape, self.work)
            _correlate(np.ascontiguousarray(values).reshape(1, -1, *values.shape[-2:]), kernel,
                       out.reshape(1, -1, *values.shape[-2:]), mode, cval)
            self.store(np.moveaxis(out, [-2, -1], [axis for axis, _ in along]))
        else:
            # (before, along, after): along the last axis rows, else columns.
            before = int(np.prod(x.shape[:first], dtype=int))
            after = int(np.prod(x.shape[first + 1:], dtype=int))
            rows = after == 1
            plane = (1, 1, before, x.shape[first]) if rows else (1, before, x.shape[first], after)
            kernel = kernel.reshape((1, -1) if rows else (-1, 1))
            direct = (self.array.dtype == self.work and self.array.flags.c_contiguous
                      and self.array.flags.aligned and self.array.dtype.isnative
                      and not np.may_share_memory(self.array, values))
            out = self.array if direct else np.empty(x.shape, self.work)
            _correlate(values.reshape(plane), kernel, out.reshape(plane), mode, cval)
            self.store(out)


def _correlate(x: Array, kernel: Array, out: Array, mode: str, cval: float) -> None:
    options = _core.CorrelateOptions(mode, cval, "same", [], [], [], False, "auto")
    _core.correlate(x, kernel, out, options)


def each_axis(value: Any, count: int, name: str) -> list[Any]:
    """One value for all axes, or one for each."""
    if isinstance(value, (str, int, float)) or np.ndim(value) == 0:
        return [value] * count
    values = list(value)
    if len(values) != count:
        raise ValueError(f"{name}: expected one for all or one for each of {count} axes, got "
                         f"{len(values)}")
    return values


def axis_index(axis: int, rank: int) -> int:
    index = operator.index(axis)
    if not -rank <= index < rank:
        raise ValueError(f"axis: expected one of {rank} axes, got {axis}")
    return index % rank


def axis_list(axes: Union[None, int, Sequence[int]], rank: int) -> list[int]:
    if axes is None:
        return list(range(rank))
    chosen = [axis_index(axis, rank) for axis in ([axes] if isinstance(axes, int) else axes)]
    if len(set(chosen)) != len(chosen):
        raise ValueError(f"axes: expected each once, got {axes}")
    return chosen


def one_mode(mode: str) -> str:
    name = mode_name(mode)
    if name not in _MODES:
        raise ValueError(f"mode: expected {', '.join(_MODES)}, got {mode!r}")
    return name


def mode_list(mode: Modes, count: int) -> list[str]:
    return [one_mode(m) for m in each_axis(mode, count, "mode")]


def _centred(taps: Array, origins: Sequence[int]) -> Array:
    """Zeros added so that the middle is extent // 2 along each axis."""
    pads = []
    for size, origin in zip(taps.shape, origins):
        after = size - 1 - (size // 2 + origin)
        before = size - 1 - after
        pads.append((max(0, after - before), max(0, before - after)) if origin else (0, 0))
    return np.pad(taps, pads)
