# SPDX-License-Identifier: BSD-3-Clause
"""scipy.ndimage's filters: its signatures, results and output types, for arrays of any rank."""

from __future__ import annotations

import operator
from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _core
from ._blur import adaptive_blur
from ._options import DEFAULT_TRUNCATE, Radius, mode_name
from ._passes import (Modes, Output, OutputLike, axis_index, axis_list, each_axis, mode_list,
                      one_mode)

Array = _arrays.Array
_LEAST_SIGMA = 1e-15  # below it SciPy leaves an axis alone


def gaussian_filter(input: ArrayLike, sigma: Union[float, Sequence[float], ArrayLike],
                    order: Union[int, Sequence[int]] = 0, output: OutputLike = None,
                    mode: Modes = "reflect", cval: float = 0.0,
                    truncate: float = DEFAULT_TRUNCATE, *, radius: Radius = None,
                    axes: Union[None, int, Sequence[int]] = None, tolerance: float = 0) -> Array:
    """Gaussian filter (G1), (G8), as scipy.ndimage.gaussian_filter; sigma may be a field.

    Parameters
    ----------
    input : array_like
        Real numbers, any rank; all of them finite.
    sigma : float, sequence of float, or array_like
        Pixels: one for all axes, or one for each. Axes with sigma 0 are left alone. With two axes
        or more, a field of a Gaussian for every pixel of the last two axes: as `adaptive_blur`
        takes it, then with order 0, one mode, and a radius of at least one pixel.
    order : int or sequence of int
        Derivative, per axis; 0 smooths.
    output : dtype or ndarray, optional
        Type of the result, or where it is written. None: the type of the input. Integers are cut
        off after each axis, as SciPy does.
    mode, cval : str or sequence of str, float
        What stands beyond the border, per axis.
    truncate : float
        Radius int(truncate sigma + 0.5).
    radius : int or sequence of int, optional
        Radius per axis, pixels; overrides truncate.
    axes : int or sequence of int, optional
        The axes that are filtered, all by default; sigma, order, mode and radius then belong to
        them.
    tolerance : float
        0: exact. Else the bound of `adaptive_blur`: a cost that does not grow with sigma. Works
        for order 0 on the last two axes.

    Returns
    -------
    ndarray
        Of the shape of `input`.

    Raises
    ------
    TypeError
        For complex and object arrays.
    ValueError
        For empty arrays, values that are not finite, and arguments out of range.

    Examples
    --------
    >>> import numpy as np, blurfield
    >>> blurfield.gaussian_filter(np.eye(5), 1).round(2)[2]
    array([0.13, 0.22, 0.28, 0.22, 0.13])
    """
    x = _arrays.numeric(input, "input")
    if not isinstance(sigma, (int, float)) and np.ndim(sigma) >= 2:
        return _by_field(x, sigma, order, output, mode, cval, truncate, radius, axes, tolerance)
    chosen = axis_list(axes, x.ndim)
    sigmas = each_axis(sigma, len(chosen), "sigma")
    orders = [operator.index(n) for n in each_axis(order, len(chosen), "order")]
    modes = mode_list(mode, len(chosen))
    given = [None] * len(chosen) if radius is None else each_axis(radius, len(chosen), "radius")
    passes = []
    for axis, s, n, m, r in zip(chosen, sigmas, orders, modes, given):
        _check_gaussian(float(s), n)
        if s > _LEAST_SIGMA:
            passes.append((axis, float(s), n, m, _radius(float(s), truncate, r)))
    target = Output(x, output)
    if _separable_blur(x, passes, target, cval, truncate, radius, tolerance):
        return target.array
    if tolerance and any(n for _, _, n, _, _ in passes):
        raise ValueError("gaussian_filter: expected order 0 with a tolerance, got "
                         f"{orders if len(orders) > 1 else orders[0]}")
    return target.filter(x, [(axis, _kernel(s, n, r), m, 0) for axis, s, n, m, r in passes], cval)


