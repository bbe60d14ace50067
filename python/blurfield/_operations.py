# SPDX-License-Identifier: BSD-3-Clause
"""Operations with their derivatives, on NumPy arrays, for frameworks of automatic differentiation.

As src/blurfield/autodiff/operation.h: an operation gives its result, gradients (vjp), derivatives
along directions (jvp), and says how it depends on each input. Second derivatives follow from these:
where an input enters linearly, the derivative along a direction is the operation with the direction
in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, ClassVar, Dict, List, Optional, Sequence, Tuple

import numpy as np

from . import _arrays, _core
from ._ndimage import local_filter

Array = _arrays.Array
LINEAR, AFFINE, NONLINEAR = "linear", "affine", "nonlinear"


class Operation:
    """An operation on arrays; its first input is an image. Equal ones compute the same."""

    name: ClassVar[str]
    inputs: ClassVar[Tuple[str, ...]]

    def forward(self, *inputs: Array) -> Array:
        """The result, a new array."""
        raise NotImplementedError

    def vjp(self, inputs: Sequence[Array], cotangent: Array, wanted: Sequence[bool]
            ) -> List[Optional[Array]]:
        """Gradients of <cotangent, result> by the inputs wanted, of their shapes and types."""
        raise NotImplementedError

    def jvp(self, inputs: Sequence[Array], i: int, direction: Array) -> Array:
        """The derivative along a direction of input i."""
        raise NotImplementedError

    def dependence(self, i: int) -> str:
        """Of the result on input i, the others held."""
        raise NotImplementedError

    def adjoint(self) -> Optional[Operation]:
        """The gradient by the image, as an operation on (cotangent, other inputs...), or None."""
        return None


def on_image(mode: str, cval: float) -> str:
    """How a result depends on an image that is extended so."""
    return AFFINE if mode == "constant" and cval != 0 else LINEAR


@dataclass(frozen=True)
class Correlate(Operation):
    """Correlation of (image, kernel); `flip` convolves."""

    mode: str = "reflect"
    cval: float = 0.0
    output: str = "same"
    stride: Tuple[int, ...] = ()
    dilation: Tuple[int, ...] = ()
    padding: Tuple[int, ...] = ()
    flip: bool = False
    method: str = "auto"
    name: ClassVar[str] = "correlate"
    inputs: ClassVar[Tuple[str, ...]] = ("image", "kernel")

    def _options(self, cval: Optional[float] = None) -> _core.CorrelateOptions:
        return _core.CorrelateOptions(self.mode, self.cval if cval is None else cval, self.output,
                                      self.stride, self.dilation, self.padding, self.flip,
                                      self.method)

    def forward(self, *inputs: Array) -> Array:
        x, kernel = inputs
        lifted = _arrays.lifted(x)
        shape = _core.correlate_shape(lifted.shape, kernel.shape, self._options())
        out = np.empty(shape, x.dtype)
        _core.correlate(lifted, kernel, out, self._options())
        # A bank gives an image a channel for each kernel.
        rank = 3 if kernel.ndim == 4 and x.ndim == 2 else x.ndim
        return out.reshape(shape[4 - rank:])

    def vjp(self, inputs: Sequence[Array], cotangent: Array, wanted: Sequence[bool]
            ) -> List[Optional[Array]]:
        x, kernel = inputs
        grad_x = np.empty_like(x, order="C") if wanted[0] else None
        grad_kernel = np.empty_like(kernel, order="C") if wanted[1] else None
        _core.correlate_vjp(_arrays.lifted(x), kernel, _arrays.lifted(cotangent),
                            None if grad_x is None else _arrays.lifted(grad_x), grad_kernel,
                            self._options())
        return [grad_x, grad_kernel]

    def jvp(self, inputs: Sequence[Array], i: int, direction: Array) -> Array:
        x, kernel = inputs
        return (replace(self, cval=0.0).forward(direction, kernel) if i == 0 else
                self.forward(x, direction))

    def dependence(self, i: int) -> str:
        return LINEAR if i else on_image(self.mode, self.cval)


@dataclass(frozen=True)
class LocalFilter(Operation):
    """local_filter of (image, weights)."""

    mode: str = "reflect"
    cval: float = 0.0
    name: ClassVar[str] = "local_filter"
    inputs: ClassVar[Tuple[str, ...]] = ("image", "weights")

    def forward(self, *inputs: Array) -> Array:
        x, weights = inputs
        return local_filter(x, weights, mode=self.mode, cval=self.cval)

    def vjp(self, inputs: Sequence[Array], cotangent: Array, wanted: Sequence[bool]
            ) -> List[Optional[Array]]:
        x, weights = inputs
        kh, kw, height, width = weights.shape[-4:]
        taps = (-1, kh * kw, height, width)
        grad_x = np.empty_like(x, order="C") if wanted[0] else None
        grad = np.empty_like(weights, order="C") if wanted[1] else None
        _core.local_filter_vjp(_arrays.lifted(x), weights.reshape(taps), _arrays.lifted(cotangent),
                               None if grad_x is None else _arrays.lifted(grad_x),
                               None if grad is None else grad.reshape(taps), [kh, kw], self.mode,
                               self.cval)
        return [grad_x, grad]

    def jvp(self, inputs: Sequence[Array], i: int, direction: Array) -> Array:
        x, weights = inputs
        return (replace(self, cval=0.0).forward(direction, weights) if i == 0 else
                self.forward(x, direction))

    def dependence(self, i: int) -> str:
        return LINEAR if i else on_image(self.mode, self.cval)


def second_gradients(operation: Operation, i: int, direction: Any, cotangent: Any,
                     inputs: Sequence[Any], wanted: Sequence[bool], pull: Callable[..., List[Any]],
                     push: Callable[..., Any], missing: Dict[int, str]) -> List[Any]:
    """Gradients by the inputs of <cotangent, derivative along `direction` of input i>.

    Of a framework's arrays, by its pull(operation, cotangent, inputs, wanted), the gradients, and
    push(operation, i, direction, inputs), the derivative. Those wanted that do not exist are None,
    and `missing` says so.
    """
    dependence = operation.dependence(i)
    if dependence == NONLINEAR:
        adjoint = operation.adjoint() if wanted[0] else None
        grads: List[Any] = [None] * len(inputs)
        for j, name in enumerate(operation.inputs):
            if wanted[j] and j == 0 and adjoint is not None:
                grads[j] = push(adjoint, i, direction, [cotangent, *inputs[1:]])
            elif wanted[j]:
                missing[j] = (f"{operation.name}: no second derivative by the "
                              f"{operation.inputs[i]}{'' if i == j else f' and the {name}'}")
        return grads
    others = [w and j != i for j, w in enumerate(wanted)]

    def at(value: Any) -> List[Any]:
        return pull(operation, cotangent, [*inputs[:i], value, *inputs[i + 1:]], others)

    grads = at(direction)
    if dependence == AFFINE and any(others):
        grads = [None if g is None else g - o for g, o in zip(grads, at(0 * direction))]
    return grads


def plus(a: Any, b: Any) -> Any:
    """Their sum; None is zero."""
    return a if b is None else b if a is None else a + b


def folded(blur: Callable[[Array], Array], cotangent: Array, margin: Sequence[int], mode: str
           ) -> Array:
    """`blur` of the cotangent, 0 beyond the frame, the margin folded back as `mode` extended it."""
    pads = [(0, 0)] * (cotangent.ndim - len(margin)) + [(r, r) for r in margin]
    wide = blur(np.pad(cotangent, pads))
    # Extension is a correlation with 1, and folding its adjoint.
    extend = Correlate(mode=mode, padding=tuple(margin))
    one = np.ones((1,) * len(margin), cotangent.dtype)
    grad = extend.vjp((np.zeros_like(cotangent), one), wide, (True, False))[0]
    assert grad is not None
    return grad
