# SPDX-License-Identifier: BSD-3-Clause
"""Gaussian blur, of its own at every pixel or the same everywhere."""

from __future__ import annotations

from typing import Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _core
from ._fields import Field, one_of
from ._gaussian import cov_to_logchol
from ._options import DEFAULT_TRUNCATE, Radius, blur_options
from ._progress import Progress, reported

Array = _arrays.Array
Gaussian = Union[float, Sequence[float]]


def adaptive_blur(input: ArrayLike, *, sigma: Optional[ArrayLike] = None,
                  logchol: Optional[ArrayLike] = None, cov: Optional[ArrayLike] = None,
                  scatter: bool = False, truncate: float = DEFAULT_TRUNCATE,
                  radius: Radius = None, mode: str = "reflect", cval: float = 0.0,
                  tolerance: float = 0, method: str = "auto", out: Optional[Array] = None,
                  progress: Progress = None) -> Array:
    """Blur with a Gaussian of its own for every pixel.

    Parameters
    ----------
    input : array_like
        A signal (L), or an image (H, W), (C, H, W) or (N, C, H, W). float32 and float64 stay what
        they are and are not copied; integers of up to 16 bits become float32, others float64.
    sigma, logchol, cov : array_like
        One of them, in pixels:
        sigma (H, W), or (2, H, W) for (sigma_y, sigma_x); > 0;
        logchol (3, H, W), the log-Cholesky parameters (a, b, c) of
        Sigma = U^T U, U = [[e^a, b], [0, e^c]], in (y, x) order;
        cov (H, W, 2, 2), symmetric and positive definite, in pixels squared and (y, x) order.
        All channels share it. For a batch (N, C, H, W), N or 1 may stand in front: (N, 1, H, W),
        (N, 2, H, W), (N, H, W) unless N is 2, (N, 3, H, W), (N, H, W, 2, 2).
    scatter : bool
        False: a kernel belongs to the pixel of the result (B1). True: to the pixel that the light
        comes from, as behind a lens (B2).
    truncate : float
        Radius max(1, floor(truncate sigma + 1/2)), in sigmas. With a tolerance, 4 means as far as
        that asks for.
    radius : int or (int, int), optional
        Radius in pixels, or (ry, rx), for all kernels; overrides truncate.
    mode : {"reflect", "mirror", "nearest", "constant", "wrap"}
        What stands beyond the border; SciPy's words and meaning.
    cval : float
        The value beyond the border under "constant".
    tolerance : float
        0: exact. Else a bound, below 1, on the sum of the absolute errors of any kernel's weights
        against the untruncated Gaussian: the cost then does not grow with sigma.
    method : {"auto", "exact", "stack", "residual"}
        How a blur with a tolerance is computed.
    out : ndarray, optional
        Where the result is written: of its shape and type.
    progress : bool or callable, optional
        True: a bar, where tqdm is installed. A callable is given the fraction done, from any
        thread; False from it stops the work.

    Returns
    -------
    ndarray
        Of the shape of `input`, float32 or float64.

    Raises
    ------
    ValueError
        For shapes that do not match, pixels or parameters that are not finite, sigma <= 0.
    TypeError
        For complex and object arrays, and unless one of sigma, logchol, cov is given.
    Cancelled
        Where `progress` said False.

    Notes
    -----
    Equations (G1) to (G5), (B1), (B2) of docs/math.md. The same bits for any number of threads.

    Examples
    --------
    >>> import numpy as np, blurfield
    >>> ramp = np.linspace(0.5, 8, 64) * np.ones((64, 1))
    >>> blurfield.adaptive_blur(np.eye(64), sigma=ramp).shape
    (64, 64)
    """
    x = _arrays.image(input)
    field = Field(x, sigma, logchol, cov)
    options = blur_options(truncate, radius, mode, cval, tolerance, method, scatter)
    target = _arrays.Target(_arrays.result(x, out), x, field.given)
    with reported(progress, "adaptive_blur") as tell:
        _core.adaptive_blur(_arrays.lifted(x), field.array, _arrays.lifted(target.array), options,
                            tell)
    return target.finish()


