# SPDX-License-Identifier: BSD-3-Clause
"""The photographs and the map that come with the package, as arrays.

All photographs are in the public domain:

astronaut
    Eileen Collins, by NASA.
ascent
    From a photograph of public-domain-image.com; known from SciPy.
hubble_deep_field
    By NASA and ESA.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

__all__ = ["ascent", "astronaut", "astronaut_sigma", "hubble_deep_field"]

Array = np.ndarray[Any, np.dtype[Any]]


def astronaut(dtype: DTypeLike = np.float32) -> Array:
    """A portrait of Eileen Collins (NASA, public domain).

    Parameters
    ----------
    dtype : float type
        Of the result.

    Returns
    -------
    ndarray
        (3, 512, 512): red, green, blue; 0..1, as stored (sRGB).

    Raises
    ------
    ImportError
        Where Pillow is missing, which reads the files.
    TypeError
        Unless dtype is a type of floats.
    """
    return _read("astronaut.png", dtype)


def ascent(dtype: DTypeLike = np.float32) -> Array:
    """People on a stairway (public-domain-image.com, public domain): grey, (512, 512), 0..1.

    Parameters and errors are those of `astronaut`.
    """
    return _read("ascent.png", dtype)


def hubble_deep_field(dtype: DTypeLike = np.float32) -> Array:
    """The Hubble Deep Field (NASA and ESA, public domain): colour, (3, 872, 1000), 0..1.

    Parameters and errors are those of `astronaut`.
    """
    return _read("hubble_deep_field.jpg", dtype)


def astronaut_sigma(low: float = 0.3, high: float = 10.0, dtype: DTypeLike = np.float32) -> Array:
    """A map of sigmas for `astronaut`: narrow on her, wide around her.

    Parameters
    ----------
    low, high : float
        Pixels that the map's black and white stand for; high < low inverts it.
    dtype : float type
        Of the result.

    Returns
    -------
    ndarray
        (512, 512), pixels.

    Raises
    ------
    ImportError, TypeError
        As `astronaut` does.

    Examples
    --------
    >>> from blurfield import adaptive_blur, datasets
    >>> portrait = adaptive_blur(datasets.astronaut(), sigma=datasets.astronaut_sigma())
    """
    share = _read("astronaut_sigma.png", dtype)
    return (low + (high - low) * share).astype(share.dtype)


def _read(name: str, dtype: DTypeLike) -> Array:
    """A file of integers as floats in 0..1, (H, W) or (3, H, W)."""
    kind = np.dtype(dtype)
    if kind.kind != "f":
        raise TypeError(f"dtype: expected a type of floats, got {kind}")
    try:
        from PIL import Image
    except ImportError:
        # imageio and Matplotlib would need it too.
        raise ImportError("blurfield.datasets reads images with Pillow: pip install pillow, or "
                          "python3-pil of Debian") from None
    file = resources.files(__package__) / "data" / name
    with file.open("rb") as stream, Image.open(stream) as image:
        pixels = np.asarray(image)
    white = 255 if pixels.dtype == np.uint8 else 65535
    if pixels.ndim == 3:
        pixels = np.moveaxis(pixels, -1, 0)
    return np.ascontiguousarray(pixels / white, kind)
