# SPDX-License-Identifier: BSD-3-Clause
"""The blurs as operations with derivatives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from . import _arrays, _core
from ._blur import (adaptive_blur, adaptive_blur_jvp, adaptive_blur_vjp, uniform_blur,
                    uniform_blur_jvp, uniform_blur_vjp)
from ._fields import Field
from ._gaussian import logchol_to_sigma
from ._mix import mix, mix_jvp, mix_levels, mix_vjp
from ._operations import AFFINE, LINEAR, NONLINEAR, Operation, folded, on_image
from ._options import DEFAULT_TRUNCATE, Radius, blur_options, mode_name
from ._passes import axis_list, each_axis

Array = _arrays.Array
Whole = Union[None, int, Sequence[int]]


@dataclass(frozen=True)
class Blur:
    """What all blurs are told beside image and Gaussian."""

    truncate: float = DEFAULT_TRUNCATE
    radius: Optional[Tuple[int, ...]] = None
    mode: str = "reflect"
    cval: float = 0.0
    tolerance: float = 0.0

    @staticmethod
    def of(truncate: float, radius: Radius, mode: str, cval: float, tolerance: float) -> Blur:
        """From a user's keywords."""
        return Blur(float(truncate), tuple(_arrays.radii(radius)) or None, mode_name(mode),
                    float(cval), float(tolerance))

    @property
    def keywords(self) -> Dict[str, Any]:
        return {"truncate": self.truncate, "radius": self.radius, "mode": self.mode,
                "cval": self.cval, "tolerance": self.tolerance}

    def radii(self, widths: Sequence[float], rank: int) -> List[int]:
        """The largest radius along each of `rank` axes, of Gaussians of these largest widths."""
        if self.radius is not None:
            return list(self.radius) if len(self.radius) == rank else list(self.radius) * rank
        both = list(widths) if len(widths) == rank else list(widths) * rank
        return [_core.gaussian_radius(w, self.truncate) if w > 0 else 0 for w in both]


class _AnyBlur(Operation):
    """Blurs of an image by a Gaussian or a field of them: linear in one, not in the other."""

    blur: Blur
    kind: str

    def dependence(self, i: int) -> str:
        return NONLINEAR if i else on_image(self.blur.mode, self.blur.cval)

    def transposed_jvp(self, cotangent: Array, gaussian: Array, direction: Array) -> Array:
        """The derivative of the gradient by the image along a direction of the Gaussians."""
        raise NotImplementedError


@dataclass(frozen=True)
class _Adjoint(Operation):
    """The gradient of a blur by its image, as an operation on the cotangent."""

    of: _AnyBlur
    name: ClassVar[str] = "adjoint of a blur"
    inputs: ClassVar[Tuple[str, ...]] = ("cotangent", "Gaussian")

    def forward(self, *inputs: Array) -> Array:
        # The gradient by the image does not depend on the image.
        grad = self.of.vjp(inputs, inputs[0], (True, False))[0]
        assert grad is not None
        return grad

    def vjp(self, inputs: Sequence[Array], cotangent: Array, wanted: Sequence[bool]
            ) -> List[Optional[Array]]:
        _, gaussian = inputs
        by_first = self.of.forward(cotangent, gaussian) if wanted[0] else None
        by_second = (self.of.vjp((cotangent, gaussian), inputs[0], (False, True))[1]
                     if wanted[1] else None)
        return [by_first, by_second]

    def jvp(self, inputs: Sequence[Array], i: int, direction: Array) -> Array:
        cotangent, gaussian = inputs
        return self.of.transposed_jvp(cotangent, gaussian, direction)

    def dependence(self, i: int) -> str:
        return NONLINEAR if i else LINEAR

    def adjoint(self) -> Operation:
        return self.of