def adaptive_blur_vjp(input: ArrayLike, cotangent: ArrayLike, *,
                      sigma: Optional[ArrayLike] = None, logchol: Optional[ArrayLike] = None,
                      cov: Optional[ArrayLike] = None, scatter: bool = False,
                      truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
                      mode: str = "reflect", cval: float = 0.0, tolerance: float = 0,
                      method: str = "auto", by_input: bool = True, by_field: bool = True,
                      progress: Progress = None) -> Tuple[Optional[Array], Optional[Array]]:
    """Gradients of sum(cotangent * adaptive_blur(input)) by the input and by the field.

    Parameters
    ----------
    input, sigma, logchol, cov, scatter, truncate, radius, mode, cval, tolerance, method, progress
        As of `adaptive_blur`.
    cotangent : array_like
        Of the shape of `input`: the gradient of a loss by the blur's result.
    by_input, by_field : bool
        Which gradients are computed; None stands for the other.

    Returns
    -------
    grad_input : ndarray or None
        Of the shape of `input`. With cval, that of the linear part.
    grad_field : ndarray or None
        Of the shape of the field given: by sigma, by (a, b, c), or by the covariance's four
        entries. One field for a whole batch sums over it.

    Raises
    ------
    ValueError, TypeError, Cancelled
        As `adaptive_blur`.

    Notes
    -----
    Exact derivatives of what is computed, the radii held fixed (G2), (G6).
    """
    x = _arrays.image(input)
    field = Field(x, sigma, logchol, cov)
    options = blur_options(truncate, radius, mode, cval, tolerance, method, scatter)
    c = same_as("cotangent", cotangent, x)
    grad_x = np.empty_like(x, order="C") if by_input else None
    grad_field = np.empty(field.array.shape, x.dtype) if by_field else None
    with reported(progress, "adaptive_blur_vjp") as tell:
        _core.adaptive_blur_vjp(_arrays.lifted(x), field.array, _arrays.lifted(c),
                                None if grad_x is None else _arrays.lifted(grad_x), grad_field,
                                options, tell)
    return grad_x, None if grad_field is None else field.gradient(grad_field)


def adaptive_blur_jvp(input: ArrayLike, input_dot: Optional[ArrayLike] = None,
                      field_dot: Optional[ArrayLike] = None, *,
                      sigma: Optional[ArrayLike] = None, logchol: Optional[ArrayLike] = None,
                      cov: Optional[ArrayLike] = None, scatter: bool = False,
                      truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
                      mode: str = "reflect", cval: float = 0.0, tolerance: float = 0,
                      method: str = "auto", progress: Progress = None) -> Array:
    """The derivative of adaptive_blur along (input_dot, field_dot).

    Parameters
    ----------
    input, sigma, logchol, cov, scatter, truncate, radius, mode, cval, tolerance, method, progress
        As of `adaptive_blur`.
    input_dot, field_dot : array_like, optional
        Directions, of the shapes of `input` and of the field given; None is zero.

    Returns
    -------
    ndarray
        Of the shape of `input`.

    Raises
    ------
    ValueError, TypeError, Cancelled
        As `adaptive_blur`.

    Notes
    -----
    The radii are held fixed (G2), (G6).
    """
    x = _arrays.image(input)
    field = Field(x, sigma, logchol, cov)
    options = blur_options(truncate, radius, mode, cval, tolerance, method, scatter)
    x_dot = None if input_dot is None else _arrays.lifted(same_as("input_dot", input_dot, x))
    out = np.empty_like(x, order="C")
    with reported(progress, "adaptive_blur_jvp") as tell:
        _core.adaptive_blur_jvp(_arrays.lifted(x), field.array, x_dot, field.along(field_dot),
                                _arrays.lifted(out), options, tell)
    return out


