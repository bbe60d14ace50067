# SPDX-License-Identifier: BSD-3-Clause
"""Blurs as modules of PyTorch, with parameters to be learned."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple, Union

import torch
from torch import Tensor

from ._gaussian import soft_maximum_inverse
from ._options import DEFAULT_TRUNCATE, Radius
from ._torch_functions import adaptive_blur, mix, soft_maximum, uniform_blur

_SIGMAS = ("exponential", "soft-maximum")


class _Blur(torch.nn.Module):  # type: ignore[misc]
    """What the modules share: the keywords of their blur, shown by repr()."""

    def __init__(self, truncate: float, radius: Radius, mode: str, cval: float, tolerance: float
                 ) -> None:
        super().__init__()
        self.keywords: Dict[str, Any] = {"truncate": truncate, "radius": radius, "mode": mode,
                                         "cval": cval, "tolerance": tolerance}
        self._usual = {"radius": None, "cval": 0.0, "tolerance": 0}

    def _hold(self, name: str, value: Tensor, learned: bool) -> None:
        """As a parameter, or as a buffer."""
        if learned:
            self.register_parameter(name, torch.nn.Parameter(value))
        else:
            self.register_buffer(name, value)

    def _shown(self, **first: Any) -> str:
        told = {**first, **{name: value for name, value in self.keywords.items()
                            if name not in self._usual or value != self._usual[name]}}
        return ", ".join(f"{name}={value}" for name, value in told.items())


class _Sigmas(_Blur):
    """Sigmas by way of any real numbers: `parameter` names the way."""

    def _hold_sigma(self, sigma: Tensor, parameter: str, learned: bool) -> None:
        if parameter not in _SIGMAS:
            raise ValueError(f"parameter: expected {' or '.join(_SIGMAS)}, got {parameter!r}")
        self.parameter = parameter
        if not bool((sigma > 0).all()):
            raise ValueError("sigma: expected numbers > 0")
        if parameter == "exponential":
            self._hold("log_sigma", sigma.log(), learned)
        else:
            s = torch.as_tensor(soft_maximum_inverse(sigma.numpy()), dtype=sigma.dtype)
            self._hold("s", s, learned)

    @property
    def sigma(self) -> Tensor:
        """In pixels."""
        return self.log_sigma.exp() if self.parameter == "exponential" else soft_maximum(self.s)


class GaussianBlur2d(_Sigmas):
    """`uniform_blur` with a sigma that is learned.

    Parameters
    ----------
    sigma : float or (float, float)
        Where learning begins, pixels: one, or (sigma_y, sigma_x).
    per_axis : bool
        Two sigmas also where one is given.
    learned : bool
        False: the sigma is kept.
    parameter : {"exponential", "soft-maximum"}
        Learned is log sigma (`log_sigma`), or the s of sigma = log(exp(0.3) + exp(s - 3)) (`s`).
    truncate, radius, mode, cval, tolerance
        As of `uniform_blur`.
    dtype : torch.dtype
        Of the parameter; it need not be the images'.

    Attributes
    ----------
    sigma : Tensor
        Of 1 or 2 elements, pixels.

    Shape
    -----
    (H, W), (C, H, W) or (N, C, H, W), and the same out.
    """

    def __init__(self, sigma: Union[float, Tuple[float, float]] = 1.0, *, per_axis: bool = False,
                 learned: bool = True, parameter: str = "exponential",
                 truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, mode: str = "reflect",
                 cval: float = 0.0, tolerance: float = 0, dtype: Any = torch.float32) -> None:
        super().__init__(truncate, radius, mode, cval, tolerance)
        start = torch.as_tensor(sigma, dtype=dtype).reshape(-1)
        if len(start) not in (1, 2):
            raise ValueError(f"sigma: expected 1 or 2 numbers, got {len(start)}")
        self._hold_sigma(start.repeat(2) if per_axis and len(start) == 1 else start.clone(),
                         parameter, learned)

    def forward(self, input: Tensor) -> Tensor:
        return uniform_blur(input, sigma=self.sigma, **self.keywords)

    def extra_repr(self) -> str:
        sigmas = [round(s, 4) for s in self.sigma.tolist()]
        return self._shown(sigma=sigmas[0] if len(sigmas) == 1 else tuple(sigmas))


class AdaptiveBlur2d(_Sigmas):
    """`adaptive_blur` with a field that is learned.

    Parameters
    ----------
    size : (int, int), optional
        H and W, where `sigma` or `logchol` is the same everywhere.
    sigma : float, (float, float) or Tensor
        Where learning begins, pixels: numbers, or a field (H, W), (2, H, W) or (N, 1 | 2, H, W).
        1 unless `logchol` is given.
    logchol : (float, float, float) or Tensor
        Instead of sigma: (a, b, c), or a field (3, H, W) or (N, 3, H, W).
    scatter : bool
        Whether a kernel belongs to the pixel that the light comes from.
    parameter : {"exponential", "soft-maximum"}
        Of sigma, as of `GaussianBlur2d`: learned is `log_sigma` or `s`. Of logchol it is `logchol`.
    truncate, radius, mode, cval, tolerance
        As of `adaptive_blur`.
    dtype : torch.dtype
        Of the parameter, and of images.

    Attributes
    ----------
    sigma : Tensor
        The field of sigmas, pixels; of logchol the widths along y and x, (..., 2, H, W).

    Shape
    -----
    (H, W), (C, H, W) or (N, C, H, W), and the same out.
    """

    def __init__(self, size: Optional[Tuple[int, int]] = None, *, sigma: Any = None,
                 logchol: Any = None, scatter: bool = False, parameter: str = "exponential",
                 truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, mode: str = "reflect",
                 cval: float = 0.0, tolerance: float = 0, dtype: Any = torch.float32) -> None:
        super().__init__(truncate, radius, mode, cval, tolerance)
        if sigma is not None and logchol is not None:
            raise TypeError("expected one of sigma, logchol, got both")
        self.scatter = scatter
        self.by_logchol = logchol is not None
        start = torch.as_tensor(1.0 if sigma is None and logchol is None else
                                logchol if self.by_logchol else sigma, dtype=dtype)
        if start.dim() < 2:
            if size is None:
                raise ValueError("expected a size (H, W), or a field that has one")
            start = start.reshape(*start.shape, 1, 1).expand(*start.shape, *size)
        elif size is not None and tuple(start.shape[-2:]) != tuple(size):
            raise ValueError(f"size: expected that of the field, {tuple(start.shape[-2:])}, got "
                             f"{tuple(size)}")
        start = start.detach().clone(memory_format=torch.contiguous_format)
        if self.by_logchol:
            self._hold("logchol", start, True)
        else:
            self._hold_sigma(start, parameter, True)

    @property
    def sigma(self) -> Tensor:
        """In pixels; of logchol the square roots of the covariances' diagonals."""
        if not self.by_logchol:
            return super().sigma
        a, b, c = self.logchol.unbind(-3)
        return torch.stack([a.exp(), (b**2 + (2 * c).exp()).sqrt()], -3)

    def forward(self, input: Tensor) -> Tensor:
        field = self.logchol if self.by_logchol else self.sigma
        if input.dim() == 4 and field.dim() == 3:
            field = field[None]  # two or three axes of one field, not a batch of two or three
        return adaptive_blur(input, **{"logchol" if self.by_logchol else "sigma": field},
                             scatter=self.scatter, **self.keywords)

    def extra_repr(self) -> str:
        held = next(self.parameters())
        kind = "logchol" if self.by_logchol else "sigma"
        return self._shown(field=f"{kind} {tuple(held.shape)}", scatter=self.scatter)


