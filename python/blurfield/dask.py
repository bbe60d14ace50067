# SPDX-License-Identifier: BSD-3-Clause
"""Blur and deblur dask arrays: chunk by chunk, lazily, with the result of the whole.

Every output chunk is computed from a part of the input of its own: the chunk and a halo as wide as
the kernels of that chunk reach, not those of the whole field. Chunks may be uneven, and smaller
than their halos; much larger ones (8 sigma and more) cost least.

Calls use all cores by default. Where workers run a task per core, let each call use one thread:
``limit_threads(client)``, or ``blurfield.set_num_threads(1)`` without a cluster. Results do not
depend on it.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Mapping, Optional, Sequence, Tuple, Union

import dask.array as da
import numpy as np
from numpy.typing import DTypeLike

from . import _arrays, _blur, _ndimage, _passes
from ._dask_blocks import Cut, Source, by_block, checked, cut, edges, lifted
from ._dask_deblur import deblur_tiles
from ._dask_field import FieldBlocks, arriving, reach
from ._options import DEFAULT_TRUNCATE, Radius, mode_name
from ._threads import set_num_threads

__all__ = ["adaptive_blur", "deblur_tiles", "gaussian_filter", "limit_threads"]

Array = _arrays.Array
Index = Tuple[int, ...]
# Options are tried on it before any graph is built: what is wrong with them is told at once.
_SMALLEST = _ONE = np.ones((1, 1))


def adaptive_blur(input: Any, *, sigma: Any = None, logchol: Any = None, cov: Any = None,
                  scatter: bool = False, truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
                  mode: str = "reflect", cval: float = 0.0, tolerance: float = 0) -> Any:
    """Blur with a Gaussian of its own for every pixel; `blurfield.adaptive_blur` of dask arrays.

    Parameters
    ----------
    input : dask array or array_like
        (H, W), (C, H, W) or (N, C, H, W), of any chunks.
    sigma, logchol, cov : dask array or array_like
        One of them, shaped as for `blurfield.adaptive_blur`, in pixels; of any chunks.
    scatter, truncate, radius, mode, cval, tolerance
        As of `blurfield.adaptive_blur`.

    Returns
    -------
    dask array
        Lazy, of the shape and chunks of `input`; float32 or float64.

    Raises
    ------
    TypeError
        For complex and object arrays, and unless one of sigma, logchol, cov is given.
    ValueError
        At once for unknown chunks, shapes that do not match and widths that are not finite or not
        > 0; when computed, for pixels that are not finite.

    Notes
    -----
    The largest width within each chunk is computed at once, by the scheduler in use: a pass over
    the field, not over the input. What a chunk needs of the input is taken from it; for `scatter`,
    from the widths in all chunks whose kernels reach it.

    Equal to the result without chunks to rounding. With a tolerance both are within that of the
    exact blur, and need not agree better than that.

    Examples
    --------
    >>> import dask.array as da, blurfield.dask
    >>> x = da.random.random((512, 512), chunks=200)
    >>> sigma = da.linspace(0.5, 8, 512, chunks=200)[None, :] * da.ones((512, 1), chunks=200)
    >>> blurfield.dask.adaptive_blur(x, sigma=sigma).chunks
    ((200, 200, 112), (200, 200, 112))
    """
    x = checked(input, "input")
    dtype = _arrays.float_type(x.dtype)
    call = functools.partial(_blur.adaptive_blur, scatter=scatter, truncate=truncate,
                             radius=radius, mode=mode, cval=cval, tolerance=tolerance)
    call(_SMALLEST, sigma=_ONE)
    return _by_field(call, x, dtype, dtype, dict(sigma=sigma, logchol=logchol, cov=cov), scatter,
                     truncate, radius, mode, tolerance)


def gaussian_filter(input: Any, sigma: Any, order: Union[int, Sequence[int]] = 0,
                    output: Optional[DTypeLike] = None, mode: Union[str, Sequence[str]] = "reflect",
                    cval: float = 0.0, truncate: float = DEFAULT_TRUNCATE, *,
                    radius: Radius = None, axes: Union[None, int, Sequence[int]] = None,
                    tolerance: float = 0) -> Any:
    """Gaussian filter; `blurfield.gaussian_filter` of dask arrays.

    Parameters
    ----------
    input : dask array or array_like
        Of any rank and chunks; (H, W), (C, H, W) or (N, C, H, W) with a field.
    sigma : float, sequence of float, dask array or array_like
        Pixels: one for all axes, one for each, or a field on the last two axes.
    output : dtype, optional
        Type of the result; None: that of `input`.
    order, mode, cval, truncate, radius, axes, tolerance
        As of `blurfield.gaussian_filter`.

    Returns
    -------
    dask array
        Lazy, of the shape and chunks of `input`.

    Notes
    -----
    As for `adaptive_blur`. For numbers, all chunks have the same halo.
    """
    x = checked(input, "input")
    if isinstance(output, np.ndarray):
        raise TypeError("output: expected a dtype, got an array")
    dtype = x.dtype if output is None else np.dtype(output)
    call = functools.partial(_ndimage.gaussian_filter, order=order, output=dtype, mode=mode,
                             cval=cval, truncate=truncate, radius=radius, axes=axes,
                             tolerance=tolerance)
    smallest = np.zeros((1,) * x.ndim, x.dtype)
    if np.ndim(sigma) >= 2:
        call(smallest, sigma=_ONE)
        last = None if axes is None else (-2, -1)
        single = all(_arrays.float_type(d) == np.float32 for d in (x.dtype, dtype))
        work = np.dtype(np.float32 if single and dtype.kind == "f" else np.float64)
        call = functools.partial(call, axes=last)
        return _by_field(call, x, work, dtype, dict(sigma=sigma), False, truncate, radius,
                         str(mode), tolerance)
    call(smallest, sigma=sigma)
    chosen = _passes.axis_list(axes, x.ndim)
    sigmas = [float(s) for s in _passes.each_axis(sigma, len(chosen), "sigma")]
    wraps = [m == "wrap" for m in _passes.mode_list(mode, len(chosen))]
    radii = _passes.each_axis(radius, len(chosen), "radius")
    halos = {}
    for axis, s, r in zip(chosen, sigmas, radii):
        far = int(truncate * s + 0.5) if r is None else int(r)
        halos[axis] = max(far, int(reach(s, dtype, truncate, None, tolerance)) if tolerance else 0)

    def cuts(index: Index) -> Mapping[int, Cut]:
        return {axis - x.ndim: _cut(x, axis, index, halo, wrap)
                for (axis, halo), wrap in zip(halos.items(), wraps) if halo > 0}

    def keywords(index: Index) -> Mapping[str, Any]:
        return {"sizes": _sizes(x.chunks, index), "cuts": cuts(index)}

    source = Source(x, cuts, lambda index: index)
    return by_block("gaussian_filter", x.chunks, dtype, [source],
                    functools.partial(_filtered, functools.partial(call, sigma=sigmas)), keywords,
                    halos, wraps)


def limit_threads(client: Any, threads: int = 1) -> None:
    """Let calls use so many threads in every worker of a cluster, those to come included.

    Parameters
    ----------
    client : distributed.Client
    threads : int
        The most that each call uses; 0: all cores. 1 suits workers with a task per core.
    """
    from distributed import WorkerPlugin

    class Threads(WorkerPlugin):  # type: ignore[misc]
        """client.run would leave out workers that start later."""

        name = "blurfield-threads"

        def setup(self, worker: Any) -> None:
            set_num_threads(threads)

    # Before 2023.9 of distributed by its older name.
    register = getattr(client, "register_plugin", None) or client.register_worker_plugin
    register(Threads())


def _cut(x: Any, axis: int, index: Index, halo: int, wrap: bool) -> Cut:
    begin = edges(x.chunks[axis])
    i = index[axis]
    return cut(begin[i], begin[i + 1], halo, begin[-1], wrap)


def _sizes(chunks: Tuple[Tuple[int, ...], ...], index: Index) -> Index:
    return tuple(axis[i] for axis, i in zip(chunks, index))


def _block(array: Array, sizes: Index, cuts: Mapping[int, Cut]) -> Array:
    """What remains of a part when its halo is cut off."""
    where = [slice(None)] * array.ndim
    for axis, piece in cuts.items():
        where[axis] = slice(piece.before, piece.before + sizes[axis])
    return np.ascontiguousarray(array[tuple(where)])


def _filtered(call: Callable[..., Array], part: Array, *, sizes: Index,
              cuts: Mapping[int, Cut]) -> Array:
    return _block(call(part), sizes, cuts)


def _blurred(call: Callable[..., Array], part: Array, field: Array, *, kind: str, sizes: Index,
             cuts: Mapping[int, Cut]) -> Array:
    if field.shape[-2:] != part.shape[-2:]:
        field = _with_halo(field, kind, part.shape, cuts)
    return _block(call(part, **{kind: field}), sizes, cuts)


def _with_halo(field: Array, kind: str, shape: Tuple[int, ...], cuts: Mapping[int, Cut]) -> Array:
    """A field where only a block's results are wanted: its narrowest Gaussian around, as cheap."""
    least = field.min(axis=(-2, -1), keepdims=True)
    if kind == "logchol":
        least[:, 1] = 0
    whole = np.empty((*field.shape[:2], *shape[-2:]), field.dtype)
    whole[...] = least
    y, x = (slice(cuts[a].before, cuts[a].before + field.shape[a]) for a in (-2, -1))
    whole[..., y, x] = field
    return whole


