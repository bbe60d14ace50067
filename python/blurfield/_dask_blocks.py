# SPDX-License-Identifier: BSD-3-Clause
"""Blocks of dask arrays with halos of their own: one graph, cut from the chunks at hand."""

from __future__ import annotations

import operator
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

import dask.array as da
import numpy as np
from dask.array.core import concatenate3
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from . import _arrays

Array = _arrays.Array


class Cut(NamedTuple):
    """Pieces of an axis that follow each other in a part, and where the block stands in it."""

    pieces: Tuple[slice, ...]
    before: int

    @property
    def size(self) -> int:
        return sum(piece.stop - piece.start for piece in self.pieces)


def cut(start: int, stop: int, halo: int, size: int, wrap: bool) -> Cut:
    """start..stop and `halo` pixels on both sides, within an axis of `size`.

    Where the part ends at the border, the boundary rule finds all that it asks for within the part:
    what stands k pixels beyond is nearer to the block than k pixels before the border. Under wrap
    the halo comes from the other side, unless the part is the whole axis.
    """
    low, high = start - halo, stop + halo
    if not wrap:
        low, high = max(low, 0), min(high, size)
    if high - low >= size:
        return Cut((slice(0, size),), start)
    pieces = [slice(low + size, size)] if low < 0 else []
    pieces.append(slice(max(low, 0), min(high, size)))
    if high > size:
        pieces.append(slice(0, high - size))
    return Cut(tuple(pieces), start - low)


def edges(chunks: Sequence[int]) -> List[int]:
    """Where chunks begin, and the end."""
    return [0, *(int(n) for n in np.cumsum(chunks))]


def checked(array: Any, name: str) -> Any:
    """A dask array of known chunks without empty ones; arrays of other kinds are wrapped."""
    if not isinstance(array, da.Array):
        array = da.from_array(np.asarray(array))
    if any(np.isnan(n) for n in array.shape):
        raise ValueError(f"{name}: expected known chunks (compute_chunk_sizes), got {array.chunks}")
    if array.dtype.kind not in "fbiu":
        raise TypeError(f"{name}: expected real numbers, got {array.dtype}")
    if array.size == 0:
        raise ValueError(f"{name}: expected at least one element, got shape {array.shape}")
    if any(0 in axis for axis in array.chunks):
        array = array.rechunk(tuple(tuple(n for n in axis if n) for axis in array.chunks))
    return array


def lifted(array: Any) -> Any:
    """A dask array of two to four axes as (N, C, H, W)."""
    if not 2 <= array.ndim <= 4:
        raise ValueError("expected an image (H, W), (C, H, W) or (N, C, H, W), got shape "
                         f"{array.shape}")
    return _arrays.lifted(array)


def _spans(chunks: Sequence[int], piece: slice) -> Iterator[Tuple[int, slice]]:
    """The chunks that a piece touches, and what it takes of each."""
    begin = 0
    for i, n in enumerate(chunks):
        low, high = max(piece.start - begin, 0), min(piece.stop - begin, n)
        if low < high:
            yield i, slice(low, high)
        begin += n


class Source(NamedTuple):
    """An array that blocks are computed from, and what of it a block asks for."""

    array: Any
    cuts: Callable[[Tuple[int, ...]], Mapping[int, Cut]]  # of an output block: by axis from the end
    # Block i of the output belongs to block at(i) along axes that are not cut.
    at: Callable[[Tuple[int, ...]], Tuple[int, ...]]


def _part(graph: Dict[Any, Any], name: str, source: Source, index: Tuple[int, ...]) -> Any:
    """Nested lists of keys, to be concatenated; less than a chunk is cut where that lies."""
    array, cuts, at = source.array, source.cuts(index), source.at(index)
    along: List[List[Tuple[int, slice]]] = []
    for axis in range(array.ndim):
        chunks, wanted = array.chunks[axis], cuts.get(axis - array.ndim)
        along.append([(at[axis], slice(0, chunks[at[axis]]))] if wanted is None else
                     [span for piece in wanted.pieces for span in _spans(chunks, piece)])

    def nested(chosen: Tuple[Tuple[int, slice], ...], places: Tuple[int, ...]) -> Any:
        axis = len(chosen)
        if axis < array.ndim:
            return [nested((*chosen, span), (*places, i)) for i, span in enumerate(along[axis])]
        key = (array.name, *(i for i, _ in chosen))
        slices = tuple(s for _, s in chosen)
        if all(s.stop - s.start == array.chunks[k][i] for k, (i, s) in enumerate(chosen)):
            return key
        cut_key = (f"{name}-cut-{array.name}", *index, *places)
        graph[cut_key] = (operator.getitem, key, slices)
        return cut_key

    return nested((), ())


def _run(function: Callable[..., Array], parts: Sequence[Any], keywords: Mapping[str, Any]
         ) -> Array:
    return function(*(concatenate3(part) for part in parts), **keywords)


def block_tasks(name: str, grid: Sequence[int], sources: Sequence[Source],
                function: Callable[..., Array],
                keywords: Callable[[Tuple[int, ...]], Mapping[str, Any]]) -> Dict[Any, Any]:
    """The tasks (name, *i): function(*parts, **keywords(i)) of all blocks of a grid."""
    graph: Dict[Any, Any] = {}
    for index in np.ndindex(*grid):
        parts = [_part(graph, name, source, index) for source in sources]
        graph[(name, *index)] = (_run, function, parts, dict(keywords(index)))
    return graph


def by_block(name: str, chunks: Tuple[Tuple[int, ...], ...], dtype: Any, sources: Sequence[Source],
             function: Callable[..., Array],
             keywords: Callable[[Tuple[int, ...]], Mapping[str, Any]], *unique: Any) -> Any:
    """A dask array whose block i is function(*parts, **keywords(i)).

    `unique` and the sources' names tell this array from others.
    """
    arrays = [source.array for source in sources]
    name = f"{name}-{tokenize(function, chunks, dtype, [a.name for a in arrays], *unique)}"
    graph = block_tasks(name, [len(axis) for axis in chunks], sources, function, keywords)
    layers = HighLevelGraph.from_collections(name, graph, arrays)
    return da.Array(layers, name, chunks, dtype=dtype)