def adaptive_blur_plan(input: ArrayLike, *, sigma: Optional[ArrayLike] = None,
                       logchol: Optional[ArrayLike] = None, cov: Optional[ArrayLike] = None,
                       scatter: bool = False, truncate: float = DEFAULT_TRUNCATE,
                       radius: Radius = None, mode: str = "reflect", cval: float = 0.0,
                       tolerance: float = 0, method: str = "auto") -> _core.BlurReport:
    """What adaptive_blur would do with these arguments: methods, levels, error bound, memory.

    Parameters
    ----------
    input, sigma, logchol, cov, scatter, truncate, radius, mode, cval, tolerance, method
        As of `adaptive_blur`; of `input` only shape and type count.

    Returns
    -------
    BlurReport
        `exact`, `stack`, `residual`: the part of the pixels that each method computes; `steps`:
        pixels between the samples of each level; `nodes`: uniform blurs per tile of the stack;
        `error_bound` (T1); `truncated`: whether truncate or radius costs more than the tolerance;
        `bytes` of memory beside input, field and result; `seconds`, `exact_seconds` expected of one
        thread.

    Raises
    ------
    ValueError, TypeError
        As `adaptive_blur`.

    Notes
    -----
    "Tolerance" in docs/math.md.
    """
    x = _arrays.image(input)
    field = Field(x, sigma, logchol, cov)
    options = blur_options(truncate, radius, mode, cval, tolerance, method, scatter)
    return _core.adaptive_blur_plan(list(_arrays.lifted(x).shape), field.array, options)


def same_as(name: str, value: ArrayLike, like: Array) -> Array:
    """`value` as an array of the type and shape of another."""
    array = _arrays.floating(value, name, like.dtype)
    if array.shape != like.shape:
        raise ValueError(f"{name}: expected shape {like.shape}, got {array.shape}")
    return array


def gaussian_numbers(sigma: Optional[ArrayLike], logchol: Optional[ArrayLike],
                     cov: Optional[ArrayLike]) -> list[float]:
    """The parameters of one Gaussian, as uniform_blur takes them."""
    if isinstance(sigma, (int, float)) and logchol is None and cov is None:
        return [float(sigma)]  # the usual, without NumPy
    kind, value = one_of(sigma=sigma, logchol=logchol, cov=cov)
    if kind == "cov":
        planes = np.asarray(value, np.float64)
        if planes.shape != (2, 2):
            raise ValueError(f"cov: expected shape (2, 2), got {planes.shape}")
        return list(map(float, cov_to_logchol(planes)))
    numbers = list(map(float, np.atleast_1d(np.asarray(value, np.float64))))
    if len(numbers) not in ((1, 2) if kind == "sigma" else (3,)):
        wanted = "sigma or (sigma_y, sigma_x)" if kind == "sigma" else "(a, b, c)"
        raise ValueError(f"{kind}: expected {wanted}, got {len(numbers)} numbers")
    return numbers


def uniform_blur(input: ArrayLike, *, sigma: Optional[Gaussian] = None,
                 logchol: Optional[ArrayLike] = None, cov: Optional[ArrayLike] = None,
                 truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, mode: str = "reflect",
                 cval: float = 0.0, tolerance: float = 0, method: str = "auto",
                 out: Optional[Array] = None, progress: Progress = None) -> Array:
    """Blur with one Gaussian everywhere, over the last two axes (the last one of a signal).

    Parameters
    ----------
    input : array_like
        As of `adaptive_blur`.
    sigma, logchol, cov
        One of them: sigma or (sigma_y, sigma_x) in pixels, 0 leaves an axis alone; (a, b, c); or
        a covariance (2, 2) in pixels squared.
    truncate, radius, mode, cval, tolerance, method, out, progress
        As of `adaptive_blur`.

    Returns
    -------
    ndarray
        Of the shape of `input`, float32 or float64.

    Raises
    ------
    ValueError
        For sigma < 0, parameters or pixels that are not finite, shapes that do not match.
    TypeError
        For complex and object arrays, and unless one of sigma, logchol, cov is given.
    Cancelled
        Where `progress` said False.

    See Also
    --------
    gaussian_filter : the same with SciPy's signature, radii and integer types, for any axes.

    Notes
    -----
    Equations (G1) and (G3) to (G5) of docs/math.md.
    """
    x = _arrays.image(input)
    gaussian = gaussian_numbers(sigma, logchol, cov)
    options = blur_options(truncate, radius, mode, cval, tolerance, method)
    target = _arrays.Target(_arrays.result(x, out), x)
    with reported(progress, "uniform_blur") as tell:
        _core.uniform_blur(_arrays.lifted(x), gaussian, _arrays.lifted(target.array), options, tell)
    return target.finish()


