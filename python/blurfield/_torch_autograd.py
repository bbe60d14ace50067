# SPDX-License-Identifier: BSD-3-Clause
"""Operations as functions of PyTorch's autograd, differentiable twice where that exists."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

import numpy as np
import torch
from torch import Tensor

from . import _arrays
from ._operations import LINEAR, NONLINEAR, Operation, plus, second_gradients

Array = _arrays.Array
_FLOATS = (torch.float32, torch.float64)


def checked(value: Any, name: str, dtype: Any = None) -> Any:
    """A tensor that the library can read in place; TypeError names what came instead.

    With `dtype`, what is not a tensor becomes one of that type.
    """
    if not isinstance(value, Tensor):
        if dtype is None:
            raise TypeError(f"{name}: expected a torch.Tensor, got {type(value).__name__}")
        floats = np.float32 if dtype == torch.float32 else np.float64
        return torch.from_numpy(np.array(_arrays.numeric(value, name), floats, order="C"))
    if value.device.type != "cpu":
        raise TypeError(f"{name}: expected a tensor on the CPU, got one on {value.device}; "
                        "use .cpu()")
    if value.layout != torch.strided:
        raise TypeError(f"{name}: expected a dense tensor, got layout {value.layout}")
    if value.dtype not in _FLOATS or (dtype is not None and value.dtype != dtype):
        wanted = "torch.float32 or torch.float64" if dtype is None else f"{dtype}, as the input is"
        raise TypeError(f"{name}: expected {wanted}, got {value.dtype}")
    return value


def apply(operation: Operation, *inputs: Any) -> Any:
    """The operation's result, with a place in the graph."""
    return _Apply.apply(operation, *inputs)


def _array(tensor: Any) -> Array:
    """A view of a tensor's memory."""
    return tensor.detach().resolve_neg().numpy()


def _arrays_of(tensors: Sequence[Any]) -> List[Array]:
    return [_array(t) for t in tensors]


class _Apply(torch.autograd.Function):  # type: ignore[misc]
    """The operation."""

    @staticmethod
    def forward(ctx: Any, operation: Operation, *inputs: Any) -> Any:
        ctx.operation = operation
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)
        return torch.from_numpy(operation.forward(*_arrays_of(inputs)))

    @staticmethod
    def backward(ctx: Any, cotangent: Any) -> Any:
        if cotangent is None:
            return (None,) * len(ctx.needs_input_grad)
        return (None, *_pull(ctx.operation, cotangent, ctx.saved_tensors, ctx.needs_input_grad[1:]))

    @staticmethod
    def jvp(ctx: Any, _: Any, *directions: Any) -> Any:
        return _sum(_push(ctx.operation, i, d, ctx.saved_tensors)
                    for i, d in enumerate(directions) if d is not None)


class _Pull(torch.autograd.Function):  # type: ignore[misc]
    """The gradients wanted, from a cotangent."""

    @staticmethod
    def forward(ctx: Any, operation: Operation, wanted: Sequence[bool], missing: Dict[int, str],
                cotangent: Any, *inputs: Any) -> Any:
        ctx.operation, ctx.wanted, ctx.missing = operation, wanted, missing
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(cotangent, *inputs)
        grads = operation.vjp(_arrays_of(inputs), _array(cotangent), wanted)
        return tuple(torch.from_numpy(g) for g in grads if g is not None)

    @staticmethod
    def backward(ctx: Any, *directions: Any) -> Any:
        cotangent, *inputs = ctx.saved_tensors
        needs_cotangent, *needs = ctx.needs_input_grad[3:]
        ctx.missing.clear()
        by_cotangent = None
        by_inputs: List[Any] = [None] * len(inputs)
        for i, d in zip((i for i, w in enumerate(ctx.wanted) if w), directions):
            if d is None:
                continue
            if needs_cotangent:
                by_cotangent = plus(by_cotangent, _push(ctx.operation, i, d, inputs))
            more = second_gradients(ctx.operation, i, d, cotangent, inputs, needs, _pull, _push,
                                    ctx.missing)
            by_inputs = [plus(a, b) for a, b in zip(by_inputs, more)]
        return (None, None, None, by_cotangent, *by_inputs)


class _Push(torch.autograd.Function):  # type: ignore[misc]
    """The derivative along a direction of input i."""

    @staticmethod
    def forward(ctx: Any, operation: Operation, i: int, missing: Dict[int, str], direction: Any,
                *inputs: Any) -> Any:
        ctx.operation, ctx.i, ctx.missing = operation, i, missing
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(direction, *inputs)
        arrays = _arrays_of(inputs)
        if operation.dependence(i) == LINEAR:
            arrays[i] = _array(direction)
            return torch.from_numpy(operation.forward(*arrays))
        return torch.from_numpy(operation.jvp(arrays, i, _array(direction)))

    @staticmethod
    def backward(ctx: Any, cotangent: Any) -> Any:
        if cotangent is None:
            return (None,) * len(ctx.needs_input_grad)
        direction, *inputs = ctx.saved_tensors
        needs_direction, *needs = ctx.needs_input_grad[3:]
        ctx.missing.clear()
        by_direction = None
        if needs_direction:
            only = [j == ctx.i for j in range(len(inputs))]
            by_direction = _pull(ctx.operation, cotangent, inputs, only)[ctx.i]
        by_inputs = second_gradients(ctx.operation, ctx.i, direction, cotangent, inputs, needs,
                                     _pull, _push, ctx.missing)
        return (None, None, None, by_direction, *by_inputs)


class _Gate(torch.autograd.Function):  # type: ignore[misc]
    """Input j itself; asking for a gradient that is missing raises.

    Autograd does not tell a function which of its inputs' gradients are asked for, only which could
    be: the error waits here, where only those come by that are.
    """

    @staticmethod
    def forward(ctx: Any, value: Any, j: int, missing: Dict[int, str]) -> Any:
        ctx.j, ctx.missing = j, missing
        ctx.set_materialize_grads(False)
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, cotangent: Any) -> Any:
        if ctx.j in ctx.missing:
            raise RuntimeError(ctx.missing[ctx.j])
        return cotangent, None, None


def _gated(operation: Operation, inputs: Sequence[Any], missing: Dict[int, str]) -> List[Any]:
    may_miss = any(operation.dependence(i) == NONLINEAR for i in range(len(inputs)))
    if not may_miss or not torch.is_grad_enabled():
        return list(inputs)
    return [_Gate.apply(x, j, missing) if x.requires_grad else x for j, x in enumerate(inputs)]


def _pull(operation: Operation, cotangent: Any, inputs: Sequence[Any], wanted: Sequence[bool]
          ) -> List[Any]:
    """The gradients wanted, None elsewhere."""
    if not any(wanted):
        return [None] * len(inputs)
    missing: Dict[int, str] = {}
    grads = iter(_Pull.apply(operation, tuple(wanted), missing, cotangent,
                             *_gated(operation, inputs, missing)))
    return [next(grads) if w else None for w in wanted]


def _push(operation: Operation, i: int, direction: Any, inputs: Sequence[Any]) -> Any:
    missing: Dict[int, str] = {}
    return _Push.apply(operation, i, missing, direction, *_gated(operation, inputs, missing))


def _sum(terms: Any) -> Any:
    total = None
    for term in terms:
        total = plus(total, term)
    return total