class MixBlur2d(_Blur):
    """`mix` of two blurs with a weight that is learned, by way of its logit.

    Parameters
    ----------
    sigma_min, sigma_max : float
        Pixels; kept.
    size : (int, int), optional
        H and W of a field of weights; None: one weight for all pixels.
    weight : float or Tensor
        Where learning begins, within 0..1: the part of the blur by sigma_min.
    truncate, radius, mode, cval, tolerance
        As of `mix`.
    dtype : torch.dtype
        Of the parameter, and of images.

    Attributes
    ----------
    logits : Parameter
        () or (H, W).
    weight : Tensor
        sigmoid(logits).

    Shape
    -----
    (H, W), (C, H, W) or (N, C, H, W), and the same out.
    """

    def __init__(self, sigma_min: float, sigma_max: float, size: Optional[Tuple[int, int]] = None,
                 *, weight: Any = 0.5, truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
                 mode: str = "reflect", cval: float = 0.0, tolerance: float = 0,
                 dtype: Any = torch.float32) -> None:
        super().__init__(truncate, radius, mode, cval, tolerance)
        self.sigma_min, self.sigma_max = float(sigma_min), float(sigma_max)
        start = torch.as_tensor(weight, dtype=dtype)
        if not bool(((start > 0) & (start < 1)).all()):
            raise ValueError("weight: expected numbers between 0 and 1")
        start = start.expand(start.shape if size is None else size)
        self._hold("logits", torch.logit(start.detach().clone()), True)

    @property
    def weight(self) -> Tensor:
        """The part of the blur by sigma_min."""
        return torch.sigmoid(self.logits)

    def forward(self, input: Tensor) -> Tensor:
        return mix(input, self.sigma_min, self.sigma_max, self.weight, **self.keywords)

    def extra_repr(self) -> str:
        return self._shown(sigma_min=self.sigma_min, sigma_max=self.sigma_max,
                           weight=tuple(self.logits.shape))
