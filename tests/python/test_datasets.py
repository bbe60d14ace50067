# SPDX-License-Identifier: BSD-3-Clause
"""The shipped photographs and the map."""

import sys

import numpy as np
import pytest

import blurfield
from blurfield import datasets

pytest.importorskip("PIL", reason="Pillow reads the images")

PHOTOGRAPHS = [(datasets.astronaut, (3, 512, 512)), (datasets.ascent, (512, 512)),
               (datasets.hubble_deep_field, (3, 872, 1000))]


@pytest.mark.parametrize("load, shape", PHOTOGRAPHS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_photographs(load, shape, dtype):
    image = load(dtype=dtype)
    assert image.shape == shape
    assert image.dtype == dtype
    assert image.flags.c_contiguous and image.flags.writeable
    assert image.min() == 0 and image.max() == 1
    # 8 bits: whole numbers of 255ths.
    steps = 255 * image.astype(np.float64)
    assert np.abs(steps - np.rint(steps)).max() < 1e-4


@pytest.mark.parametrize("load, shape", PHOTOGRAPHS)
def test_float32_by_default(load, shape):
    assert load().dtype == np.float32


def test_channels_are_red_green_blue():
    # The orange suit.
    red, green, blue = datasets.astronaut()[:, 480, 130]
    assert red > green > blue


def test_map():
    sigma = datasets.astronaut_sigma()
    assert sigma.shape == (512, 512) and sigma.dtype == np.float32
    assert sigma.min() == pytest.approx(0.3) and 9 < sigma.max() <= 10
    # Narrow on the face, wide in the corner, and of 16 bits.
    assert sigma[110, 225] < 0.5 and sigma[0, 511] > 8
    assert len(np.unique(sigma)) > 256


def test_map_of_other_widths():
    sigma = datasets.astronaut_sigma(dtype=np.float64)
    other = datasets.astronaut_sigma(5, 1, dtype=np.float64)
    assert np.allclose(other, 5 - 4 * (sigma - 0.3) / 9.7)


def test_map_fits_photograph():
    x = datasets.astronaut()
    soft = blurfield.adaptive_blur(x, sigma=datasets.astronaut_sigma(), tolerance=1e-2)
    face, corner = np.s_[:, 90:130, 205:245], np.s_[:, :40, -40:]
    assert np.abs(soft - x)[face].mean() < 0.01
    assert soft[corner].std() < x[corner].std()


def test_integers_are_refused():
    with pytest.raises(TypeError, match="floats"):
        datasets.ascent(dtype=np.uint8)


def test_without_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="Pillow"):
        datasets.ascent()
