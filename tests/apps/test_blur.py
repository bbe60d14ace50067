# SPDX-License-Identifier: BSD-3-Clause
"""The numbers of `blurfield blur`, against the slow twin."""
import numpy as np
import pytest
import tifffile
import twin
from PIL import Image

HEIGHT, WIDTH = 17, 22


@pytest.fixture
def image(rng):
    return rng.random((HEIGHT, WIDTH)).astype(np.float32)


@pytest.fixture
def ramp():
    """A sigma for every pixel, 0.4 .. 3.4 from left to right and a little from top to bottom."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (0.4 + 2.5 * x / WIDTH + 0.5 * y / HEIGHT).astype(np.float32)


@pytest.fixture
def blurred(ok, tmp_path):
    """blurred(array, option...): the result of blurring a float TIFF."""
    def call(array, *options):
        tifffile.imwrite(tmp_path / "in.tif", array)
        ok("blur", tmp_path / "in.tif", tmp_path / "out.tif", "--force", *options)
        return tifffile.imread(tmp_path / "out.tif")
    return call


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "constant", "wrap"])
def test_uniform_modes(blurred, image, mode):
    extra = ["--cval", "0.5"] if mode == "constant" else []
    out = blurred(image, "--sigma", 1.7, "--mode", mode, *extra)
    expected = twin.gather(image, [1.7], mode, 0.5)
    assert out.dtype == np.float32 and out.shape == image.shape
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_default_mode_is_reflect(blurred, image):
    np.testing.assert_array_equal(blurred(image, "--sigma", 2),
                                  blurred(image, "--sigma", 2, "--mode", "reflect"))


def test_doubles_stay_doubles(blurred, rng):
    image = rng.random((HEIGHT, WIDTH))
    out = blurred(image, "--sigma", 1.7)
    assert out.dtype == np.float64
    np.testing.assert_allclose(out, twin.gather(image, [1.7]), atol=1e-12)


def test_sigma_yx_is_in_that_order_and_zero_leaves_an_axis_alone(blurred, image):
    np.testing.assert_allclose(blurred(image, "--sigma-yx", 1, 2.5),
                               twin.gather(image, [1, 2.5]), atol=1e-5)
    impulse = np.zeros((21, 19), np.float32)
    impulse[10, 9] = 1
    out = blurred(impulse, "--sigma-yx", 2, 0)
    np.testing.assert_allclose(out[:, 9], twin.gather(impulse, [2, 0])[:, 9], atol=1e-6)
    out[:, 9] = 0
    assert np.all(out == 0)


def test_covariance_is_yy_yx_xx_with_y_downwards(blurred):
    impulse = np.zeros((31, 31), np.float32)
    impulse[15, 15] = 1
    out = blurred(impulse, "--cov", 4, 3, 6).astype(float)
    y, x = np.mgrid[-15:16, -15:16]
    assert (out * y * x).sum() == pytest.approx(3, rel=0.02)
    assert (out * y * y).sum() == pytest.approx(4, rel=0.02)
    assert (out * x * x).sum() == pytest.approx(6, rel=0.02)
    np.testing.assert_allclose(out, twin.gather(impulse, twin.logchol(4, 3, 6)), atol=1e-6)


@pytest.mark.parametrize("options, twin_options", [
    (["--truncate", 2.5], {"truncate": 2.5}),
    (["--radius", 3], {"radii": (3, 3)}),
    (["--radius-yx", 1, 4], {"radii": (1, 4)}),
    (["--radius", 40], {"radii": (40, 40)}),
])
def test_truncate_and_radius(blurred, image, options, twin_options):
    np.testing.assert_allclose(blurred(image, "--sigma", 1.5, *options),
                               twin.gather(image, [1.5], **twin_options), atol=1e-5)


def test_radius_before_positionals(ok, image, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", image)
    ok("blur", "--sigma", 1, "--radius", 3, tmp_path / "in.tif", tmp_path / "out.tif")
    assert (tmp_path / "out.tif").exists()


@pytest.mark.parametrize("mode", ["reflect", "constant"])
def test_sigma_map(blurred, image, ramp, mode, tmp_path):
    tifffile.imwrite(tmp_path / "map.tif", ramp)
    out = blurred(image, "--sigma-map", tmp_path / "map.tif", "--mode", mode)
    np.testing.assert_allclose(out, twin.gather(image, ramp[None], mode), atol=1e-5)


@pytest.mark.parametrize("mode", ["reflect", "wrap", "constant"])
def test_scatter(blurred, image, ramp, mode, tmp_path):
    tifffile.imwrite(tmp_path / "map.tif", ramp)
    out = blurred(image, "--sigma-map", tmp_path / "map.tif", "--mode", mode, "--scatter")
    np.testing.assert_allclose(out, twin.scatter(image, ramp[None], mode), atol=1e-5)


def test_two_channel_sigma_map_is_y_then_x(blurred, image, ramp, tmp_path):
    field = np.stack([ramp, ramp[:, ::-1]])
    tifffile.imwrite(tmp_path / "map.tif", field, photometric="minisblack",
                     planarconfig="separate")
    out = blurred(image, "--sigma-map", tmp_path / "map.tif")
    np.testing.assert_allclose(out, twin.gather(image, field), atol=1e-5)


@pytest.mark.parametrize("high, wide", [(20, 0.4), (0.4, 20)])
def test_widths_that_differ_much(blurred, rng, high, wide, tmp_path):
    image = rng.random((90, 80)).astype(np.float32)
    field = np.stack([np.full(image.shape, s, np.float32) for s in (high, wide)])
    tifffile.imwrite(tmp_path / "map.tif", field, photometric="minisblack",
                     planarconfig="separate")
    expected = twin.gather(image, [high, wide])
    for way in ([], ["--scatter"]):
        out = blurred(image, "--sigma-map", tmp_path / "map.tif", *way)
        np.testing.assert_allclose(out, expected, atol=1e-5)


def test_logchol_map(blurred, image, ramp, tmp_path):
    field = np.stack([np.log(ramp), 0.4 * ramp, np.log(ramp[::-1] * 0.7)]).astype(np.float32)
    tifffile.imwrite(tmp_path / "map.tif", np.moveaxis(field, 0, -1), photometric="rgb")
    out = blurred(image, "--logchol-map", tmp_path / "map.tif")
    np.testing.assert_allclose(out, twin.gather(image, field), atol=1e-5)


def test_integer_map_is_raw_pixels_unless_ranged(blurred, image, tmp_path):
    levels = np.tile(np.arange(1, WIDTH + 1, dtype=np.uint8) // 8 + 1, (HEIGHT, 1))
    Image.fromarray(levels).save(tmp_path / "map.png")
    np.testing.assert_allclose(blurred(image, "--sigma-map", tmp_path / "map.png"),
                               twin.gather(image, levels[None]), atol=1e-5)
    out = blurred(image, "--sigma-map", tmp_path / "map.png", "--sigma-range", 0.5, 60)
    np.testing.assert_allclose(out, twin.gather(image, 0.5 + 59.5 * levels[None] / 255.0),
                               atol=1e-5)


def test_float_map_with_range(blurred, image, ramp, tmp_path):
    unit = (ramp - ramp.min()) / (ramp.max() - ramp.min())
    tifffile.imwrite(tmp_path / "map.tif", unit)
    out = blurred(image, "--sigma-map", tmp_path / "map.tif", "--sigma-range", 3, 0.5)
    np.testing.assert_allclose(out, twin.gather(image, (3 - 2.5 * unit)[None]), atol=1e-5)


def test_one_row(blurred, rng):
    row = rng.random((1, 60)).astype(np.float32)
    np.testing.assert_allclose(blurred(row, "--sigma", 2).reshape(1, 60),
                               twin.gather(row, [2]), atol=1e-5)


def test_threads_do_not_change_the_result(blurred, image, ramp, tmp_path):
    tifffile.imwrite(tmp_path / "map.tif", ramp)
    for options in (["--sigma", 2], ["--sigma-map", tmp_path / "map.tif"],
                    ["--sigma-map", tmp_path / "map.tif", "--scatter"]):
        np.testing.assert_array_equal(blurred(image, *options, "--threads", 1),
                                      blurred(image, *options, "--threads", 2))


@pytest.mark.parametrize("kind", ["uniform", "gather", "scatter"])
def test_mask_and_nan(blurred, image, ramp, kind, tmp_path, rng):
    mask = rng.integers(0, 3, image.shape, dtype=np.uint8) * 100
    mask[:, 12:] = 0  # beyond reach of all but the first of these columns
    Image.fromarray(mask).save(tmp_path / "mask.png")
    tifffile.imwrite(tmp_path / "map.tif", np.minimum(ramp, 0.9))
    field = np.minimum(ramp, 0.9)[None]
    image[3, 4] = np.nan
    image[8, 8] = np.inf
    weight = np.where(np.isfinite(image), mask / 255.0, 0)
    known = np.where(np.isfinite(image), image, 0)
    options = {"uniform": ["--sigma", 1], "gather": ["--sigma-map", tmp_path / "map.tif"],
               "scatter": ["--sigma-map", tmp_path / "map.tif", "--scatter"]}[kind]
    apply = {"uniform": lambda v: twin.gather(v, [1]), "gather": lambda v: twin.gather(v, field),
             "scatter": lambda v: twin.scatter(v, field)}[kind]
    out = blurred(image, *options, "--mask", tmp_path / "mask.png")
    above, below = apply(weight * known), apply(weight)
    seen = below > 0
    np.testing.assert_allclose(out[seen], (above[seen] / below[seen]), rtol=1e-4, atol=1e-5)
    assert np.count_nonzero(~seen) > 50
    np.testing.assert_array_equal(out[~seen], image[~seen])  # no weight in reach: kept


def test_mask_under_constant_has_no_weight_outside(blurred, image, tmp_path):
    Image.fromarray(np.full(image.shape, 255, np.uint8)).save(tmp_path / "mask.png")
    out = blurred(image, "--sigma", 2, "--mode", "constant", "--mask", tmp_path / "mask.png")
    ones = np.ones_like(image)
    np.testing.assert_allclose(out, twin.gather(image, [2], "constant")
                               / twin.gather(ones, [2], "constant"), atol=1e-5)


def test_integers_round_to_the_nearest(ok, rng, tmp_path):
    for dtype in (np.uint8, np.uint16):
        top = np.iinfo(dtype).max
        image = rng.integers(0, top, (HEIGHT, WIDTH), dtype=dtype, endpoint=True)
        tifffile.imwrite(tmp_path / "in.tif", image)
        ok("blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma", 0.8, "--force")
        out = tifffile.imread(tmp_path / "out.tif")
        assert out.dtype == dtype
        assert np.abs(out - twin.gather(image, [0.8])).max() <= 0.5 + 2e-6 * top


def test_alpha_is_blurred_premultiplied(ok, rng, tmp_path):
    rgba = rng.integers(0, 255, (HEIGHT, WIDTH, 4), dtype=np.uint8, endpoint=True)
    rgba[4:10, 5:15, 3] = 0
    rgba[6, 8, :3] = 255, 0, 0  # invisible, must not bleed
    Image.fromarray(rgba).save(tmp_path / "in.png")
    ok("blur", tmp_path / "in.png", tmp_path / "out.png", "--sigma", 1.2)
    out = np.asarray(Image.open(tmp_path / "out.png"))
    x = rgba / 255.0
    alpha = twin.gather(x[..., 3], [1.2])
    colour = twin.gather(x[..., :3] * x[..., 3:], [1.2]) / np.maximum(alpha, 1e-12)[..., None]
    assert np.abs(out[..., 3] - 255 * alpha).max() <= 0.51
    seen = alpha > 0.01
    assert np.abs(out[..., :3] - 255 * colour)[seen].max() <= 0.51


def test_linear_light(ok, rng, tmp_path):
    image = rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8, endpoint=True)
    Image.fromarray(image).save(tmp_path / "in.png")
    ok("blur", tmp_path / "in.png", tmp_path / "out.png", "--sigma", 1.2, "--linear-light")
    s = image / 255.0
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055)**2.4)
    mixed = twin.gather(linear, [1.2])
    encoded = np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * mixed**(1 / 2.4) - 0.055)
    out = np.asarray(Image.open(tmp_path / "out.png"))
    assert np.abs(out - 255 * encoded).max() <= 0.51