@dataclass(frozen=True)
class AdaptiveBlur(_AnyBlur):
    """adaptive_blur of (image, field); `kind` is sigma, logchol or cov."""

    kind: str
    blur: Blur = Blur()
    scatter: bool = False
    method: str = "auto"
    name: ClassVar[str] = "adaptive_blur"
    inputs: ClassVar[Tuple[str, ...]] = ("image", "field")

    def _keywords(self, field: Array) -> Dict[str, Any]:
        return {self.kind: field, "scatter": self.scatter, "method": self.method,
                **self.blur.keywords}

    def forward(self, *inputs: Array) -> Array:
        x, field = inputs
        return adaptive_blur(x, **self._keywords(field))

    def vjp(self, inputs: Sequence[Array], cotangent: Array, wanted: Sequence[bool]
            ) -> List[Optional[Array]]:
        x, field = inputs
        return list(adaptive_blur_vjp(x, cotangent, by_input=wanted[0], by_field=wanted[1],
                                      **self._keywords(field)))

    def jvp(self, inputs: Sequence[Array], i: int, direction: Array) -> Array:
        x, field = inputs
        dots: Dict[str, Any] = {"input_dot" if i == 0 else "field_dot": direction}
        return adaptive_blur_jvp(x, **dots, **self._keywords(field))

    def adjoint(self) -> Optional[Operation]:
        # With a tolerance the adjoint is not the other kind of blur; beyond most borders, a
        # scatter's is a gather by an extended field.
        if self.blur.tolerance or (self.scatter and self.blur.mode not in ("constant", "wrap")):
            return None
        return _Adjoint(replace(self, blur=replace(self.blur, cval=0.0)))

    def transposed_jvp(self, cotangent: Array, gaussian: Array, direction: Array) -> Array:
        # Without extension, gather and scatter are each other's adjoint (B1*, B2*).
        other = replace(self, scatter=not self.scatter)
        if self.blur.mode in ("constant", "wrap"):
            return other.jvp((cotangent, gaussian), 1, direction)
        plain = replace(other, blur=replace(self.blur, mode="constant"))
        field = Field(cotangent, **{"sigma": None, "logchol": None, "cov": None,
                                    self.kind: gaussian})
        planes = field.array
        if planes.shape[1] == 3:
            planes = logchol_to_sigma(planes)
        widths = [float(planes[:, k].max()) for k in range(planes.shape[1])]
        space = min(cotangent.ndim, 2)
        margin = self.blur.radii(widths, space)

        def extended(array: Array) -> Array:
            # Where the cotangent is 0 the Gaussian does not matter.
            last = array.ndim - (2 if self.kind == "cov" else 0)
            pads = [(0, 0)] * array.ndim
            pads[last - space:last] = [(r, r) for r in margin]
            return np.pad(array, pads, mode="edge")

        return folded(lambda padded: plain.jvp((padded, extended(gaussian)), 1,
                                                extended(direction)),
                       cotangent, margin, self.blur.mode)


@dataclass(frozen=True)
class UniformBlur(_AnyBlur):
    """uniform_blur of (image, Gaussian); `kind` is sigma, of 1 or 2 numbers, or logchol, of 3.

    scipy_radii: those of scipy.ndimage, which may be 0, unless the blur has its own.
    """

    kind: str
    blur: Blur = Blur()
    method: str = "auto"
    scipy_radii: bool = False
    name: ClassVar[str] = "uniform_blur"
    inputs: ClassVar[Tuple[str, ...]] = ("image", "Gaussian")

    def _keywords(self, gaussian: Array) -> Dict[str, Any]:
        words = {self.kind: gaussian, "method": self.method, **self.blur.keywords}
        if self.scipy_radii and self.blur.radius is None:
            words["radius"] = [int(self.blur.truncate * s + 0.5) for s in gaussian.tolist()]
        return words

    def forward(self, *inputs: Array) -> Array:
        x, gaussian = inputs
        return uniform_blur(x, **self._keywords(gaussian))

    def vjp(self, inputs: Sequence[Array], cotangent: Array, wanted: Sequence[bool]
            ) -> List[Optional[Array]]:
        x, gaussian = inputs
        grad_x, grad = uniform_blur_vjp(x, cotangent, by_input=wanted[0], by_gaussian=wanted[1],
                                        **self._keywords(gaussian))
        return [grad_x, None if grad is None else _like(grad, gaussian)]

    def jvp(self, inputs: Sequence[Array], i: int, direction: Array) -> Array:
        x, gaussian = inputs
        along: Dict[str, Any] = ({"input_dot": direction} if i == 0 else
                                 {"gaussian_dot": direction})
        return uniform_blur_jvp(x, **along, **self._keywords(gaussian))

    def adjoint(self) -> Optional[Operation]:
        if self.blur.tolerance:
            return None
        return _Adjoint(replace(self, blur=replace(self.blur, cval=0.0)))

    def transposed_jvp(self, cotangent: Array, gaussian: Array, direction: Array) -> Array:
        if self.blur.mode in ("constant", "wrap"):
            return self.jvp((cotangent, gaussian), 1, direction)
        plain = replace(self, blur=replace(self.blur, mode="constant"))
        widths = (logchol_to_sigma(gaussian) if self.kind == "logchol" else
                  np.atleast_1d(gaussian)).tolist()
        # SciPy's radii are never larger.
        margin = self.blur.radii(widths, min(cotangent.ndim, 2))
        return folded(lambda padded: plain.jvp((padded, gaussian), 1, direction), cotangent,
                       margin, self.blur.mode)


