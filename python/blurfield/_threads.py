# SPDX-License-Identifier: BSD-3-Clause
"""How many threads calls use."""

from __future__ import annotations

import operator

from . import _core


def get_num_threads() -> int:
    """The most threads that each call uses.

    Returns
    -------
    int
        At least 1; all cores unless `set_num_threads` said otherwise.
    """
    return _core.num_threads()


def set_num_threads(threads: int) -> None:
    """Set the most threads that each call uses from now on, in this process.

    Results do not depend on it. Set 1 in each worker process of a cluster.

    Parameters
    ----------
    threads : int
        0: all cores.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        For a negative number.
    TypeError
        For what is not a whole number.
    """
    count = operator.index(threads)
    if count < 0:
        raise ValueError(f"set_num_threads: expected 0 or more, got {count}")
    _core.set_num_threads(count)
