# SPDX-License-Identifier: BSD-3-Clause
"""Deblurring by tiles that overlap, with one noise and one weight of the prior for all."""

from __future__ import annotations

import functools
import operator
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from numpy.typing import ArrayLike

from . import _arrays, _blur, _gaussian
from ._dask_blocks import Cut, Source, block_tasks, by_block, checked, cut, edges, lifted
from ._dask_field import FieldBlocks, arriving, reach
from ._dask_tile import cell_weights, deblurred, faded, noise_of, prior_weight
from ._fields import one_of
from ._options import DEFAULT_TRUNCATE, Radius, mode_name

Array = _arrays.Array
Index = Tuple[int, ...]
_AXES = (-2, -1)
_LEAST_OVERLAP = 16
_GAUSSIAN_OVERLAP = 1.5  # of what the kernels reach
_PSF_OVERLAP = 4.0  # of half the functions' size
_CLOSED_FORMS = ("wiener", "tikhonov")  # know no weights
_WINDOW = 256  # the least side of those that lambda is chosen on


def deblur_tiles(image: Any, *, overlap: Optional[int] = None, psf: Optional[ArrayLike] = None,
                 psfs: Optional[ArrayLike] = None, sigma: Any = None, logchol: Any = None,
                 cov: Any = None, scatter: bool = False, truncate: float = DEFAULT_TRUNCATE,
                 radius: Radius = None, tolerance: float = 0, upscale: int = 1,
                 weight: Any = None, method: str = "auto", fidelity: str = "gaussian",
                 noise: Optional[float] = None, lambda_: Optional[float] = None,
                 gain: Optional[float] = None, **keywords: Any) -> Any:
    """Deblur a dask array chunk by chunk; `blurfield.deblur` of what does not fit into memory.

    Each chunk of the image, a tile, is deblurred together with an overlap on all sides, beyond
    which the scene counts as unknown (by the closed forms: as what `mode` says). Around the borders
    between tiles, within half of the overlap, their results fade into each other: no seam shows.

    Parameters
    ----------
    image : dask array or array_like
        (H, W), (C, H, W) or (N, C, H, W), of any chunks. Those along H and W are the tiles.
    overlap : int, optional
        Pixels of the image around a tile. None: at least 16, one and a half times as far as the
        Gaussians of the tile reach (six sigma), four times half the size of other functions.
    psf, psfs, sigma, logchol, cov, scatter, truncate, radius, tolerance
        The blur, as of `blurfield.deblur`. A field may be a dask array, as large as the result.
        Of a grid of functions every tile gets one of its own, interpolated twice as densely as
        they were measured.
    upscale : int
        The result is so many times as large.
    weight : dask array or array_like, optional
        (H, W) or of the shape of `image`, >= 0.
    noise : float, optional
        Standard deviation. None: the median of what `noise_level` finds in the tiles.
    lambda_ : float, optional
        None: the median of those that `deblur` chooses for one to nine windows of 256 x 256
        pixels, or wider where kernels reach far, spread evenly over the image.
    gain : float, optional
        As of `blurfield.deblur`; must be given for "poisson", for all tiles share it.
    method, fidelity, **keywords
        As of `blurfield.deblur`: mode, order, prior, prior_scale, lambda_rule, lower, upper,
        joint, offset, background, max_iterations, change, max_seconds (per tile).

    Returns
    -------
    dask array
        Lazy, with the chunks of `image` times `upscale` along H and W, and one along C.

    Raises
    ------
    TypeError
        For arguments that `deblur` does not know, and for operator, start, callback and progress,
        which belong to one whole image.
    ValueError
        As of `blurfield.deblur`, some when computed.

    Notes
    -----
    The noise, the largest widths of a field per tile, and lambda are computed at once, by the
    scheduler in use; give `noise` and `lambda_` to save that.

    One weight for all tiles keeps the same texture everywhere, where each tile's own choice would
    smooth flat tiles more and show their borders. On photographs the median over windows is within
    a fifth of what `deblur` chooses for the whole.

    Under "wrap" the prior crosses the borders of the image, which that of `deblur` does not.

    A deblurred pixel depends on all others, less and less with their distance: fast with Gaussians,
    slowly where a blur hides frequencies altogether. Tiles of 128 x 128 pixels of
    photographs with noise 0.005 agree with the whole deblurred at once by 60 dB behind a lens of
    sigma up to 4, by 52 dB out of focus by a disk of radius 4; with the sharp scene by at most
    0.1 dB less than that does.
    """
    refused = {"operator", "start", "callback", "progress"} & set(keywords)
    if refused:
        raise TypeError(f"deblur_tiles: {', '.join(sorted(refused))} belong to one whole image")
    if fidelity == "poisson" and gain is None:
        raise ValueError("gain: expected a number with poisson, for all tiles share it")
    keywords.update(scatter=scatter, truncate=truncate, radius=radius, tolerance=tolerance,
                    upscale=upscale, method=method, fidelity=fidelity, gain=gain)
    blur = dict(psf=psf, psfs=psfs, sigma=sigma, logchol=logchol, cov=cov)
    tiles = _Tiles(image, blur, weight, overlap, keywords)
    keywords["noise"] = tiles.noise() if noise is None else noise
    if lambda_ is None and method not in ("rl", "wiener"):
        lambda_ = tiles.weight_of_prior(keywords)
    keywords["lambda_"] = lambda_
    return tiles.blended(keywords)