def gaussian_filter_plan(rank: int, count: int, axes: Whole, blur: Blur
                         ) -> Tuple[UniformBlur, List[Optional[int]]]:
    """SciPy's filter as a uniform blur: the blur, and which sigma, if any, each of its axes takes.

    `count` sigmas are given, and the blur's radii, for `axes`: of the last two.
    """
    space = min(rank, 2)
    chosen = axis_list(axes, rank)
    if any(axis < rank - space for axis in chosen):
        raise ValueError(f"gaussian_filter: expected axes of the last two, as (-2, -1), got {axes} "
                         f"for {rank} axes")
    places: List[Optional[int]] = [None] * space
    for i, _ in enumerate(each_axis(0.0 if count == 1 else [0.0] * count, len(chosen), "sigma")):
        places[chosen[i] - rank + space] = 0 if count == 1 else i
    if blur.radius is not None:
        radii = [0] * space
        given = blur.radius[0] if len(blur.radius) == 1 else blur.radius
        for axis, r in zip(chosen, each_axis(given, len(chosen), "radius")):
            radii[axis - rank + space] = r
        blur = replace(blur, radius=tuple(radii))
    # With a tolerance, the usual truncate stands for what that allows.
    free = blur.tolerance and blur.truncate == DEFAULT_TRUNCATE
    return UniformBlur("sigma", blur, scipy_radii=not free), places


@dataclass(frozen=True)
class Mix(Operation):
    """mix of (image, (sigma_min, sigma_max), weight)."""

    blur: Blur = Blur()
    name: ClassVar[str] = "mix"
    inputs: ClassVar[Tuple[str, ...]] = ("image", "sigmas", "weight")

    def forward(self, *inputs: Array) -> Array:
        x, sigmas, weight = inputs
        return mix(x, *_two(sigmas), weight, **self.blur.keywords)

    def vjp(self, inputs: Sequence[Array], cotangent: Array, wanted: Sequence[bool]
            ) -> List[Optional[Array]]:
        x, sigmas, weight = inputs
        grads = mix_vjp(x, *_two(sigmas), weight, cotangent, by_input=wanted[0],
                        by_sigmas=wanted[1], by_weight=wanted[2], **self.blur.keywords)
        return [None if g is None else _like(g, a) for g, a in zip(grads, inputs)]

    def jvp(self, inputs: Sequence[Array], i: int, direction: Array) -> Array:
        x, sigmas, weight = inputs
        name = ("input_dot", "sigmas_dot", "weight_dot")[i]
        along: Dict[str, Any] = {name: _two(direction) if i == 1 else direction}
        least, most = _two(sigmas)
        return mix_jvp(x, least, most, weight, **along, **self.blur.keywords)

    def dependence(self, i: int) -> str:
        return (on_image(self.blur.mode, self.blur.cval), NONLINEAR, AFFINE)[i]


@dataclass(frozen=True)
class MixLevels(Operation):
    """mix_levels of (image, sigma) between given widths."""

    sigmas: Tuple[float, ...]
    blur: Blur = Blur()
    name: ClassVar[str] = "mix_levels"
    inputs: ClassVar[Tuple[str, ...]] = ("image", "sigma")

    def forward(self, *inputs: Array) -> Array:
        x, sigma = inputs
        return mix_levels(x, sigma, self.sigmas, **self.blur.keywords)

    def vjp(self, inputs: Sequence[Array], cotangent: Array, wanted: Sequence[bool]
            ) -> List[Optional[Array]]:
        x, field = inputs[0], Field(inputs[0], inputs[1], None, None)
        grad_x = np.empty_like(x, order="C") if wanted[0] else None
        grad = np.empty(field.array.shape, x.dtype) if wanted[1] else None
        b = self.blur
        _core.mix_levels_vjp(_arrays.lifted(x), self.sigmas, field.array, _arrays.lifted(cotangent),
                             None if grad_x is None else _arrays.lifted(grad_x), grad,
                             blur_options(b.truncate, b.radius, b.mode, b.cval, b.tolerance))
        return [grad_x, None if grad is None else field.gradient(grad)]

    def jvp(self, inputs: Sequence[Array], i: int, direction: Array) -> Array:
        if i == 0:
            linear = replace(self, blur=replace(self.blur, cval=0.0))
            return linear.forward(direction, inputs[1])
        raise RuntimeError("mix_levels: no derivative along a direction of the field")

    def dependence(self, i: int) -> str:
        return NONLINEAR if i else on_image(self.blur.mode, self.blur.cval)


def _two(sigmas: Array) -> Tuple[float, float]:
    return float(sigmas[0]), float(sigmas[1])


def _like(grad: Array, given: Array) -> Array:
    """A gradient in the type and shape of what it is by."""
    return np.asarray(grad, given.dtype).reshape(given.shape)
