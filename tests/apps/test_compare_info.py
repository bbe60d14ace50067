# SPDX-License-Identifier: BSD-3-Clause
"""`blurfield compare` against the definitions, `blurfield info` against the file."""

import numpy as np
import pytest
import tifffile
import twin
from astropy.io import fits
from PIL import Image


def save(path, array):
    Image.fromarray(array).save(path)
    return path


def ssim(a, b, data_range=1.0):
    """Wang et al. 2004, one channel."""
    def mean(v):
        return twin.gather(v, [1.5], radii=(5, 5))
    c1, c2 = (0.01 * data_range)**2, (0.03 * data_range)**2
    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    values = ((2 * ma * mb + c1) * (2 * cov + c2)
              / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return values[5:-5, 5:-5].mean()


@pytest.fixture
def pair(rng, tmp_path):
    a = rng.integers(0, 255, (20, 24, 3), dtype=np.uint8)
    b = np.clip(a.astype(int) + rng.integers(-30, 30, a.shape), 0, 255).astype(np.uint8)
    a[7, 9, 2], b[7, 9, 2] = 250, 10
    return save(tmp_path / "a.png", a), save(tmp_path / "b.png", b), a / 255, b / 255


def test_measures(ok_json, pair):
    file_a, file_b, a, b = pair
    result = ok_json("compare", file_a, file_b)
    rms = np.sqrt(np.mean((a - b)**2))
    assert result["rms"] == pytest.approx(rms, rel=1e-9)
    assert result["psnr"] == pytest.approx(-20 * np.log10(rms), rel=1e-9)
    assert result["max_error"] == pytest.approx(240 / 255, rel=1e-9)
    assert result["max_error_at"] == {"y": 7, "x": 9, "channel": 2, "page": 0}
    assert result["ssim"] == pytest.approx(
        np.mean([ssim(a[..., c], b[..., c]) for c in range(3)]), abs=1e-9)
    assert result["equal"] is False


def test_equal_images(ok, ok_json, pair):
    result = ok_json("compare", pair[0], pair[0])
    assert result["equal"] is True and result["psnr"] is None
    assert result["ssim"] == pytest.approx(1) and result["rms"] == result["max_error"] == 0
    assert "inf" in ok("compare", pair[0], pair[0])


def test_small_images_have_no_ssim(ok_json, tmp_path):
    file = save(tmp_path / "a.png", np.zeros((10, 30), np.uint8))
    assert ok_json("compare", file, file)["ssim"] is None


def test_data_range(ok_json, rng, tmp_path):
    a = 4000 * rng.random((16, 18))
    b = a + rng.normal(size=a.shape)
    tifffile.imwrite(tmp_path / "a.tif", a)
    tifffile.imwrite(tmp_path / "b.tif", b)
    result = ok_json("compare", tmp_path / "a.tif", tmp_path / "b.tif", "--data-range", 4000)
    rms = np.sqrt(np.mean((a - b)**2))
    assert result["psnr"] == pytest.approx(20 * np.log10(4000 / rms), rel=1e-9)
    assert result["ssim"] == pytest.approx(ssim(a, b, 4000), abs=1e-9)


def test_error_map(ok, fails, pair, tmp_path):
    ok("compare", *pair[:2], "--map", tmp_path / "map.png")
    picture = np.asarray(Image.open(tmp_path / "map.png")).astype(int)
    assert picture.shape == (20, 24, 3)
    brightness = picture.sum(axis=2)
    assert np.unravel_index(brightness.argmax(), brightness.shape) == (7, 9)
    errors = np.abs(pair[2] - pair[3]).max(axis=2)
    order = np.argsort(errors, axis=None)
    assert np.all(np.diff(brightness.ravel()[order]) >= -6)  # brighter where it differs more
    assert "map.png" in fails("compare", *pair[:2], "--map", tmp_path / "map.png")
    ok("compare", *pair[:2], "--map", tmp_path / "map.png", "--force")


def test_different_sizes_say_both(fails, pair, tmp_path):
    other = save(tmp_path / "c.png", np.zeros((20, 25, 3), np.uint8))
    line = fails("compare", pair[0], other)
    assert "c.png" in line and "20 x 24" in line and "20 x 25" in line
    grey = save(tmp_path / "d.png", np.zeros((20, 24), np.uint8))
    line = fails("compare", pair[0], grey)
    assert "3 channel" in line and "1 channel" in line


def test_compare_refuses_nan_and_missing(fails, pair, tmp_path):
    image = np.ones((20, 24, 3), np.float32)
    image[3, 4, 1] = np.nan
    tifffile.imwrite(tmp_path / "nan.tif", image, photometric="rgb")
    line = fails("compare", pair[0], tmp_path / "nan.tif")
    assert "nan.tif" in line and "(3, 4)" in line
    assert "none.png" in fails("compare", pair[0], tmp_path / "none.png")


def test_info(ok, ok_json, rng, tmp_path):
    rgba = rng.integers(3, 250, (12, 17, 4), dtype=np.uint8)
    result = ok_json("info", save(tmp_path / "a.png", rgba))
    assert {key: result[key] for key in ("format", "height", "width", "channels", "pages", "type",
                                         "alpha", "profile", "non_finite")} == {
        "format": "png", "height": 12, "width": 17, "channels": 4, "pages": 1, "type": "uint8",
        "alpha": True, "profile": False, "non_finite": 0}
    assert (result["min"], result["max"]) == (rgba.min(), rgba.max())
    assert result["first_non_finite"] is None
    text = ok("info", tmp_path / "a.png")
    assert "uint8" in text and "srgb" in text.lower()


def test_info_counts_non_finite(ok, ok_json, tmp_path):
    image = np.linspace(-2, 5, 60, dtype=np.float32).reshape(6, 10)
    image[4, 3] = np.nan
    image[5, 1] = np.inf
    tifffile.imwrite(tmp_path / "a.tif", image)
    result = ok_json("info", tmp_path / "a.tif")
    assert result["type"] == "float32" and result["non_finite"] == 2
    assert result["first_non_finite"] == {"y": 4, "x": 3, "channel": 0, "page": 0}
    assert (result["min"], result["max"]) == (-2, 5)
    assert "(4, 3)" in ok("info", tmp_path / "a.tif")


def test_info_of_fits_and_pages(ok_json, rng, tmp_path):
    fits.writeto(tmp_path / "a.fits", rng.integers(0, 60000, (3, 7, 9), dtype=np.uint16))
    result = ok_json("info", tmp_path / "a.fits")
    assert (result["height"], result["width"], result["channels"]) == (7, 9, 3)
    assert result["max"] == fits.getdata(tmp_path / "a.fits").max()
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        for page in range(4):
            writer.write(np.full((5, 6), page, np.uint8), contiguous=False, metadata=None)
    result = ok_json("info", tmp_path / "pages.tif")
    assert result["pages"] == 4 and result["max"] == 3


def test_info_of_bad_files(fails, tmp_path):
    assert "none.png" in fails("info", tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no image")
    assert "text.png" in fails("info", tmp_path / "text.png")
