# SPDX-License-Identifier: BSD-3-Clause
"""Blur as functions of JAX: the package's names and keywords, on arrays, with gradients.

They work under jit, grad and vmap (one element after the other), on the CPU. Arrays are float32, or
float64 where JAX has that enabled; TypeError names what came instead. Gradients flow to images and
to whatever of sigma, logchol, cov and weights is an array, in reverse mode. Second ones exist by
everything that enters linearly, and by an image or cotangent together with Gaussians; a
RuntimeError tells where there is none: by Gaussians twice.
"""

from __future__ import annotations

import functools
from typing import Any, Dict, List, Optional, Sequence, Tuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from . import _blur_operations as ops
from ._fields import Field, one_of
from ._operations import LINEAR, Operation, plus, second_gradients
from ._options import DEFAULT_TRUNCATE, Radius
from ._passes import axis_list

__all__ = ["adaptive_blur", "gaussian_filter", "mix", "uniform_blur"]

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def adaptive_blur(input: Any, *, sigma: Any = None, logchol: Any = None, cov: Any = None,
                  scatter: bool = False, truncate: float = DEFAULT_TRUNCATE,
                  radius: Radius = None, mode: str = "reflect", cval: float = 0.0,
                  tolerance: float = 0, method: str = "auto") -> Any:
    """Blur with a Gaussian of its own for every pixel.

    Parameters
    ----------
    input : jax.Array
        (L), (H, W), (C, H, W) or (N, C, H, W).
    sigma, logchol, cov : jax.Array or array_like
        One of them, of the type of `input`, shaped as `blurfield.adaptive_blur` tells; pixels.
    scatter, truncate, radius, mode, cval, tolerance, method
        As of `blurfield.adaptive_blur`.

    Returns
    -------
    jax.Array
        Of the shape and type of `input`.

    Raises
    ------
    TypeError
        For arrays of other types.
    ValueError
        For shapes that do not match. What is wrong with values ends the computation later, with
        an error of JAX's that tells the reason.
    """
    x = _checked(input, "input")
    kind, value = one_of(sigma=sigma, logchol=logchol, cov=cov)
    field = _checked(value, kind, x.dtype)
    # Shapes are checked now, on fields of ones that take no memory.
    matrices = kind == "cov" and field.shape[-2:] == (2, 2)
    one = np.eye(2, dtype=x.dtype) if matrices else np.ones((), x.dtype)
    Field(np.broadcast_to(np.zeros((), x.dtype), x.shape),
          **{"sigma": None, "logchol": None, "cov": None, kind: np.broadcast_to(one, field.shape)})
    blur = ops.Blur.of(truncate, radius, mode, cval, tolerance)
    return _apply(ops.AdaptiveBlur(kind, blur, bool(scatter), method), x, field)


def uniform_blur(input: Any, *, sigma: Any = None, logchol: Any = None, cov: Any = None,
                 truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, mode: str = "reflect",
                 cval: float = 0.0, tolerance: float = 0, method: str = "auto") -> Any:
    """Blur with one Gaussian everywhere, over the last two axes (the last one of a signal).

    Parameters
    ----------
    input : jax.Array
        (L), (H, W), (C, H, W) or (N, C, H, W).
    sigma, logchol, cov : float, sequence or jax.Array
        One of them: sigma or (sigma_y, sigma_x), (a, b, c), a covariance (2, 2); pixels.
    truncate, radius, mode, cval, tolerance, method
        As of `blurfield.adaptive_blur`.

    Returns
    -------
    jax.Array
        Of the shape and type of `input`.
    """
    x = _checked(input, "input")
    kind, value = one_of(sigma=sigma, logchol=logchol, cov=cov)
    gaussian = _checked(value, kind, x.dtype)
    shapes = {"sigma": ((), (1,), (2,)), "logchol": ((3,),), "cov": ((2, 2),)}[kind]
    if gaussian.shape not in shapes:
        raise ValueError(f"{kind}: expected shape {' or '.join(map(str, shapes))}, got "
                         f"{gaussian.shape}")
    if kind == "cov":
        yy, yx, xx = gaussian[0, 0], (gaussian[0, 1] + gaussian[1, 0]) / 2, gaussian[1, 1]
        kind, gaussian = "logchol", jnp.stack([jnp.log(yy) / 2, yx / jnp.sqrt(yy),
                                               jnp.log(xx - yx**2 / yy) / 2])
    blur = ops.Blur.of(truncate, radius, mode, cval, tolerance)
    return _apply(ops.UniformBlur(kind, blur, method), x, gaussian)


