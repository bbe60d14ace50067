# SPDX-License-Identifier: BSD-3-Clause
"""Progress of long calls: nothing, a callable of one's own, or tqdm's bar."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Iterator, Optional, Union

Progress = Union[bool, None, Callable[[float], Any]]


@contextlib.contextmanager
def reported(progress: Progress, what: str) -> Iterator[Optional[Callable[[float], Any]]]:
    """A callable for the fraction done, or None. True draws a bar where tqdm is installed."""
    if not progress:
        yield None
        return
    if progress is not True:
        yield progress
        progress(1.0)  # calls are told of parts of their work, not of its end
        return
    bar = _bar(what)
    if bar is None:
        yield None
        return

    def tell(fraction: float) -> None:
        bar.update(max(0.0, 100 * fraction - bar.n))

    try:
        yield tell
        tell(1.0)
    finally:
        bar.close()


def _bar(what: str) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=100, desc=what, bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}")
