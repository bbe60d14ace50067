# SPDX-License-Identifier: BSD-3-Clause
"""Blur that varies across an image: apply it, learn it, invert it, with derivatives.

Images are (H, W), (C, H, W) or (N, C, H, W), float32 or float64; widths are in pixels; order is
(y, x), and y grows downwards. `blurfield.torch`, `.jax`, `.dask`, `.plot` and `.datasets` are
imported where they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._core import BlurReport, Cancelled, Error
from ._core import version as __version__
from ._blur import (adaptive_blur, adaptive_blur_jvp, adaptive_blur_plan, adaptive_blur_vjp,
                    uniform_blur, uniform_blur_jvp, uniform_blur_vjp)
from ._gaussian import (cov_to_logchol, gaussian_kernel, logchol_to_cov, logchol_to_sigma,
                        noise_level, sigma_to_logchol, soft_maximum, soft_maximum_derivative,
                        soft_maximum_inverse)
from ._learn import Estimate, estimate
from ._mix import mix, mix_jvp, mix_level_sigmas, mix_levels, mix_vjp
from ._ndimage import (convolve, convolve1d, correlate, correlate1d, gaussian_filter,
                       gaussian_filter1d, gaussian_gradient_magnitude, gaussian_laplace,
                       local_filter)
from ._signal import fftconvolve, oaconvolve
from ._threads import get_num_threads, set_num_threads
from ._windows import Filter, col2im, filter_bank, im2col, make_filter, sliding_window

if TYPE_CHECKING:
    from ._deblur import (Deblurred, deblur, disk_psf, gaussian_psf, moffat_psf, motion_psf,
                          richardson_lucy, tikhonov, wiener)
    from ._operator import BlurOperator

Error.__doc__ = "What the functions refuse: the operation, what it expected and what it got."
Cancelled.__doc__ = "The work was ended by its progress callback."

# What takes long to import, by the module that has it.
_LAZY = {"BlurOperator": "_operator", "Deblurred": "_deblur", "deblur": "_deblur",
         "disk_psf": "_deblur", "gaussian_psf": "_deblur", "moffat_psf": "_deblur",
         "motion_psf": "_deblur", "richardson_lucy": "_deblur", "tikhonov": "_deblur",
         "wiener": "_deblur"}
_MODULES = ("dask", "datasets", "jax", "plot", "torch")

__all__ = [
    "BlurOperator", "BlurReport", "Cancelled", "Deblurred", "Error", "Estimate", "Filter",
    "adaptive_blur", "adaptive_blur_jvp", "adaptive_blur_plan", "adaptive_blur_vjp", "col2im",
    "convolve", "convolve1d", "correlate", "correlate1d", "cov_to_logchol", "deblur", "disk_psf",
    "estimate", "fftconvolve", "filter_bank", "gaussian_filter", "gaussian_filter1d",
    "gaussian_gradient_magnitude", "gaussian_kernel", "gaussian_laplace", "gaussian_psf",
    "get_num_threads", "im2col", "local_filter", "logchol_to_cov", "logchol_to_sigma",
    "make_filter", "mix", "mix_jvp", "mix_level_sigmas", "mix_levels", "mix_vjp", "moffat_psf",
    "motion_psf", "noise_level", "oaconvolve", "richardson_lucy", "set_num_threads",
    "sigma_to_logchol", "sliding_window", "soft_maximum", "soft_maximum_derivative",
    "soft_maximum_inverse", "tikhonov", "uniform_blur", "uniform_blur_jvp", "uniform_blur_vjp",
    "wiener",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_MODULES})
