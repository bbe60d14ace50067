# SPDX-License-Identifier: BSD-3-Clause
"""How many threads calls use."""

from __future__ import annotations

import operator

from . import _core


def get_num_threads() -> int:
    """The most threads that each call uses."""
    return _core.num_threads()


def set_num_threads(threads: int) -> None:
    """The most threads that each call uses from now on, in this process; 0: all cores.

    Results do not depend on it. Set 1 in each worker process of a cluster.
    """
    count = operator.index(threads)
    if count < 0:
        raise ValueError(f"set_num_threads: expected 0 or more, got {count}")
    _core.set_num_threads(count)