def gaussian_filter1d(input: ArrayLike, sigma: float, axis: int = -1, order: int = 0,
                      output: OutputLike = None, mode: str = "reflect", cval: float = 0.0,
                      truncate: float = DEFAULT_TRUNCATE, *, radius: Optional[int] = None) -> Array:
    """Gaussian filter along one axis (G1), (G8), as scipy.ndimage.gaussian_filter1d.

    Parameters
    ----------
    input, order, output, mode, cval, truncate, radius
        As of `gaussian_filter`; one order, mode and radius.
    sigma : float
        Pixels, > 0.
    axis : int
        The axis that is filtered; the last by default.

    Returns
    -------
    ndarray, of the shape of `input`

    Raises
    ------
    TypeError, ValueError
        As `gaussian_filter`; ValueError for sigma 0.
    """
    x = _arrays.numeric(input, "input")
    _check_gaussian(float(sigma), order)
    if sigma <= 0:
        raise ValueError(f"gaussian_filter1d: expected sigma > 0, got {sigma}")
    weights = _kernel(float(sigma), order, _radius(float(sigma), truncate, radius))
    passes = [(axis_index(axis, x.ndim), weights, one_mode(mode), 0)]
    return Output(x, output).filter(x, passes, cval)


def correlate1d(input: ArrayLike, weights: ArrayLike, axis: int = -1, output: OutputLike = None,
                mode: str = "reflect", cval: float = 0.0, origin: int = 0) -> Array:
    """Correlation along one axis, as scipy.ndimage.correlate1d.

    Parameters
    ----------
    input : array_like
        Real numbers, any rank; all of them finite.
    weights : array_like
        One axis. Its middle, len // 2 + origin, stands on the pixel of the result.
    axis, output, mode, cval
        As of `gaussian_filter1d`.
    origin : int
        Moves the middle.

    Returns
    -------
    ndarray, of the shape of `input`

    Raises
    ------
    TypeError, ValueError
        As `gaussian_filter`; ValueError for a middle outside of the weights.
    """
    x = _arrays.numeric(input, "input")
    w = _weights(weights, 1)
    return Output(x, output).filter(
        x, [(axis_index(axis, x.ndim), w, one_mode(mode), operator.index(origin))], cval)


def convolve1d(input: ArrayLike, weights: ArrayLike, axis: int = -1, output: OutputLike = None,
               mode: str = "reflect", cval: float = 0.0, origin: int = 0) -> Array:
    """Convolution along one axis, as scipy.ndimage.convolve1d; refuses what correlate1d does.

    Parameters
    ----------
    input, weights, axis, output, mode, cval, origin
        As of `correlate1d`; the weights are turned around.

    Returns
    -------
    ndarray, of the shape of `input`
    """
    w = _weights(weights, 1)
    return correlate1d(input, w[::-1], axis, output, mode, cval, _flipped(origin, w.size))


def correlate(input: ArrayLike, weights: ArrayLike, output: OutputLike = None,
              mode: str = "reflect", cval: float = 0.0, origin: Union[int, Sequence[int]] = 0
              ) -> Array:
    """Correlation, as scipy.ndimage.correlate; by the fastest of four methods.

    Parameters
    ----------
    input : array_like
        Real numbers, any rank; all of them finite.
    weights : array_like
        Of the rank of `input`; extents other than 1 along at most two axes.
    output, mode, cval
        As of `gaussian_filter`; one mode for all axes.
    origin : int or sequence of int
        Moves the kernel's middle, extent // 2, per axis.

    Returns
    -------
    ndarray, of the shape of `input`

    Raises
    ------
    TypeError, ValueError
        As `correlate1d`; ValueError for weights along three axes or more.
    """
    x = _arrays.numeric(input, "input")
    w = _weights(weights, x.ndim)
    origins = [operator.index(o) for o in each_axis(origin, x.ndim, "origin")]
    return Output(x, output).filter_plane(x, w, origins, one_mode(mode), cval)