class _Span(NamedTuple):
    """A tile along one axis, and how far beyond it its result is used."""

    begin: int
    stop: int
    low: int
    high: int
    size: int  # of the axis


class _Tiles:
    """An image, its blur and weights on tiles, and how far these overlap."""

    def __init__(self, image: Any, blur: Mapping[str, Any], weight: Any, overlap: Optional[int],
                 options: Mapping[str, Any]) -> None:
        x = checked(image, "image")
        x = x.astype(_arrays.float_type(x.dtype))
        self.rank = x.ndim
        self.image = lifted(x).rechunk({1: -1})
        self.up = operator.index(options["upscale"])
        self.wrap = mode_name(options.get("mode", "extend")) == "wrap"
        self.blur: Dict[str, Any] = {}  # what all tiles share
        self.lazy: Dict[str, Any] = {}  # what is cut as the image is: by name
        self.scale: Dict[str, int] = {"weight": 1}  # in pixels of the image's
        kind, value = one_of(**blur)
        multiple = _GAUSSIAN_OVERLAP
        if kind in ("psf", "psfs"):
            self.blur[kind] = np.asarray(value, np.float64)
            far = np.array(self.blur[kind].shape[-2:]).reshape(1, 2, 1, 1) // 2
            multiple = _PSF_OVERLAP
        elif np.ndim(value) < 2 or (kind == "cov" and np.shape(value) == (2, 2)):
            self.blur[kind] = value
            far = self._reach(_widths(kind, value), options)
        else:
            rows, columns = (tuple(self.up * n for n in axis) for axis in self.image.chunks[2:])
            field = FieldBlocks(x, (sum(rows), sum(columns)), (self.image.chunks[0], rows, columns),
                                x.dtype, blur["sigma"], blur["logchol"], blur["cov"])
            self.lazy[field.kind], self.scale[field.kind] = field.array, self.up
            far = arriving(self._reach(field.widths(), options), rows, columns, self.wrap)
        if weight is not None:
            self.lazy["weight"] = _weight(weight, x)
        n, _, height, width = self.image.numblocks
        grid = (n, 2, height, width)
        halo = np.maximum(np.ceil(multiple * far / self.up), _LEAST_OVERLAP)
        if overlap is not None:
            halo = np.full_like(halo, operator.index(overlap))
        self.overlap = np.broadcast_to(halo, grid).astype(int)
        # Pixels of the image that what lies beyond a part has a share in.
        self.far = np.minimum(np.broadcast_to(-(-far // self.up), grid), self.overlap)

    def noise(self) -> Optional[float]:
        """The median over tiles; None where most show none."""
        def cuts(index: Index) -> Mapping[int, Cut]:
            return {axis: self._cut(index, axis, 0) for axis in _AXES}

        names = ["weight"] if "weight" in self.lazy else []
        levels = by_block("noise_level", tuple((1,) * n for n in self.image.numblocks), np.float64,
                          self._sources(cuts, names), noise_of, lambda index: {}).compute()
        known = levels[np.isfinite(levels)]
        return (float(np.median(known)) or None) if known.size else None

    def weight_of_prior(self, options: Mapping[str, Any]) -> float:
        """The median over windows of what deblur chooses."""
        side = max(_WINDOW, 4 * int(self.overlap.max()))
        windows = [_windows(n, side) for n in self.image.shape[-2:]]
        image = self.image.numblocks[0] // 2

        def cuts(index: Index) -> Mapping[int, Cut]:
            return {axis: Cut((windows[axis][index[axis]],), 0) for axis in _AXES}

        # Of the batch, the image in the middle.
        sources = [source._replace(at=functools.partial(_at, source.array.shape[0] == 1, image))
                   for source in self._sources(cuts, list(self.lazy))]
        found = by_block("weight_of_prior", ((1,), (1,), *((1,) * len(w) for w in windows)),
                         np.float64, sources, prior_weight,
                         lambda index: self._task(cuts(index), self.far.max(axis=(0, 2, 3)),
                                                  options), self._unique(options))
        with np.errstate(divide="ignore"):
            return float(np.exp(np.median(np.log(found.compute()))))

    def blended(self, options: Mapping[str, Any]) -> Any:
        """The dask array of all tiles' results, fading into each other."""
        def cuts(index: Index) -> Mapping[int, Cut]:
            n, _, i, j = index
            return {axis: self._cut(index, axis, int(self.overlap[n, axis, i, j]))
                    for axis in _AXES}

        def task(index: Index) -> Mapping[str, Any]:
            around = cuts(index)
            keep = []
            for axis in _AXES:
                span, before = self._span(index, axis), around[axis].before
                keep.append(slice(self.up * (before - span.low),
                                  self.up * (before + span.stop - span.begin + span.high)))
            n, _, i, j = index
            return {**self._task(around, self.far[n, :, i, j], options), "keep": tuple(keep)}

        sources = self._sources(cuts, list(self.lazy))
        token = tokenize([s.array.name for s in sources], self.overlap, self._unique(options))
        name, tile = f"deblur_tiles-{token}", f"deblur_tile-{token}"
        grid = self.image.numblocks
        graph = block_tasks(tile, grid, sources, deblurred, task)
        pieces: Dict[Index, List[Any]] = {index: [] for index in np.ndindex(*grid)}
        for index in np.ndindex(*grid):
            for target in self._touched(index):
                piece, weights = self._piece(index, target)
                key = (f"{tile}-cut", *index, *target)
                graph[key] = (operator.getitem, (tile, *index), piece)
                pieces[target].append((key, weights))
        for target, found in pieces.items():
            graph[(name, *target)] = (faded, [key for key, _ in found],
                                      [weights for _, weights in found])
        n, c, rows, columns = self.image.chunks
        chunks = (n, c, *(tuple(self.up * k for k in axis) for axis in (rows, columns)))
        layers = HighLevelGraph.from_collections(name, graph, [s.array for s in sources])
        return da.Array(layers, name, chunks, dtype=self.image.dtype)[(0,) * (4 - self.rank)]

    def _reach(self, widths: Array, options: Mapping[str, Any]) -> Array:
        return reach(widths, self.image.dtype, options["truncate"], options["radius"],
                     options["tolerance"])

    def _unique(self, options: Mapping[str, Any]) -> Any:
        return [sorted(self.lazy), sorted(self.blur.items()), sorted(options.items())]

    def _cut(self, index: Index, axis: int, halo: int) -> Cut:
        span = self._span(index, axis)
        return cut(span.begin, span.stop, halo, span.size, self.wrap)

    def _span(self, index: Index, axis: int) -> _Span:
        n, _, i, j = index
        begin = edges(self.image.chunks[axis])
        k, size, ramp = index[axis], begin[-1], int(self.overlap[n, axis, i, j]) // 2
        return _Span(begin[k], begin[k + 1], min(ramp, begin[k]), min(ramp, size - begin[k + 1]),
                     size)

    def _sources(self, cuts: Callable[[Index], Mapping[int, Cut]], names: List[str]
                 ) -> List[Source]:
        """The image, and what is named of the rest."""
        sources = [Source(self.image, cuts, lambda index: index)]
        for name in names:
            array, scale = self.lazy[name], self.scale[name]

            def scaled(index: Index, scale: int = scale) -> Mapping[int, Cut]:
                return {axis: Cut(tuple(slice(scale * p.start, scale * p.stop) for p in c.pieces),
                                  scale * c.before) for axis, c in cuts(index).items()}

            sources.append(Source(array, scaled, functools.partial(_at, array.shape[0] == 1, None)))
        return sources

    def _task(self, cuts: Mapping[int, Cut], far: Array, options: Mapping[str, Any]
              ) -> Mapping[str, Any]:
        blur = dict(self.blur)
        unseen = []
        for axis in _AXES:
            piece, size = cuts[axis], self.image.shape[axis]
            torn = self.wrap and piece.size < size
            unseen.append((int(far[axis]) * (torn or piece.pieces[0].start > 0),
                           int(far[axis]) * (torn or piece.pieces[-1].stop < size)))
        if options.get("mode", "extend") == "extend" or options["method"] in _CLOSED_FORMS:
            unseen = [(0, 0)] * 2
        if "psfs" in blur:
            by_y, by_x = (cell_weights(cuts[axis], self.image.shape[axis],
                                        blur["psfs"].shape[axis - 2]) for axis in _AXES)
            blur["psfs"] = np.einsum("ai,bj,ijhw->abhw", by_y, by_x, blur["psfs"])
        return {"names": tuple(self.lazy), "options": {**options, **blur}, "unseen": unseen}

    def _touched(self, index: Index) -> List[Index]:
        """The tiles that a tile's result is part of."""
        ranges = []
        for axis in _AXES:
            span, begin = self._span(index, axis), np.array(edges(self.image.chunks[axis]))
            first = np.searchsorted(begin, span.begin - span.low, "right") - 1
            ranges.append(range(first, np.searchsorted(begin, span.stop + span.high, "left")))
        return [(index[0], 0, i, j) for i in ranges[0] for j in ranges[1]]

    def _piece(self, index: Index, target: Index) -> Tuple[Any, Any]:
        """What another takes of a tile's result; and along y and x, where the piece lies in the
        other and in the tile, how long the tile is and how wide its ramps are.
        """
        piece, weights = [], []
        for axis in _AXES:
            span, block = self._span(index, axis), self._span(target, axis)
            low = max(span.begin - span.low, block.begin)
            high = min(span.stop + span.high, block.stop)
            begin = span.begin - span.low
            piece.append(slice(self.up * (low - begin), self.up * (high - begin)))
            weights.append((self.up * (low - block.begin), self.up * (low - span.begin),
                            self.up * (span.stop - span.begin),
                            self.up * span.low, self.up * span.high))
        return (Ellipsis, *piece), tuple(weights)


def _at(shared: bool, image: Optional[int], index: Index) -> Index:
    """The block of an array that one of the image's asks for; `image`: of a batch, always this."""
    return (0 if shared else index[0] if image is None else image, 0, *index[2:])


def _widths(kind: str, value: ArrayLike) -> Array:
    """The sigmas of one Gaussian for all pixels, (1, 2, 1, 1)."""
    given: Dict[str, Any] = {"sigma": None, "logchol": None, "cov": None, kind: value}
    numbers = np.array(_blur.gaussian_numbers(**given))
    widths = _gaussian.logchol_to_sigma(numbers) if numbers.size == 3 else numbers
    return np.broadcast_to(widths, (2,)).reshape(1, 2, 1, 1)


def _weight(weight: Any, image: Any) -> Any:
    """(N | 1, C | 1, H, W), in as many pieces along N as the image."""
    array = checked(weight, "weight")
    if array.shape not in (image.shape, image.shape[-2:]):
        raise ValueError(f"weight: expected shape {image.shape} or {image.shape[-2:]}, got "
                         f"{array.shape}")
    array = lifted(array.astype(image.dtype))
    batch = lifted(image).chunks[0]
    return array.rechunk({0: batch if array.shape[0] > 1 else 1, 1: -1})


def _windows(n: int, side: int) -> List[slice]:
    """One to three spans of an axis, spread evenly."""
    side = min(side, n)
    count = min(3, n // side)
    starts = np.linspace(0, n - side, count) if count > 1 else np.array([(n - side) / 2])
    return [slice(start, start + side) for start in map(int, starts)]