def uniform_blur_vjp(input: ArrayLike, cotangent: ArrayLike, *, sigma: Optional[Gaussian] = None,
                     logchol: Optional[ArrayLike] = None,
                     truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
                     mode: str = "reflect", cval: float = 0.0, tolerance: float = 0,
                     method: str = "auto", by_input: bool = True, by_gaussian: bool = True
                     ) -> Tuple[Optional[Array], Optional[Array]]:
    """Gradients of sum(cotangent * uniform_blur(input)) by the input and the Gaussian's numbers.

    Parameters
    ----------
    input, truncate, radius, mode, cval, tolerance, method
        As of `adaptive_blur`.
    cotangent : array_like
        Of the shape of `input`: the gradient of a loss by the blur's result.
    sigma, logchol
        One of them: sigma or (sigma_y, sigma_x) in pixels; or (a, b, c).
    by_input, by_gaussian : bool
        Which gradients are computed; None stands for the other.

    Returns
    -------
    grad_input : ndarray or None
        Of the shape of `input`. With cval, that of the linear part.
    grad_gaussian : ndarray or None
        One number for each of sigma or (a, b, c), float64.

    Raises
    ------
    ValueError, TypeError
        As `uniform_blur`.

    Notes
    -----
    Exact derivatives of what is computed, the radii held fixed (G2), (G6).
    """
    x = _arrays.image(input)
    gaussian = gaussian_numbers(sigma, logchol, None)
    options = blur_options(truncate, radius, mode, cval, tolerance, method)
    grad_x = np.empty_like(x, order="C") if by_input else None
    grad = _core.uniform_blur_vjp(
        _arrays.lifted(x), gaussian, _arrays.lifted(same_as("cotangent", cotangent, x)),
        None if grad_x is None else _arrays.lifted(grad_x), by_gaussian, options)
    return grad_x, np.array(grad) if by_gaussian else None


def uniform_blur_jvp(input: ArrayLike, input_dot: Optional[ArrayLike] = None,
                     gaussian_dot: Optional[Gaussian] = None, *, sigma: Optional[Gaussian] = None,
                     logchol: Optional[ArrayLike] = None,
                     truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
                     mode: str = "reflect", cval: float = 0.0, tolerance: float = 0,
                     method: str = "auto") -> Array:
    """The derivative of uniform_blur along (input_dot, gaussian_dot).

    Parameters
    ----------
    input, truncate, radius, mode, cval, tolerance, method
        As of `adaptive_blur`.
    input_dot : array_like, optional
        A direction, of the shape of `input`; None is zero.
    gaussian_dot : float or sequence of float, optional
        A direction of as many numbers as the Gaussian has; None is zero.
    sigma, logchol
        One of them: sigma or (sigma_y, sigma_x) in pixels; or (a, b, c).

    Returns
    -------
    ndarray
        Of the shape of `input`.

    Raises
    ------
    ValueError, TypeError
        As `uniform_blur`.

    Notes
    -----
    The radius is held fixed (G2), (G6).
    """
    x = _arrays.image(input)
    gaussian = gaussian_numbers(sigma, logchol, None)
    options = blur_options(truncate, radius, mode, cval, tolerance, method)
    x_dot = None if input_dot is None else _arrays.lifted(same_as("input_dot", input_dot, x))
    dot = [] if gaussian_dot is None else list(map(float, np.atleast_1d(gaussian_dot)))
    out = np.empty_like(x, order="C")
    _core.uniform_blur_jvp(_arrays.lifted(x), gaussian, x_dot, dot, _arrays.lifted(out), options)
    return out
