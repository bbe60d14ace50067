# SPDX-License-Identifier: BSD-3-Clause
"""Blur as functions of PyTorch's autograd, by the package's names and keywords, on tensors.

Gradients flow to images, and to whatever of sigma, logchol, cov, weights and kernels is a tensor.
Tensors are on the CPU, float32 or float64, of any strides; their memory is read in place. TypeError
names what came instead. Forward-mode derivatives work too. Second derivatives exist by everything
that enters linearly, and by an image or cotangent together with Gaussians; a RuntimeError tells
where there is none: by Gaussians twice. `GaussianBlur2d`, `AdaptiveBlur2d` and `MixBlur2d` are
modules with parameters to be learned.
"""

from __future__ import annotations

from ._torch_functions import (adaptive_blur, convolve, correlate, cov_to_logchol, gaussian_filter,
                               local_filter, logchol_to_cov, mix, mix_levels, soft_maximum,
                               uniform_blur)
from ._torch_modules import AdaptiveBlur2d, GaussianBlur2d, MixBlur2d

__all__ = ["AdaptiveBlur2d", "GaussianBlur2d", "MixBlur2d", "adaptive_blur", "convolve",
           "correlate", "cov_to_logchol", "gaussian_filter", "local_filter", "logchol_to_cov",
           "mix", "mix_levels", "soft_maximum", "uniform_blur"]