def convolve(input: ArrayLike, weights: ArrayLike, output: OutputLike = None, mode: str = "reflect",
             cval: float = 0.0, origin: Union[int, Sequence[int]] = 0) -> Array:
    """Convolution, as scipy.ndimage.convolve; refuses what correlate does.

    Parameters
    ----------
    input, weights, output, mode, cval, origin
        As of `correlate`; the weights are turned around along every axis.

    Returns
    -------
    ndarray, of the shape of `input`
    """
    w = _weights(weights, np.ndim(input))
    origins = [_flipped(o, n) for o, n in zip(each_axis(origin, w.ndim, "origin"), w.shape)]
    return correlate(input, w[(slice(None, None, -1),) * w.ndim], output, mode, cval, origins)


def gaussian_laplace(input: ArrayLike, sigma: Union[float, Sequence[float]],
                     output: OutputLike = None, mode: Modes = "reflect", cval: float = 0.0,
                     **kwargs: Any) -> Array:
    """Laplacian of Gaussian, as scipy.ndimage.gaussian_laplace: second derivatives (G8), added.

    Parameters
    ----------
    input, sigma, output, mode, cval
        As of `gaussian_filter`, as are the errors; sigma is not a field.
    **kwargs
        truncate, radius, axes of `gaussian_filter`.

    Returns
    -------
    ndarray, of the shape of `input`
    """
    parts = _derivatives(input, sigma, 2, output, mode, cval, kwargs)
    total = next(parts)
    for part in parts:
        total += part
    return total


def gaussian_gradient_magnitude(input: ArrayLike, sigma: Union[float, Sequence[float]],
                                output: OutputLike = None, mode: Modes = "reflect",
                                cval: float = 0.0, **kwargs: Any) -> Array:
    """Gradient magnitude by derivatives (G8), as scipy.ndimage.gaussian_gradient_magnitude.

    Parameters
    ----------
    input, sigma, output, mode, cval, **kwargs
        As of `gaussian_laplace`.

    Returns
    -------
    ndarray, of the shape of `input`
    """
    parts = _derivatives(input, sigma, 1, output, mode, cval, kwargs)
    total = next(parts)
    np.multiply(total, total, total)
    for part in parts:
        np.multiply(part, part, part)
        total += part
    return np.sqrt(total, total, casting="unsafe")


def local_filter(input: ArrayLike, weights: ArrayLike, output: Optional[Array] = None,
                 mode: str = "reflect", cval: float = 0.0) -> Array:
    """A kernel of its own for every pixel (C2): out(p) = sum_d w(d, p) x(p + d).

    Parameters
    ----------
    input : array_like
        (H, W), (C, H, W) or (N, C, H, W).
    weights : array_like
        (kh, kw, H, W), or (N, kh, kw, H, W) for a batch; the middle of a kernel is (kh // 2,
        kw // 2). All channels share them.
    output : ndarray, optional
        Where the result is written: of its shape and type.
    mode, cval
        What stands beyond the border, as of `adaptive_blur`.

    Returns
    -------
    ndarray
        Of the shape of `input`, float32 or float64.

    Raises
    ------
    TypeError
        For complex and object arrays.
    ValueError
        For shapes that do not match, pixels and weights that are not finite.
    """
    x = _arrays.image(input)
    w = _arrays.floating(weights, "weights", x.dtype)
    w = w if w.ndim == 5 else w[None]
    if x.ndim < 2 or w.ndim != 5 or w.shape[3:] != x.shape[-2:]:
        raise ValueError(f"weights: expected shape (kh, kw, *{x.shape[-2:]}), got "
                         f"{np.shape(weights)}")
    n, kh, kw, height, width = w.shape
    target = _arrays.Target(_arrays.result(x, output), x, w)
    _core.local_filter(_arrays.lifted(x), w.reshape(n, kh * kw, height, width),
                       _arrays.lifted(target.array), [kh, kw], mode_name(mode), cval)
    return target.finish()