def gaussian_filter(input: Any, sigma: Any, *, mode: str = "reflect", cval: float = 0.0,
                    truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
                    axes: ops.Whole = None, tolerance: float = 0) -> Any:
    """Gaussian filter with SciPy's radii: `blurfield.gaussian_filter` of order 0, on JAX's arrays.

    Parameters
    ----------
    input : jax.Array
        (L), (H, W), (C, H, W) or (N, C, H, W).
    sigma : float, sequence or jax.Array
        Pixels: one for all axes or one for each, 0 leaves an axis alone. With two axes or more, a
        field for every pixel of the last two axes, as `adaptive_blur` takes it.
    mode, cval, truncate, radius, tolerance
        As of `blurfield.gaussian_filter`; one mode for all axes.
    axes : int or sequence of int, optional
        The axes that are filtered: of the last two. None means all axes, as in SciPy, which three
        and more cannot be: name (-2, -1) for those.

    Returns
    -------
    jax.Array
        Of the shape and type of `input`.
    """
    x = _checked(input, "input")
    if np.ndim(sigma) >= 2:
        if axes is not None and axis_list(axes, x.ndim) != [x.ndim - 2, x.ndim - 1]:
            raise ValueError("gaussian_filter: expected the last two axes with a field of sigmas")
        return adaptive_blur(x, sigma=sigma, truncate=truncate, radius=radius, mode=mode, cval=cval,
                             tolerance=tolerance)
    given = _checked(sigma, "sigma", x.dtype).reshape(-1)
    blur = ops.Blur.of(truncate, radius, mode, cval, tolerance)
    operation, places = ops.gaussian_filter_plan(x.ndim, len(given), axes, blur)
    return _apply(operation, x, jnp.stack([jnp.zeros((), x.dtype) if i is None else given[i]
                                           for i in places]))


def mix(input: Any, sigma_min: Any, sigma_max: Any, weight: Any, *,
        truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, mode: str = "reflect",
        cval: float = 0.0, tolerance: float = 0) -> Any:
    """weight * blur(input, sigma_min) + (1 - weight) * blur(input, sigma_max)  (B3).

    Parameters
    ----------
    input : jax.Array
        (L), (H, W), (C, H, W) or (N, C, H, W).
    sigma_min, sigma_max : float or jax.Array
        Pixels; one element each.
    weight : float or jax.Array
        As `blurfield.mix` takes it, of the type of `input`.
    truncate, radius, mode, cval, tolerance
        As of `blurfield.mix`.

    Returns
    -------
    jax.Array
        Of the shape and type of `input`.
    """
    x = _checked(input, "input")
    sigmas = jnp.stack([_checked(s, name, x.dtype).reshape(()) for name, s in
                        (("sigma_min", sigma_min), ("sigma_max", sigma_max))])
    blur = ops.Blur.of(truncate, radius, mode, cval, tolerance)
    return _apply(ops.Mix(blur), x, sigmas, _checked(weight, "weight", x.dtype))


def _checked(value: Any, name: str, dtype: Optional[np.dtype[Any]] = None) -> Any:
    """An array of a type that the library has; with `dtype`, numbers and lists become one of it."""
    is_array = isinstance(value, (jax.Array, np.ndarray))
    array = jnp.asarray(value, None if is_array else dtype)
    if array.dtype not in _FLOATS or (dtype is not None and array.dtype != dtype):
        wanted = "float32 or float64" if dtype is None else f"{dtype}, as the input is"
        raise TypeError(f"{name}: expected {wanted}, got {array.dtype}")
    return array


def _call(function: Any, shapes: Any, *arrays: Any) -> Any:
    return jax.pure_callback(lambda *a: function(*map(np.asarray, a)), shapes, *arrays,
                             vmap_method="sequential")


