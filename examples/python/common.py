# SPDX-License-Identifier: BSD-3-Clause
"""What the example scripts share: their command line, and pictures by matplotlib."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, Sequence, Union

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Outcome = dict[str, Any]
Titled = Sequence[tuple[str, Array]]
Numbers = Union[Sequence[float], Array]


def need(*packages: str) -> None:
    """Ends the script with one line where a package is missing."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"{Path(sys.argv[0]).name}: needs the Python package {', '.join(missing)}")


need("blurfield", "matplotlib")

import matplotlib  # noqa: E402

matplotlib.use("Agg")
matplotlib.rcParams.update({"image.cmap": "gray", "image.interpolation": "nearest",
                            "axes.titlesize": "medium", "savefig.dpi": 80})

from matplotlib import pyplot as plt  # noqa: E402

NO_TICKS: dict[str, Any] = {"xticks": [], "yticks": []}  # which take long, even where not drawn


def run(main: Callable[[Path], Outcome]) -> None:
    """The command line of a script: its one argument is the folder for pictures."""
    script = Path(sys.argv[0])
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        sys.exit(f"usage: {script.name} [OUT_DIR]")
    main(folder(sys.argv[1] if len(sys.argv) == 2 else script.stem))


def folder(path: str) -> Path:
    """A folder that exists from now on."""
    out = Path(path)
    out.mkdir(parents=True, exist_ok=True)
    return out


def save(path: Path) -> None:
    """Writes the figure that was drawn last."""
    plt.savefig(path, bbox_inches="tight")
    plt.close()


def images(path: Path, pictures: Titled, columns: int = 0, size: float = 2.6,
           **shown: Any) -> None:
    """Images in a grid, `columns` wide; `shown` goes to imshow."""
    columns = columns or len(pictures)
    rows = -(-len(pictures) // columns)
    _, axes = plt.subplots(rows, columns, figsize=(size * columns, size * rows), squeeze=False,
                           subplot_kw=NO_TICKS)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, pixels) in zip(axes.flat, pictures):
        axis.imshow(pixels, **shown)
        axis.set_title(title)
    save(path)


def maps(path: Path, pictures: Titled, size: float = 3.4, **shown: Any) -> None:
    """Images in a row, each with its own colour bar."""
    figure, axes = plt.subplots(1, len(pictures), figsize=(size * len(pictures), size * 0.85),
                                squeeze=False, subplot_kw=NO_TICKS)
    for axis, (title, pixels) in zip(axes.flat, pictures):
        figure.colorbar(axis.imshow(pixels, **{"cmap": "magma", **shown}), ax=axis)
        axis.set_title(title)
        axis.axis("off")
    save(path)


def curves(path: Path, lines: Mapping[str, Numbers], x: Optional[Numbers] = None,
           title: str = "", size: tuple[float, float] = (5, 2.5), **axes: Any) -> None:
    """Curves over common x; `axes` are properties of the axes, such as yscale="log"."""
    _, axis = plt.subplots(figsize=size)
    for name, y in lines.items():
        axis.plot(range(len(y)) if x is None else x, y, label=name)
    axis.set(title=title, **axes)
    if len(lines) > 1:
        axis.legend()
    save(path)


def psnr(image: Array, reference: Array) -> float:
    """Peak signal-to-noise ratio of an image in 0..1, dB."""
    return float(-10 * np.log10(np.mean((image - reference) ** 2)))
