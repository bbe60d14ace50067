# SPDX-License-Identifier: BSD-3-Clause
"""The package's functions on PyTorch's tensors, with gradients."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from . import _blur_operations as ops
from ._fields import one_of
from ._mix import mix_level_sigmas
from ._operations import Correlate, LocalFilter
from ._options import DEFAULT_TRUNCATE, Radius, mode_name
from ._passes import axis_list
from ._torch_autograd import apply, checked

Whole = Union[None, int, Sequence[int]]


def adaptive_blur(input: Tensor, *, sigma: Any = None, logchol: Any = None, cov: Any = None,
                  scatter: bool = False, truncate: float = DEFAULT_TRUNCATE,
                  radius: Radius = None, mode: str = "reflect", cval: float = 0.0,
                  tolerance: float = 0, method: str = "auto") -> Tensor:
    """Blur with a Gaussian of its own for every pixel.

    Parameters
    ----------
    input : Tensor
        (L), (H, W), (C, H, W) or (N, C, H, W).
    sigma, logchol, cov : Tensor or array_like
        One of them, of the type of `input`, shaped as `blurfield.adaptive_blur` tells; pixels.
    scatter, truncate, radius, mode, cval, tolerance, method
        As of `blurfield.adaptive_blur`.

    Returns
    -------
    Tensor
        Of the shape and type of `input`.

    Raises
    ------
    TypeError
        For tensors elsewhere than on the CPU, or of other types.
    ValueError
        For shapes that do not match, values that are not finite, sigma <= 0.
    """
    x = checked(input, "input")
    kind, value = one_of(sigma=sigma, logchol=logchol, cov=cov)
    blur = ops.Blur.of(truncate, radius, mode, cval, tolerance)
    return apply(ops.AdaptiveBlur(kind, blur, bool(scatter), method), x,
                 checked(value, kind, x.dtype))


def uniform_blur(input: Tensor, *, sigma: Any = None, logchol: Any = None, cov: Any = None,
                 truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, mode: str = "reflect",
                 cval: float = 0.0, tolerance: float = 0, method: str = "auto") -> Tensor:
    """Blur with one Gaussian everywhere, over the last two axes (the last one of a signal).

    Parameters
    ----------
    input : Tensor
        (L), (H, W), (C, H, W) or (N, C, H, W).
    sigma, logchol, cov : float, sequence or Tensor
        One of them: sigma of 1 or 2 elements (or a sequence of numbers and tensors), (a, b, c), a
        covariance (2, 2); pixels. Tensors may be float32 or float64, whatever `input` is.
    truncate, radius, mode, cval, tolerance, method
        As of `blurfield.adaptive_blur`.

    Returns
    -------
    Tensor
        Of the shape and type of `input`.
    """
    x = checked(input, "input")
    kind, value = one_of(sigma=sigma, logchol=logchol, cov=cov)
    gaussian = _numbers(value, kind)
    if kind == "cov":
        kind, gaussian = "logchol", cov_to_logchol(gaussian)
    blur = ops.Blur.of(truncate, radius, mode, cval, tolerance)
    return apply(ops.UniformBlur(kind, blur, method), x, gaussian)


def gaussian_filter(input: Tensor, sigma: Any, *, mode: str = "reflect", cval: float = 0.0,
                    truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
                    axes: Whole = None, tolerance: float = 0) -> Tensor:
    """Gaussian filter with SciPy's radii: `blurfield.gaussian_filter` of order 0, on tensors.

    Parameters
    ----------
    input : Tensor
        (L), (H, W), (C, H, W) or (N, C, H, W).
    sigma : float, sequence or Tensor
        Pixels: one for all axes or one for each, 0 leaves an axis alone. With two axes or more, a
        field for every pixel of the last two axes, as `adaptive_blur` takes it.
    mode, cval, truncate, radius, tolerance
        As of `blurfield.gaussian_filter`; one mode for all axes.
    axes : int or sequence of int, optional
        The axes that are filtered: of the last two. None means all axes, as in SciPy, which three
        and more cannot be: name (-2, -1) for those.

    Returns
    -------
    Tensor
        Of the shape and type of `input`.
    """
    x = checked(input, "input")
    if np.ndim(sigma.detach() if isinstance(sigma, Tensor) else sigma) >= 2:
        if axes is not None and axis_list(axes, x.dim()) != [x.dim() - 2, x.dim() - 1]:
            raise ValueError("gaussian_filter: expected the last two axes with a field of sigmas")
        return adaptive_blur(x, sigma=sigma, truncate=truncate, radius=radius, mode=mode, cval=cval,
                             tolerance=tolerance)
    given = _numbers(sigma, "sigma").reshape(-1)
    blur = ops.Blur.of(truncate, radius, mode, cval, tolerance)
    operation, places = ops.gaussian_filter_plan(x.dim(), len(given), axes, blur)
    sigmas = [given.new_zeros(()) if i is None else given[i] for i in places]
    return apply(operation, x, torch.stack(sigmas))


def mix(input: Tensor, sigma_min: Any, sigma_max: Any, weight: Any, *,
        truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, mode: str = "reflect",
        cval: float = 0.0, tolerance: float = 0) -> Tensor:
    """weight * blur(input, sigma_min) + (1 - weight) * blur(input, sigma_max)  (B3).

    Parameters
    ----------
    input : Tensor
        (L), (H, W), (C, H, W) or (N, C, H, W).
    sigma_min, sigma_max : float or Tensor
        Pixels; one element each.
    weight : float or Tensor
        As `blurfield.mix` takes it, of the type of `input`.
    truncate, radius, mode, cval, tolerance
        As of `blurfield.mix`.

    Returns
    -------
    Tensor
        Of the shape and type of `input`.
    """
    x = checked(input, "input")
    sigmas = _numbers((sigma_min, sigma_max), "sigma_min, sigma_max")
    blur = ops.Blur.of(truncate, radius, mode, cval, tolerance)
    return apply(ops.Mix(blur), x, sigmas, checked(weight, "weight", x.dtype))


def mix_levels(input: Tensor, sigma: Any, sigmas: Optional[Sequence[float]] = None, *,
               truncate: Optional[float] = None, radius: Radius = None, mode: str = "reflect",
               cval: float = 0.0, tolerance: float = 1e-3) -> Tensor:
    """Blur by a field of sigmas, interpolated between K uniform blurs.

    Parameters
    ----------
    input : Tensor
        (L), (H, W), (C, H, W) or (N, C, H, W).
    sigma : Tensor or array_like
        (H, W), pixels, within the range of `sigmas`, of the type of `input`.
    sigmas : sequence of float, optional
        The uniform blurs' widths, ascending. None: chosen for `tolerance`, and held fixed.
    tolerance, truncate, radius, mode, cval
        As of `blurfield.mix_levels`.

    Returns
    -------
    Tensor
        Of the shape and type of `input`.
    """
    x = checked(input, "input")
    field = checked(sigma, "sigma", x.dtype)
    if sigmas is None:
        sigmas = mix_level_sigmas(float(field.min()), float(field.max()), tolerance)
    blur = ops.Blur.of(6.0 if truncate is None else truncate, radius, mode, cval, 0)
    return apply(ops.MixLevels(tuple(map(float, sigmas)), blur), x, field)


def correlate(input: Tensor, weights: Any, *, mode: str = "reflect", cval: float = 0.0,
              output: str = "same", stride: Whole = None, dilation: Whole = None,
              padding: Whole = None, method: str = "auto") -> Tensor:
    """Correlation with one kernel, one per channel or a bank, by the fastest of four methods.

    Parameters
    ----------
    input : Tensor
        (H, W), (C, H, W) or (N, C, H, W).
    weights : Tensor or array_like
        (kh, kw) for all channels, (C, kh, kw) one for each, or (K, C, kh, kw), a bank summed over
        channels, as torch.nn.functional.conv2d takes it. Its middle is (kh // 2, kw // 2).
    mode, cval
        What stands beyond the border.
    output : {"same", "full", "valid"}
    stride, dilation : int or (int, int), optional
        1 by default.
    padding : int or (int, int), optional
        Pixels beyond the border on both sides; replaces `output`.
    method : {"auto", "direct", "separable", "gemm", "fft"}

    Returns
    -------
    Tensor
        (H', W'), (C | K, H', W') or (N, C | K, H', W').
    """
    return _correlate(input, weights, mode, cval, output, stride, dilation, padding, method, False)


def convolve(input: Tensor, weights: Any, *, mode: str = "reflect", cval: float = 0.0,
             output: str = "same", stride: Whole = None, dilation: Whole = None,
             padding: Whole = None, method: str = "auto") -> Tensor:
    """Convolution: `correlate` with the kernels rotated by 180 degrees about their middle."""
    return _correlate(input, weights, mode, cval, output, stride, dilation, padding, method, True)


def local_filter(input: Tensor, weights: Any, *, mode: str = "reflect", cval: float = 0.0
                 ) -> Tensor:
    """A kernel of its own for every pixel (C2): out(p) = sum_d w(d, p) x(p + d).

    Parameters
    ----------
    input : Tensor
        (H, W), (C, H, W) or (N, C, H, W).
    weights : Tensor or array_like
        (kh, kw, H, W), or (N, kh, kw, H, W) for a batch; the middle of a kernel is (kh // 2,
        kw // 2). All channels share them.
    mode, cval
        What stands beyond the border.
    """
    x = checked(input, "input")
    return apply(LocalFilter(mode_name(mode), float(cval)), x,
                 checked(weights, "weights", x.dtype))


def logchol_to_cov(logchol: Tensor) -> Tensor:
    """Covariances (2, 2) or (..., H, W, 2, 2) of (a, b, c): (3,) or (..., 3, H, W) (G4)."""
    p = checked(logchol, "logchol")
    axis = 0 if p.dim() == 1 else -3
    if p.dim() not in (1, 3, 4) or p.shape[axis] != 3:
        raise ValueError(f"logchol: expected shape (3,) or (..., 3, H, W), got {tuple(p.shape)}")
    a, b, c = p.unbind(axis)
    across = b * a.exp()
    upper = torch.stack([(2 * a).exp(), across], -1)
    lower = torch.stack([across, b**2 + (2 * c).exp()], -1)
    return torch.stack([upper, lower], -2)


def cov_to_logchol(cov: Tensor) -> Tensor:
    """Log-Cholesky parameters of covariances, the reverse of `logchol_to_cov`.

    Raises
    ------
    ValueError
        For matrices that are not positive definite.
    """
    s = checked(cov, "cov")
    if s.dim() not in (2, 4, 5) or s.shape[-2:] != (2, 2):
        raise ValueError(f"cov: expected shape (2, 2) or (..., H, W, 2, 2), got {tuple(s.shape)}")
    yy, yx, xx = s[..., 0, 0], (s[..., 0, 1] + s[..., 1, 0]) / 2, s[..., 1, 1]
    rest = xx - yx**2 / yy
    if not bool(((yy > 0) & (rest > 0)).all()):
        raise ValueError("cov: expected symmetric and positive definite matrices")
    return torch.stack([yy.log() / 2, yx / yy.sqrt(), rest.log() / 2], 0 if s.dim() == 2 else -3)


def soft_maximum(s: Tensor, sigma_min: float = 0.3, shift: float = -3.0) -> Tensor:
    """sigma(s) = log(exp(sigma_min) + exp(s + shift)): any s gives a sigma > sigma_min (G7)."""
    return torch.logaddexp(s + shift, s.new_full((), sigma_min))


def _correlate(input: Tensor, weights: Any, mode: str, cval: float, output: str, stride: Whole,
               dilation: Whole, padding: Whole, method: str, flip: bool) -> Tensor:
    x = checked(input, "input")
    w = checked(weights, "weights", x.dtype)
    if x.dim() not in (2, 3, 4) or w.dim() not in (2, 3, 4):
        raise ValueError("expected an image (H, W), (C, H, W) or (N, C, H, W) and weights "
                         "(kh, kw), (C, kh, kw) or (K, C, kh, kw), got shapes "
                         f"{tuple(x.shape)} and {tuple(w.shape)}")
    operation = Correlate(mode_name(mode), float(cval), output, _whole(stride), _whole(dilation),
                          _whole(padding), flip, method)
    return apply(operation, x, w)


def _whole(value: Whole) -> Tuple[int, ...]:
    return () if value is None else tuple(int(v) for v in np.atleast_1d(np.asarray(value)))


def _numbers(value: Any, name: str) -> Tensor:
    """A handful of numbers, float32 or float64, some of which may be tensors."""
    if isinstance(value, (tuple, list)) and any(isinstance(v, Tensor) for v in value):
        parts = [checked(v, name, None if isinstance(v, Tensor) else torch.float64) for v in value]
        if any(p.numel() != 1 for p in parts):
            raise ValueError(f"{name}: expected a number each, got shapes "
                             f"{[tuple(p.shape) for p in parts]}")
        return torch.stack([p.reshape(()).double() for p in parts])
    return checked(value, name, None if isinstance(value, Tensor) else torch.float64)