def _like(array: Any) -> Any:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def _kept(primals: Sequence[Any]) -> Tuple[List[Any], List[Any]]:
    """Values for the way back; () beside each that a gradient is asked by, None elsewhere."""
    return [p.value for p in primals], [() if p.perturbed else None for p in primals]


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _apply(operation: Operation, *inputs: Any) -> Any:
    """The operation's result, of its first input's shape."""
    return _call(operation.forward, _like(inputs[0]), *inputs)


def _apply_forward(operation: Operation, *primals: Any) -> Tuple[Any, Any]:
    kept = _kept(primals)
    return _apply(operation, *kept[0]), kept


def _apply_backward(operation: Operation, kept: Any, cotangent: Any) -> Any:
    inputs, marks = kept
    if isinstance(cotangent, SymbolicZero):
        return (None,) * len(inputs)
    return tuple(_pull(operation, cotangent, inputs, [m is not None for m in marks]))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _gradients(operation: Operation, wanted: Tuple[bool, ...], *arrays: Any) -> Any:
    """The gradients wanted, from (cotangent, inputs...)."""
    def work(c: Any, *inputs: Any) -> List[Any]:
        return [g for g in operation.vjp(inputs, c, wanted) if g is not None]

    return _call(work, [_like(a) for a, w in zip(arrays[1:], wanted) if w], *arrays)


def _gradients_forward(operation: Operation, wanted: Tuple[bool, ...], *primals: Any) -> Any:
    kept = _kept(primals)
    return _gradients(operation, wanted, *kept[0]), kept


def _gradients_backward(operation: Operation, wanted: Tuple[bool, ...], kept: Any,
                        directions: Sequence[Any]) -> Any:
    (cotangent, *inputs), (by_cotangent, *marks) = kept
    total: List[Any] = [None] * (1 + len(inputs))
    for i, d in zip((i for i, w in enumerate(wanted) if w), directions):
        if isinstance(d, SymbolicZero):
            continue
        if by_cotangent is not None:
            total[0] = plus(total[0], _push(operation, i, d, inputs))
        more = _second(operation, i, d, cotangent, inputs, marks)
        total[1:] = [plus(a, b) for a, b in zip(total[1:], more)]
    return tuple(total)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _derivative(operation: Operation, i: int, *arrays: Any) -> Any:
    """The derivative along a direction of input i, from (direction, inputs...)."""
    def work(direction: Any, *inputs: Any) -> Any:
        if operation.dependence(i) == LINEAR:
            return operation.forward(*inputs[:i], direction, *inputs[i + 1:])
        return operation.jvp(inputs, i, direction)

    return _call(work, _like(arrays[1]), *arrays)


def _derivative_forward(operation: Operation, i: int, *primals: Any) -> Any:
    kept = _kept(primals)
    return _derivative(operation, i, *kept[0]), kept


def _derivative_backward(operation: Operation, i: int, kept: Any, cotangent: Any) -> Any:
    (direction, *inputs), (by_direction, *marks) = kept
    if isinstance(cotangent, SymbolicZero):
        return (None,) * (1 + len(inputs))
    only = [by_direction is not None and j == i for j in range(len(inputs))]
    return (_pull(operation, cotangent, inputs, only)[i],
            *_second(operation, i, direction, cotangent, inputs, marks))


def _pull(operation: Operation, cotangent: Any, inputs: Sequence[Any], wanted: Sequence[bool]
          ) -> List[Any]:
    """The gradients wanted, None elsewhere."""
    if not any(wanted):
        return [None] * len(inputs)
    found = iter(_gradients(operation, tuple(wanted), cotangent, *inputs))
    return [next(found) if w else None for w in wanted]


def _push(operation: Operation, i: int, direction: Any, inputs: Sequence[Any]) -> Any:
    return _derivative(operation, i, direction, *inputs)


def _second(operation: Operation, i: int, direction: Any, cotangent: Any, inputs: Sequence[Any],
            marks: Sequence[Any]) -> List[Any]:
    missing: Dict[int, str] = {}
    grads = second_gradients(operation, i, direction, cotangent, inputs,
                             [m is not None for m in marks], _pull, _push, missing)
    for text in missing.values():
        raise RuntimeError(text)
    return grads


_apply.defvjp(_apply_forward, _apply_backward, symbolic_zeros=True)
_gradients.defvjp(_gradients_forward, _gradients_backward, symbolic_zeros=True)
_derivative.defvjp(_derivative_forward, _derivative_backward, symbolic_zeros=True)