def _by_field(call: Callable[..., Array], x: Any, work: Any, dtype: Any, given: Mapping[str, Any],
              scatter: bool, truncate: float, radius: Radius, mode: str, tolerance: float) -> Any:
    """call(part, sigma= | logchol=) of every block; `work` is the type that is computed in."""
    whole = lifted(x)
    chunks = whole.chunks
    field = FieldBlocks(x, x.shape[-2:], (chunks[0], *chunks[2:]), work, given.get("sigma"),
                        given.get("logchol"), given.get("cov"))
    wrap = mode_name(mode) == "wrap"
    halos = reach(field.widths(), work, truncate, radius, tolerance)
    if scatter:
        halos = arriving(halos, chunks[2], chunks[3], wrap)
    shared = field.array.shape[0] == 1

    def at(index: Index) -> Index:
        return (0 if shared else index[0], 0, *index[2:])

    def cuts(index: Index) -> Mapping[int, Cut]:
        n, _, i, j = at(index)
        return {axis - 4: _cut(whole, axis, index, int(halos[n, axis - 2, i, j]), wrap)
                for axis in (2, 3)}

    def keywords(index: Index) -> Mapping[str, Any]:
        return {"kind": field.kind, "sizes": _sizes(chunks, index), "cuts": cuts(index)}

    sources = [Source(whole, cuts, lambda index: index),
               Source(field.array, cuts if scatter else lambda index: {}, at)]
    result = by_block("adaptive_blur", chunks, dtype, sources, functools.partial(_blurred, call),
                      keywords, halos)
    return result[(0,) * (4 - x.ndim)]