def _separable_blur(x: Array, passes: Sequence[Tuple[int, float, int, str, int]], target: Output,
                    cval: float, truncate: float, radius: Radius, tolerance: float) -> bool:
    """gaussian_filter by uniform_blur, where its axes and output type allow; False elsewhere."""
    out = target.array
    last = x.ndim - 2 if x.ndim > 1 else 0
    plain = all(axis >= last and n == 0 and m == passes[0][3] for axis, _, n, m, _ in passes)
    in_place = out.dtype == target.work and (x.ndim == 1 or out.flags.c_contiguous)
    if not passes or not plain or not in_place:
        if tolerance and passes and not any(n for _, _, n, _, _ in passes):
            raise ValueError("gaussian_filter: expected the last two axes, one mode and a float "
                             "output with a tolerance")
        return False
    rank = min(x.ndim, 2)
    sigmas, radii = [0.0] * rank, [0] * rank
    for axis, s, _, _, r in passes:
        sigmas[axis - x.ndim + rank], radii[axis - x.ndim + rank] = s, r
    values = _arrays.floating(x, "input", target.work)
    result = _arrays.Target(out, values)
    plane = (1, -1, *x.shape[-2:]) if x.ndim > 1 else (1, 1, -1)
    free = tolerance and radius is None and truncate == DEFAULT_TRUNCATE
    options = _core.BlurOptions(passes[0][3], cval, None, [] if free else radii, tolerance, "auto",
                                False)
    _core.uniform_blur(values.reshape(plane), sigmas, result.array.reshape(plane), options)
    result.finish()
    return True


def _by_field(x: Array, sigma: ArrayLike, order: Any, output: OutputLike, mode: Modes, cval: float,
              truncate: float, radius: Radius, axes: Any, tolerance: float) -> Array:
    """gaussian_filter with a field of sigmas."""
    last = (x.ndim - 2, x.ndim - 1)
    if np.any(order) or not isinstance(mode, str) or (
            axes is not None and axis_list(axes, x.ndim) != list(last)):
        raise ValueError("gaussian_filter: expected order 0, one mode and the last two axes with a "
                         "field of sigmas")
    target = Output(x, output)
    values = _arrays.floating(x, "input", target.work)
    direct = target.array if target.array.dtype == target.work else None
    blurred = adaptive_blur(values, sigma=np.asarray(sigma), truncate=truncate, radius=radius,
                            mode=mode, cval=cval, tolerance=tolerance, out=direct)
    if direct is None:
        target.store(blurred)
    return target.array


def _derivatives(input: ArrayLike, sigma: Union[float, Sequence[float]], order: int,
                 output: OutputLike, mode: Modes, cval: float, kwargs: dict[str, Any]) -> Any:
    """Gaussian derivatives of the order along each axis in turn, the first into `output`."""
    x = _arrays.numeric(input, "input")
    chosen = axis_list(kwargs.pop("axes", None), x.ndim)
    first = Output(x, output).array
    if np.may_share_memory(first, x):
        x = x.copy()  # the first derivative is written over it
    for i in range(len(chosen)):
        orders = [order if k == i else 0 for k in range(len(chosen))]
        # SciPy hands the first derivative the caller's array, the others a type.
        yield gaussian_filter(x, sigma, orders, first if i == 0 else first.dtype, mode, cval,
                              axes=chosen, **kwargs)


def _check_gaussian(sigma: float, order: int) -> None:
    if not (0 <= sigma < np.inf):
        raise ValueError(f"sigma: expected a finite number >= 0, got {sigma}")
    if order < 0:
        raise ValueError(f"order: expected 0 or more, got {order}")


def _radius(sigma: float, truncate: float, radius: Optional[int]) -> int:
    """SciPy's rule."""
    return _arrays.limited_radius(int(truncate * sigma + 0.5) if radius is None else
                                  operator.index(radius))


def _kernel(sigma: float, order: int, radius: int) -> Array:
    """A Gaussian derivative to be correlated with."""
    return np.array(_core.gaussian_kernel1d(sigma, radius, order))[::-1]


def _weights(weights: ArrayLike, rank: int) -> Array:
    w = _arrays.numeric(weights, "weights").astype(np.float64)
    if w.ndim != rank:
        raise ValueError(f"weights: expected {rank} axes, got shape {w.shape}")
    return w


def _flipped(origin: int, size: int) -> int:
    """The origin of a correlation that convolves."""
    return -operator.index(origin) - (1 if size % 2 == 0 else 0)
