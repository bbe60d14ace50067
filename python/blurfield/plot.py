# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of fields, kernels, results and the way to them, by Matplotlib.

Functions with one panel take ``ax`` and return it; those with several take ``fig`` and return that.
Nothing is shown or saved: that is up to you. Rows grow downwards, as everywhere; units are pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _fields, _gaussian
from ._options import DEFAULT_TRUNCATE, Radius

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["compare", "show_field", "show_kernels", "trace"]

Array = _arrays.Array
Pixel = Tuple[int, int]
_SIGNED = "RdBu_r"  # for kernels of both signs


def show_field(sigma: Optional[ArrayLike] = None, *, logchol: Optional[ArrayLike] = None,
               cov: Optional[ArrayLike] = None, image: Optional[ArrayLike] = None,
               spacing: Optional[int] = None, scale: Optional[float] = None,
               cmap: str = "viridis", vmin: Optional[float] = None, vmax: Optional[float] = None,
               colorbar: bool = True, ax: Optional[Axes] = None) -> Axes:
    """A field of Gaussians: sigma (H, W) as a map, others as ellipses.

    Parameters
    ----------
    sigma, logchol, cov : array_like
        One of them: sigma (H, W) or (2, H, W), logchol (3, H, W) or cov (H, W, 2, 2), in pixels.
    image : array_like, optional
        (H, W) or (3, H, W), 0..1: drawn in grey below the ellipses.
    spacing : int, optional
        Pixels between ellipses; None: a sixteenth of the longer side.
    scale : float, optional
        Sigmas from an ellipse's centre to its outline; None: the largest ones just touch.
    cmap : str
        Colours of sigma; of ellipses, of the geometric mean of their two sigmas.
    vmin, vmax : float, optional
        Pixels that the ends of `cmap` stand for; None: least and largest.
    colorbar : bool
        Whether one is drawn.
    ax : Axes, optional
        None: of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        Unless one of sigma, logchol and cov is given.
    ValueError
        For shapes that do not match.
    """
    kind, value = _fields.one_of(sigma=sigma, logchol=logchol, cov=cov)
    values = _arrays.floating(value, kind)
    ax = _axes(ax)
    if kind == "sigma" and values.ndim == 2:
        if image is not None:
            raise ValueError("image: expected none with sigma (H, W), which would hide it")
        drawn = ax.imshow(values, cmap=cmap, vmin=vmin, vmax=vmax)
        label = "sigma (pixels)"
    else:
        covariances = _covariances(kind, values)
        height, width = covariances.shape[:2]
        if image is not None:
            _show(ax, _pixels(image, "image", (height, width)), 0.0, 1.0, alpha=0.6)
        drawn, scale = _ellipses(ax, covariances, spacing or max(1, max(height, width) // 16),
                                 scale, cmap, vmin, vmax)
        _frame(ax, height, width)
        label = f"geometric mean of sigma (pixels)\nellipses: {scale:.3g} sigma"
    ax.set_xlabel("x (pixels)")
    ax.set_ylabel("y (pixels)")
    if colorbar:
        ax.figure.colorbar(drawn, ax=ax, label=label, fraction=0.046, pad=0.04)
    return ax


def show_kernels(kernels: Optional[ArrayLike] = None, *, sigma: Optional[ArrayLike] = None,
                 logchol: Optional[ArrayLike] = None, cov: Optional[ArrayLike] = None,
                 at: Optional[Sequence[Pixel]] = None, truncate: float = DEFAULT_TRUNCATE,
                 radius: Radius = None, shared: bool = False, cmap: str = "viridis",
                 fig: Optional[Figure] = None) -> Figure:
    """Kernels side by side: those given, or those that a field has at some pixels.

    Parameters
    ----------
    kernels : array_like, optional
        (h, w), (n, h, w) or a grid of PSFs (ny, nx, h, w).
    sigma, logchol, cov : array_like
        Instead of kernels: a field, as of `show_field`.
    at : sequence of (y, x), optional
        Pixels of the field; None: 3 x 3, evenly spread.
    truncate, radius
        As of `gaussian_kernel`.
    shared : bool
        One scale of colours for all, or each its own, whose largest weight the title tells.
    cmap : str
        Colours; kernels of both signs have red and blue ones, white at 0.
    fig : Figure, optional
        An empty one to draw on; None: a new one.

    Returns
    -------
    Figure
        An axes for each kernel, all of one extent; coordinates count from the kernel's middle,
        (h // 2, w // 2).
    """
    if (kernels is None) == (sigma is None and logchol is None and cov is None):
        raise TypeError("expected kernels or a field, one of them")
    if kernels is None:
        grid, names = _kernels_at(sigma, logchol, cov, at, truncate, radius)
    else:
        array = _arrays.floating(kernels, "kernels")
        if not 2 <= array.ndim <= 4:
            raise ValueError("kernels: expected (h, w), (n, h, w) or (ny, nx, h, w), got shape "
                             f"{array.shape}")
        grid = [list(row) for row in array.reshape((1,) * (4 - array.ndim) + array.shape)]
        names = [[f"({i}, {j})" if array.ndim == 4 else str(j) if array.ndim == 3 else ""
                  for j in range(len(row))] for i, row in enumerate(grid)]
    panels, fig = _panels(fig, len(grid), len(grid[0]), 1.8)
    most = max(float(np.abs(k).max()) for row in grid for k in row)
    signed = any((k < 0).any() for row in grid for k in row)
    height, width = (max(k.shape[axis] for row in grid for k in row) // 2 for axis in (0, 1))
    drawn = None
    for ax, kernel, name in zip(panels.flat, sum(grid, []), sum(names, [])):
        h, w = kernel.shape
        top = most if shared else float(np.abs(kernel).max())
        drawn = ax.imshow(kernel, cmap=_SIGNED if signed else cmap, vmin=-top if signed else 0,
                          vmax=top, extent=(-(w // 2) - 0.5, w - w // 2 - 0.5,
                                            h - h // 2 - 0.5, -(h // 2) - 0.5))
        ax.set_facecolor(drawn.to_rgba(0.0))
        ax.set_xlim(-width - 0.5, width + 0.5)
        ax.set_ylim(height + 0.5, -height - 0.5)
        ax.set_title(name if shared else f"{name}  max {top:.2g}".strip(), fontsize="small")
        ax.tick_params(labelsize="x-small")
    for ax in panels.flat[sum(map(len, grid)):]:
        ax.set_axis_off()
    for ax in panels[-1]:
        ax.set_xlabel("x (pixels)", fontsize="small")
    for ax in panels[:, 0]:
        ax.set_ylabel("y (pixels)", fontsize="small")
    if shared:
        fig.colorbar(drawn, ax=list(panels.flat), label="weight", fraction=0.046, pad=0.04)
    return fig


def compare(*images: ArrayLike, titles: Optional[Sequence[str]] = None,
            reference: Optional[ArrayLike] = None, peak: float = 1.0,
            crops: Sequence[Tuple[int, int, int, int]] = (), cmap: str = "gray",
            vmin: Optional[float] = None, vmax: Optional[float] = None,
            fig: Optional[Figure] = None) -> Figure:
    """Images side by side on one scale, with enlarged crops below.

    Parameters
    ----------
    *images : array_like
        (H, W) or (3, H, W), of one size.
    titles : sequence of str, optional
        One for each.
    reference : array_like, optional
        The truth, of the images' shape: the titles then tell each image's PSNR, in dB.
    peak : float
        Of the PSNR, 10 log10(peak^2 / mean squared difference).
    crops : sequence of (y, x, height, width)
        Pixels. A row of panels for each; rectangles show them in the images.
    cmap : str
        Of grey images.
    vmin, vmax : float, optional
        Black and white; None: least and largest of all images.
    fig : Figure, optional
        An empty one to draw on; None: a new one.

    Returns
    -------
    Figure
        Its axes are the images, then the crops row by row.
    """
    if not images:
        raise TypeError("compare: expected at least one image")
    size = np.shape(images[0])[-2:]
    pixels = [_pixels(image, f"image {i}", size) for i, image in enumerate(images)]
    names = [""] * len(pixels) if titles is None else list(titles)
    if len(names) != len(pixels):
        raise ValueError(f"titles: expected {len(pixels)}, got {len(names)}")
    if reference is not None:
        truth = _pixels(reference, "reference", size)
        names = [f"{name}  {_psnr(p, truth, peak)}".strip() for name, p in zip(names, pixels)]
    low = min(float(p.min()) for p in pixels) if vmin is None else vmin
    high = max(float(p.max()) for p in pixels) if vmax is None else vmax
    panels, fig = _panels(fig, 1 + len(crops), len(pixels), 3.0)
    for k, (image, name) in enumerate(zip(pixels, names)):
        _show(panels[0, k], image, low, high, cmap)
        panels[0, k].set_title(name)
        for row, (y, x, height, width) in enumerate(crops, start=1):
            colour = f"C{row - 1}"
            _outline(panels[0, k], y, x, height, width, colour)
            ax = panels[row, k]
            _show(ax, image, low, high, cmap)
            ax.set_xlim(x - 0.5, x + width - 0.5)
            ax.set_ylim(y + height - 0.5, y - 0.5)
            for spine in ax.spines.values():
                spine.set(edgecolor=colour, linewidth=2)
    for ax in panels.flat:
        ax.set(xticks=[], yticks=[])
    return fig


def trace(*runs: Any, labels: Optional[Sequence[str]] = None, key: Optional[str] = None,
          by: str = "iteration", ax: Optional[Axes] = None) -> Axes:
    """Curves of what `estimate` or `deblur` minimised, on a logarithmic axis.

    Parameters
    ----------
    *runs : Estimate, Deblurred, or list of dict
        Results, or their traces.
    labels : sequence of str, optional
        One for each, for a legend.
    key : str, optional
        What of a trace: "loss", "value", "residual", "lambda", ...; None: the loss where there is
        one, else the residual in units of the noise.
    by : {"iteration", "seconds"}
        The other axis.
    ax : Axes, optional
        None: of a new figure.

    Returns
    -------
    Axes
    """
    if by not in ("iteration", "seconds"):
        raise ValueError(f"by: expected iteration or seconds, got {by!r}")
    names: List[Optional[str]] = [None] * len(runs) if labels is None else list(labels)
    if len(names) != len(runs):
        raise ValueError(f"labels: expected {len(runs)}, got {len(names)}")
    ax = _axes(ax)
    for run, name in zip(runs, names):
        rows: List[Dict[str, Any]] = list(getattr(run, "trace", run))
        if not rows:
            raise ValueError("trace: expected a run of at least one iteration, got none")
        key = key or ("loss" if "loss" in rows[0] else "residual")
        if key not in rows[0]:
            raise ValueError(f"key: expected one of {', '.join(sorted(rows[0]))}, got {key!r}")
        ax.plot([row[by] for row in rows], [row[key] for row in rows], label=name,
                marker="." if len(rows) < 30 else None)
    ax.set_yscale("log")
    ax.set_xlabel("iteration" if by == "iteration" else "time (s)")
    ax.set_ylabel({"loss": "mean squared misfit", "residual": "residual (noise = 1)",
                   "value": "value minimised"}.get(str(key), str(key)))
    ax.grid(True, which="major", alpha=0.3)
    if labels is not None:
        ax.legend()
    return ax


def _axes(ax: Optional[Axes]) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot
    return pyplot.figure(layout="constrained").add_subplot()


def _panels(fig: Optional[Figure], rows: int, columns: int, inches: float) -> Tuple[Any, Figure]:
    """A grid of axes (rows, columns), and their figure."""
    if fig is None:
        from matplotlib import pyplot
        fig = pyplot.figure(figsize=(inches * columns, inches * rows), layout="constrained")
    return fig.subplots(rows, columns, squeeze=False), fig


def _pixels(image: ArrayLike, name: str, size: Tuple[int, ...]) -> Array:
    """An image (H, W) or (3, H, W)."""
    array = _arrays.floating(image, name)
    if array.shape not in (size, (3, *size)) or len(size) != 2:
        raise ValueError(f"{name}: expected shape {size} or {(3, *size)}, got {array.shape}")
    return array


def _show(ax: Axes, image: Array, low: float, high: float, cmap: str = "gray",
          alpha: Optional[float] = None) -> None:
    if image.ndim == 3:
        shares = (image - low) / ((high - low) or 1)
        ax.imshow(np.moveaxis(np.clip(shares, 0, 1), 0, -1), alpha=alpha)
    else:
        ax.imshow(image, cmap=cmap, vmin=low, vmax=high, alpha=alpha)


def _psnr(image: Array, truth: Array, peak: float) -> str:
    """Nothing for the truth itself."""
    if image.shape != truth.shape:
        raise ValueError(f"reference: expected shape {image.shape}, got {truth.shape}")
    error = float(np.mean(np.square(image - truth, dtype=np.float64)))
    return f"{10 * np.log10(peak * peak / error):.1f} dB" if error > 0 else ""


def _frame(ax: Axes, height: int, width: int) -> None:
    """The limits that an image has."""
    ax.set_aspect("equal")
    ax.set_xlim(-0.5, width - 0.5)
    ax.set_ylim(height - 0.5, -0.5)


def _outline(ax: Axes, y: int, x: int, height: int, width: int, colour: str) -> None:
    from matplotlib.patches import Rectangle
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=colour,
                           linewidth=2))


def _parameters(kind: str, values: Array) -> Array:
    """A field as (1 | 2 | 3, H, W), log-Cholesky for covariances."""
    size = values.shape[:2] if kind == "cov" else values.shape[-2:]
    given: Dict[str, Any] = {"sigma": None, "logchol": None, "cov": None, kind: values}
    return _fields.Field(np.broadcast_to(np.zeros((), values.dtype), size), **given).array[0]


def _covariances(kind: str, values: Array) -> Array:
    """Any field as (H, W, 2, 2)."""
    planes = _parameters(kind, values)
    if len(planes) < 3:
        planes = _gaussian.sigma_to_logchol(planes[0], planes[-1])
    return _gaussian.logchol_to_cov(planes)


def _ellipses(ax: Axes, covariances: Array, spacing: int, scale: Optional[float], cmap: str,
              vmin: Optional[float], vmax: Optional[float]) -> Tuple[Any, float]:
    """The outlines at every `spacing`-th pixel, coloured; and their scale."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Ellipse
    where = np.s_[spacing // 2::spacing, spacing // 2::spacing]
    ys, xs = np.mgrid[:covariances.shape[0], :covariances.shape[1]][(slice(None), *where)]
    variances, directions = np.linalg.eigh(covariances[where])  # ascending
    minor, major = np.moveaxis(np.sqrt(np.maximum(variances, 0)), -1, 0)
    # In data coordinates, whatever way the axes show them.
    angles = np.degrees(np.arctan2(directions[..., 0, 1], directions[..., 1, 1]))
    if scale is None:
        scale = 0.5 * spacing / float(major.max())
    outlines = PatchCollection(
        [Ellipse((x, y), 2 * scale * a, 2 * scale * b, angle=angle)
         for y, x, a, b, angle in zip(ys.flat, xs.flat, major.flat, minor.flat, angles.flat)],
        facecolor="none", linewidth=1.2, cmap=cmap)
    outlines.set_array(np.sqrt(major * minor).ravel())
    outlines.set_clim(vmin, vmax)
    ax.add_collection(outlines)
    return outlines, scale


def _kernels_at(sigma: Optional[ArrayLike], logchol: Optional[ArrayLike], cov: Optional[ArrayLike],
                at: Optional[Sequence[Pixel]], truncate: float, radius: Radius
                ) -> Tuple[List[List[Array]], List[List[str]]]:
    """A field's kernels at pixels, in rows; and the pixels' names."""
    kind, value = _fields.one_of(sigma=sigma, logchol=logchol, cov=cov)
    planes = _parameters(kind, _arrays.floating(value, kind))
    height, width = planes.shape[-2:]
    columns = 3
    if at is None:
        at = [(height * i // 6, width * j // 6) for i in (1, 3, 5) for j in (1, 3, 5)]
    elif len(at) <= 4:
        columns = len(at)
    kernels = []
    for y, x in at:
        numbers = planes[:, y, x].tolist()
        sigmas, full = (numbers, None) if len(numbers) < 3 else (None, numbers)
        kernels.append(_gaussian.gaussian_kernel(sigmas, logchol=full, truncate=truncate,
                                                 radius=radius))
    names = [f"({y}, {x})" for y, x in at]
    rows = range(0, len(at), columns)
    return [kernels[i:i + columns] for i in rows], [names[i:i + columns] for i in rows]
