# SPDX-License-Identifier: BSD-3-Clause
"""What blurs are told beside their image and Gaussian."""

from __future__ import annotations

from typing import Optional, Sequence, Union

from . import _arrays, _core

# SciPy's further names of the same rules.
_SAME_MODES = {"grid-mirror": "reflect", "grid-wrap": "wrap", "grid-constant": "constant"}
DEFAULT_TRUNCATE = 4.0

Radius = Union[None, int, Sequence[int]]


def mode_name(mode: str) -> str:
    """One of reflect, mirror, nearest, constant, wrap."""
    return _SAME_MODES.get(mode, mode)


def blur_options(truncate: Optional[float], radius: Radius, mode: str, cval: float,
                 tolerance: float, method: str = "auto", scatter: bool = False
                 ) -> _core.BlurOptions:
    """With a tolerance, the usual truncate stands for what that allows."""
    if tolerance and truncate == DEFAULT_TRUNCATE:
        truncate = None
    return _core.BlurOptions(mode_name(mode), float(cval), truncate, _arrays.radii(radius),
                             tolerance, method, scatter)
