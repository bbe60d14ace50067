# SPDX-License-Identifier: BSD-3-Clause
"""`blurfield filter`: its numbers against the slow twin, kernel files, the bank, bad input."""
import json
import pathlib
import signal
import subprocess
import time

import numpy as np
import pytest
import tifffile
import twin
from astropy.io import fits
from conftest import BINARY
from PIL import Image

ASCENT = pathlib.Path(__file__).parents[2] / "examples" / "images" / "ascent.png"
SOBEL_X = np.outer([1, 2, 1], [-1, 0, 1])
KERNEL = np.array([[1, 2, 0, -1.5], [0.25, -3, 1, 2], [4, 0, -1, 0.5]])  # 3 x 4, no symmetry


@pytest.fixture
def photo():
    return np.asarray(Image.open(ASCENT))[60:97, 210:255]


@pytest.fixture
def kernel(tmp_path):
    np.savetxt(tmp_path / "kernel.txt", KERNEL, header="rows of numbers")
    return tmp_path / "kernel.txt"


@pytest.fixture
def filtered(ok, tmp_path):
    """filtered(array, option...): the result of filtering a TIFF."""
    def call(array, *options):
        tifffile.imwrite(tmp_path / "in.tif", array)
        ok("filter", tmp_path / "in.tif", tmp_path / "out.tif", "--force", *options)
        return tifffile.imread(tmp_path / "out.tif")
    return call


@pytest.mark.parametrize("convolve", [True, False])
@pytest.mark.parametrize("output", ["same", "full", "valid"])
@pytest.mark.parametrize("stride, dilation", [((1, 1), (1, 1)), ((2, 3), (1, 1)),
                                              ((1, 1), (3, 2)), ((3, 2), (2, 5))])
def test_kernel_files(filtered, photo, kernel, convolve, output, stride, dilation):
    options = [] if convolve else ["--correlate"]
    out = filtered(photo / 255.0, "--kernel", kernel, *options, "--output", output,
                   "--stride", *stride, "--dilation", *dilation)
    expected = twin.correlate(photo / 255.0, KERNEL, output=output, stride=stride,
                              dilation=dilation, convolve=convolve)
    assert out.dtype == np.float64 and out.shape == expected.shape
    np.testing.assert_allclose(out, expected, atol=1e-11)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "constant", "wrap"])
@pytest.mark.parametrize("method", ["auto", "direct", "separable", "gemm", "fft"])
def test_methods_and_modes(filtered, photo, kernel, mode, method):
    extra = ["--cval", "0.5"] if mode == "constant" else []
    image = (photo / 255).astype(np.float32)
    out = filtered(image, "--kernel", kernel, "--mode", mode, "--method", method, *extra)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, twin.correlate(image, KERNEL, mode, 0.5, convolve=True),
                               atol=2e-5)


@pytest.mark.parametrize("method", ["direct", "separable", "gemm", "fft"])
def test_a_named_method_runs(ok_json, photo, kernel, tmp_path, method):
    Image.fromarray(photo).save(tmp_path / "in.png")
    result = ok_json("filter", tmp_path / "in.png", tmp_path / "out.png", "--kernel", kernel,
                     "--method", method)
    assert result["method"] == method
    if method == "separable":
        assert result["rank"] == 3


def test_kernel_larger_than_the_image(filtered, rng, tmp_path):
    image = rng.random((5, 4))
    taps = rng.random((9, 13))
    np.save(tmp_path / "k.npy", taps)
    np.testing.assert_allclose(filtered(image, "--kernel", tmp_path / "k.npy"),
                               twin.correlate(image, taps, convolve=True), atol=1e-12)


@pytest.mark.parametrize("options", [[], ["--correlate"]])
def test_named_filters_respond_as_documented(filtered, options):
    y, x = np.mgrid[:12, :15].astype(float)
    right = filtered(x / 100, "--filter", "sobel-x", *options)
    down = filtered(y / 100, "--filter", "sobel-y", *options)
    np.testing.assert_allclose(right[:, 1:-1], 0.08, atol=1e-12)
    np.testing.assert_allclose(down[1:-1], 0.08, atol=1e-12)
    assert np.all(filtered(x, "--filter", "vertical", *options)[:, 3:-3] > 0)
    peak = (x == 7) & (y == 6)
    assert filtered(peak * 1.0, "--filter", "laplacian", *options)[6, 7] == pytest.approx(-4)


def test_size_and_sigma(filtered, ok_json, photo, tmp_path):
    image = photo / 255.0
    for options, size, sigma in [(["--sigma", 1.2], 9, 1.2), (["--size", 5], 5, 5 / 6),
                                 (["--size", 5, "--sigma", 2], 5, 2), ([], 7, 7 / 6)]:
        taps = twin.kernel((sigma,), radii=(size // 2, size // 2))
        np.testing.assert_allclose(filtered(image, "--filter", "gaussian", *options),
                                   twin.correlate(image, taps), atol=1e-12)
    Image.fromarray(photo).save(tmp_path / "in.png")
    result = ok_json("filter", tmp_path / "in.png", tmp_path / "out.png", "--filter", "box")
    assert (result["kernel_height"], result["kernel_width"]) == (3, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_clip_and_signed_and_abs_show_both_signs(filtered, photo, dtype):
    top = np.iinfo(dtype).max
    image = photo.astype(dtype) * (top // 255)
    v = twin.correlate(image / top, SOBEL_X)
    for options, expected in (([], v), (["--signed"], 0.5 + v / 2), (["--abs"], np.abs(v))):
        out = filtered(image, "--filter", "sobel-x", *options)
        assert out.dtype == dtype
        assert np.abs(out - top * np.clip(expected, 0, 1)).max() <= 0.5 + 1e-5 * top
    assert (v < -0.2).any() and (v > 0.2).any()  # else nothing has been tested


def test_floats_are_raw(filtered, photo):
    image = (photo / 50).astype(np.float32)
    v = twin.correlate(image, SOBEL_X)
    for options, expected in (([], v), (["--signed"], 0.5 + v / 2), (["--abs"], np.abs(v))):
        np.testing.assert_allclose(filtered(image, "--filter", "sobel-x", *options), expected,
                                   atol=1e-5)
    assert v.min() < -1 and v.max() > 1
    raw = filtered(photo, "--filter", "sobel-x", "--bit-depth", "32f")
    assert raw.dtype == np.float32
    np.testing.assert_allclose(raw, twin.correlate(photo / 255, SOBEL_X), atol=1e-5)


def test_normalise(filtered, photo, tmp_path):
    image = photo / 255.0
    (tmp_path / "ones.csv").write_text("1,1\n1,1\n")
    out = filtered(image, "--kernel", tmp_path / "ones.csv", "--normalise", "--output", "valid",
                   "--stride", 2, 2)
    expected = image[:36, :44].reshape(18, 2, 22, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(out, expected, atol=1e-12)
    flat = filtered(np.full((6, 7), 0.25), "--filter", "gaussian-peak", "--normalise")
    np.testing.assert_allclose(flat, 0.25, atol=1e-12)


def test_linear_light(filtered, photo):
    s = photo / 255.0
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055)**2.4)
    mixed = twin.correlate(linear, np.full((5, 5), 1 / 25))
    encoded = np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * mixed**(1 / 2.4) - 0.055)
    out = filtered(photo, "--filter", "box", "--size", 5, "--linear-light")
    assert np.abs(out - 255 * encoded).max() <= 0.51


@pytest.fixture
def rgba(rng):
    image = rng.integers(0, 255, (17, 22, 4), dtype=np.uint8, endpoint=True)
    image[:, :3, 3] = 255
    image[4:10, 5:15, 3] = 0
    image[6, 8, :3] = 255, 0, 0  # invisible, must not bleed
    return image


@pytest.fixture
def filtered_png(ok, tmp_path):
    def call(image, *options):
        Image.fromarray(image).save(tmp_path / "in.png")
        ok("filter", tmp_path / "in.png", tmp_path / "out.png", "--force", *options)
        return np.asarray(Image.open(tmp_path / "out.png"))
    return call


@pytest.mark.parametrize("name, gain", [("gaussian", 1), ("gaussian-peak", None)])
def test_alpha_is_filtered_with_the_colours(filtered_png, rgba, name, gain):
    taps = twin.kernel((1.0,), radii=(2, 2))
    gain = gain or 1 / taps.max()
    out = filtered_png(rgba, "--filter", name, "--sigma", 1, "--size", 5)
    x = rgba / 255.0
    alpha = twin.correlate(x[..., 3], taps)
    colour = gain * twin.correlate(x[..., :3] * x[..., 3:], taps)
    colour = np.clip(colour / np.maximum(alpha, 1e-12)[..., None], 0, 1)
    assert np.abs(out[..., 3] - 255 * alpha).max() <= 0.51
    seen = alpha > 0.01
    assert np.abs(out[..., :3] - 255 * colour)[seen].max() <= 0.51
    assert not out[~seen & (out[..., 3] == 0)].any()


def test_one_colour_stays_one_colour_when_sharpened(filtered_png, rgba):
    rgba[..., :3] = 200, 100, 50
    out = filtered_png(rgba, "--filter", "sharpen")
    seen = out[..., 3] > 0
    assert np.abs(out[seen][:, :3].astype(int) - [200, 100, 50]).max() <= 1


@pytest.mark.parametrize("output, stride", [("same", (1, 1)), ("same", (2, 3)), ("valid", (1, 2)),
                                            ("full", (1, 1))])
def test_alpha_stays_under_a_derivative(filtered_png, rgba, output, stride):
    out = filtered_png(rgba, "--filter", "sobel-x", "--signed", "--output", output,
                       "--stride", *stride)
    x = rgba / 255.0
    where = {"output": output, "stride": stride}
    colour = 0.5 + twin.correlate(x[..., :3] * x[..., 3:], SOBEL_X, **where) / 2
    assert np.abs(out[..., :3] - 255 * np.clip(colour, 0, 1)).max() <= 0.51
    centre = np.zeros((3, 3))
    centre[1, 1] = 1
    alpha = twin.correlate(rgba[..., 3], centre, "nearest", **where)
    np.testing.assert_array_equal(out[..., 3], alpha)
    if output == "same":
        np.testing.assert_array_equal(out[..., 3], rgba[::stride[0], ::stride[1], 3])


@pytest.mark.parametrize("output", ["same", "valid", "full"])
@pytest.mark.parametrize("convolve", [True, False])
def test_alpha_follows_the_anchor_of_even_kernels(filtered_png, rgba, tmp_path, output, convolve):
    (tmp_path / "k.txt").write_text("1 0 -1 0\n" * 3)
    out = filtered_png(rgba, "--kernel", tmp_path / "k.txt", "--output", output, "--stride", 2, 1,
                       "--dilation", 1, 2, *([] if convolve else ["--correlate"]))
    anchor = np.zeros((3, 4))
    anchor[1, 2] = 1
    alpha = twin.correlate(rgba[..., 3], anchor, "nearest", output=output, stride=(2, 1),
                           dilation=(1, 2), convolve=convolve)
    np.testing.assert_array_equal(out[..., 3], alpha)


def test_opaque_alpha_changes_nothing(filtered_png, rgba):
    rgba[..., 3] = 255
    for name in ("emboss", "sobel-y", "flattop", "gaussian-peak"):
        out = filtered_png(rgba, "--filter", name)
        assert np.all(out[..., 3] == 255)
        bare = filtered_png(np.ascontiguousarray(rgba[..., :3]), "--filter", name)
        assert np.abs(out[..., :3].astype(int) - bare).max() <= 1


def test_pages_cubes_and_vectors(ok, rng, tmp_path):
    pages = rng.random((3, 15, 20)).astype(np.float32)
    with tifffile.TiffWriter(tmp_path / "in.tif") as writer:
        for page in pages:
            writer.write(page, contiguous=False, metadata=None)
    ok("filter", tmp_path / "in.tif", tmp_path / "out.tif", "--filter", "sobel-x", "--output",
       "valid")
    out = tifffile.imread(tmp_path / "out.tif", key=range(3))
    assert out.shape == (3, 13, 18)
    for page in range(3):
        np.testing.assert_allclose(out[page], twin.correlate(pages[page], SOBEL_X, output="valid"),
                                   atol=1e-5)
    cube = rng.normal(size=(3, 15, 20))
    fits.writeto(tmp_path / "cube.fits", cube)
    ok("filter", tmp_path / "cube.fits", tmp_path / "cube_out.fits", "--filter", "prewitt-y")
    for plane in range(3):
        np.testing.assert_allclose(
            fits.getdata(tmp_path / "cube_out.fits")[plane],
            twin.correlate(cube[plane], np.outer([-1, 0, 1], [1, 1, 1])), atol=1e-12)
    fits.writeto(tmp_path / "vector.fits", cube[0, 0])
    (tmp_path / "row.txt").write_text("1 0 -2")
    ok("filter", tmp_path / "vector.fits", tmp_path / "vector_out.fits", "--kernel",
       tmp_path / "row.txt", "--output", "full")
    np.testing.assert_allclose(np.ravel(fits.getdata(tmp_path / "vector_out.fits"))[2:-2],
                               np.convolve(cube[0, 0], [1, 0, -2])[2:-2], atol=1e-12)


def test_fits_integers_keep_their_units(ok, rng, tmp_path):
    image = rng.integers(0, 65535, (12, 14), dtype=np.uint16)
    fits.writeto(tmp_path / "in.fits", image)
    v = twin.correlate(image, SOBEL_X)
    for options, expected in (([], v), (["--signed"], 65535 / 2 + v / 2)):
        ok("filter", tmp_path / "in.fits", tmp_path / "out.fits", "--filter", "sobel-x",
           "--force", *options)
        out = fits.getdata(tmp_path / "out.fits")
        assert out.dtype == np.uint16
        assert np.abs(out.astype(float) - np.clip(expected, 0, 65535)).max() <= 1


def test_kernels_as_arrays_and_images(filtered, rng, tmp_path):
    image = rng.random((20, 25))
    taps = rng.random((3, 5)).astype(np.float32)
    expected = twin.correlate(image, taps, convolve=True)
    for dtype in ("<f4", ">f4", "<f8", ">f8"):
        np.save(tmp_path / "k.npy", taps.astype(dtype))
        out = filtered(image, "--kernel", tmp_path / "k.npy")
        np.testing.assert_allclose(out, expected, atol=1e-12)
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(tmp_path / "k.npy", "wb") as file:
            np.lib.format.write_array(file, taps, version)
        np.testing.assert_allclose(filtered(image, "--kernel", tmp_path / "k.npy"), expected,
                                   atol=1e-12)
    tifffile.imwrite(tmp_path / "k.tif", taps)
    fits.writeto(tmp_path / "k.fits", taps)
    for name in ("k.tif", "k.fits"):
        np.testing.assert_allclose(filtered(image, "--kernel", tmp_path / name), expected,
                                   atol=1e-12)
    levels = rng.integers(0, 255, (4, 3), dtype=np.uint8)
    Image.fromarray(levels).save(tmp_path / "k.png")
    np.testing.assert_allclose(filtered(image, "--kernel", tmp_path / "k.png"),
                               twin.correlate(image, levels / 255, convolve=True), atol=1e-12)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA"])
def test_grey_kernel_images_in_any_mode(filtered, rng, tmp_path, mode):
    image = rng.random((20, 25))
    levels = rng.integers(0, 255, (4, 3), dtype=np.uint8)
    kernel = Image.fromarray(levels)
    if mode == "P":
        kernel.putpalette([level for level in range(256) for _ in range(3)])
    (kernel if mode == "P" else kernel.convert(mode)).save(tmp_path / "k.png")
    np.testing.assert_allclose(filtered(image, "--kernel", tmp_path / "k.png"),
                               twin.correlate(image, levels / 255, convolve=True), atol=1e-12)


def test_threads_do_not_change_the_result(filtered, photo, kernel):
    image = (photo / 255).astype(np.float32)
    for method in ("direct", "separable", "gemm", "fft"):
        one, two = (filtered(image, "--kernel", kernel, "--method", method, "--threads", n)
                    for n in (1, 2))
        np.testing.assert_array_equal(one, two)


def test_list(ok, ok_json):
    text = ok("filter", "--list")
    names = [line.split()[0] for line in text.splitlines()]
    for name in ("identity", "zero", "box", "gaussian", "sharpen", "laplacian", "log", "dog",
                 "vertical", "horizontal", "sobel-x", "sobel-y", "prewitt-x", "scharr-y",
                 "emboss", "flattop"):
        assert names.count(name) == 1
    assert all(len(line.split()) > 2 and len(line) < 100 for line in text.splitlines())
    assert [entry["name"] for entry in ok_json("filter", "--list")["filters"]] == names


@pytest.mark.parametrize("kind", ["grey", "rgb", "rgba", "float", "large"])
def test_bank(ok, ok_json, photo, rgba, tmp_path, kind):
    path = tmp_path / "in.tif"
    if kind == "grey":
        tifffile.imwrite(path, photo)
    elif kind == "rgb":
        tifffile.imwrite(path, rgba[..., :3].copy(), photometric="rgb")
    elif kind == "rgba":
        tifffile.imwrite(path, rgba, photometric="rgb", extrasamples=["unassalpha"])
    elif kind == "float":
        tifffile.imwrite(path, (1000.0 * photo).astype(np.float32))
    else:
        tifffile.imwrite(path, np.tile(photo, (40, 20)))
    names = [line.split()[0] for line in ok("filter", "--list").splitlines()]
    result = ok_json("filter", path, "--bank", tmp_path / "bank.png")
    sheet = np.asarray(Image.open(tmp_path / "bank.png").convert("L")).astype(int)
    assert sheet.shape == (result["out_height"], result["out_width"])
    height, width = result["tile_height"], result["tile_width"]
    assert 64 < max(height, width) <= 512
    assert [tile["filter"] for tile in result["tiles"]] == names
    background = sheet[0, 0]
    taken = np.zeros(sheet.shape, int)
    for tile in result["tiles"]:
        y, x = tile["y"], tile["x"]
        taken[y:y + height, x:x + width] += 1
        label = sheet[y - 40:y - 2, x:x + width]
        assert np.count_nonzero(label < background - 100) > 40, tile["filter"]
        inside = sheet[y:y + height, x:x + width]
        if tile["filter"] == "zero":
            assert not inside.any()
        elif tile["filter"] in ("sobel-x", "log", "vertical"):
            assert tile["offset"] == 0.5 and abs(np.median(inside) - 127.5) < 20
    assert taken.max() == 1 and taken.sum() == len(names) * height * width
    first = result["tiles"][0]
    if kind == "grey":  # magnified, but the picture itself
        zoom = width // photo.shape[1]
        shown = sheet[first["y"]:first["y"] + height:zoom, first["x"]:first["x"] + width:zoom]
        np.testing.assert_array_equal(shown, photo)


def test_bank_scales_are_those_of_its_labels(ok_json, photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "in.png")
    result = ok_json("filter", tmp_path / "in.png", "--bank", tmp_path / "bank.png", "--size", 5,
                     "--sigma", 1)
    sheet = np.asarray(Image.open(tmp_path / "bank.png")) / 255
    zoom = result["tile_width"] // photo.shape[1]
    tiles = {tile["filter"]: tile for tile in result["tiles"]}
    smooth = np.outer([1, 4, 6, 4, 1], [-1, -2, 0, 2, 1]) / 16
    gaussian = twin.kernel((1.0,), radii=(2, 2))
    for name, taps in (("sobel-x", smooth), ("gaussian-peak", gaussian / gaussian.max())):
        tile = tiles[name]
        assert tile["size"] == 5
        shown = sheet[tile["y"]:tile["y"] + result["tile_height"]:zoom,
                      tile["x"]:tile["x"] + result["tile_width"]:zoom]
        v = tile["offset"] + twin.correlate(photo / 255, taps) / tile["divisor"]
        np.testing.assert_allclose(shown, np.clip(v, 0, 1), atol=0.51 / 255 + 1e-6)


def test_bank_of_a_constant_is_flat(ok_json, tmp_path):
    Image.fromarray(np.full((40, 50), 153, np.uint8)).save(tmp_path / "in.png")
    result = ok_json("filter", tmp_path / "in.png", "--bank", tmp_path / "bank.png")
    sheet = np.asarray(Image.open(tmp_path / "bank.png")).astype(int)
    signed = [tile for tile in result["tiles"] if tile["offset"] == 0.5]
    assert {"sobel-x", "laplacian", "log", "dog", "vertical"} <= {t["filter"] for t in signed}
    for tile in signed:
        inside = sheet[tile["y"]:tile["y"] + result["tile_height"],
                       tile["x"]:tile["x"] + result["tile_width"]]
        assert inside.min() >= 127 and inside.max() <= 128, tile["filter"]


def test_bank_tells_which_values_it_shows(ok_json, photo, tmp_path):
    tifffile.imwrite(tmp_path / "grey.tif", photo)
    tifffile.imwrite(tmp_path / "float.tif", 1000 + 10 * photo.astype(np.float32))
    tifffile.imwrite(tmp_path / "flat.tif", np.full((30, 40), 7, np.float32))
    for name, low, high in [("grey", 0, 1), ("flat", 7, 8),
                            ("float", 1000 + 10.0 * photo.min(), 1000 + 10.0 * photo.max())]:
        result = ok_json("filter", tmp_path / f"{name}.tif", "--bank", tmp_path / f"{name}.png")
        assert (result["in_low"], result["in_high"]) == (low, high)
        header = np.asarray(Image.open(tmp_path / f"{name}.png").convert("L"))
        lines = header[:result["tiles"][0]["y"]].min(axis=1) < 200
        expected = 6 if name == "grey" else 7  # with the label of the tile
        assert np.count_nonzero(lines[1:] & ~lines[:-1]) == expected


def test_bank_of_lines(ok_json, fails, rng, tmp_path):
    tifffile.imwrite(tmp_path / "line.tif", rng.random((1, 900), dtype=np.float32))
    result = ok_json("filter", tmp_path / "line.tif", "--bank", tmp_path / "bank.png")
    assert (result["tile_height"], result["tile_width"]) == (1, 900)
    tifffile.imwrite(tmp_path / "long.tif", rng.random((1, 9000), dtype=np.float32))
    line = fails("filter", tmp_path / "long.tif", "--bank", tmp_path / "long.png")
    assert "long.tif" in line and "1 x 9000" in line


def test_bank_needs_force_and_a_picture_format(fails, ok, photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "in.png")
    (tmp_path / "bank.png").write_text("precious")
    line = fails("filter", tmp_path / "in.png", "--bank", tmp_path / "bank.png")
    assert "bank.png" in line and "--force" in line
    assert (tmp_path / "bank.png").read_text() == "precious"
    ok("filter", tmp_path / "in.png", "--bank", tmp_path / "bank.png", "--force")
    assert "bank.xyz" in fails("filter", tmp_path / "in.png", "--bank", tmp_path / "bank.xyz")


def test_summary(ok, ok_json, photo, kernel, tmp_path):
    Image.fromarray(photo).save(tmp_path / "in.png")
    text = ok("filter", tmp_path / "in.png", tmp_path / "a.png", "--filter", "box", "--method",
              "separable", "--output", "valid")
    assert text.count("\n") == 1 and "a.png" in text and "37 x 45" in text and "35 x 43" in text
    assert "box 3 x 3 (separable, rank 1)" in text
    assert ok("filter", tmp_path / "in.png", tmp_path / "b.png", "--filter", "box",
              "--quiet") == ""
    result = ok_json("filter", tmp_path / "in.png", tmp_path / "c.png", "--kernel", kernel,
                     "--stride", 2, 3, "--threads", 1)
    assert result["command"] == "filter" and result["kernel"] == str(kernel)
    assert (result["kernel_height"], result["kernel_width"]) == (3, 4)
    assert (result["out_height"], result["out_width"]) == (19, 15)
    assert result["stride"] == [2, 3] and result["dilation"] == [1, 1]
    assert result["in_type"] == result["out_type"] == "uint8" and result["threads"] == 1
    assert result["multiply_adds"] == 19 * 15 * 12 and result["filter"] is None
    assert result["method"] in ("direct", "separable", "gemm", "fft")


@pytest.fixture
def rejected(fails, photo, tmp_path):
    """rejected(option...): the message of a filter that must leave no file."""
    Image.fromarray(photo).save(tmp_path / "in.png")

    def call(*options, **kwargs):
        before = sorted(tmp_path.rglob("*"))
        line = fails("filter", tmp_path / "in.png", tmp_path / "out.png", *options, **kwargs)
        assert sorted(tmp_path.rglob("*")) == before
        return line
    return call


@pytest.mark.parametrize("text, reason", [
    ("1 2 3\n4 5 6\n# seven\n\n7 8 9 10\n", "row 3 on line 5 has 4 numbers, expected 3"),
    ("1 2\nx 3\n", "line 2: expected a number, got 'x'"),
    ("1 nan\n", "line 1: expected a finite number"),
    ("1 2\n3 -inf\n", "line 2: expected a finite number"),
    ("1,,2\n", "line 1: expected a number"),
    ("", "empty"), ("# only\n# comments\n", "expected rows of numbers")])
def test_bad_text_kernels(rejected, tmp_path, text, reason):
    (tmp_path / "bad.txt").write_text(text)
    line = rejected("--kernel", tmp_path / "bad.txt")
    assert "bad.txt" in line and reason in line


@pytest.mark.parametrize("array, reason", [
    (np.ones((3, 3), int), "<i8"), (np.ones((3, 3), complex), "<c16"),
    (np.ones((3, 3), np.float16), "<f2"), (np.ones((3, 3), bool), "|b1"),
    (np.zeros((3, 0)), "zero size"), (np.ones((1, 3, 3)), "axes"), (np.array(1.0), "axes"),
    (np.asfortranarray(np.random.default_rng(1).random((3, 4))), "Fortran"),
    (np.array([[1, np.nan]]), "(0, 1)"), (np.array([[1], [np.inf]], np.float32), "(1, 0)"),
    (np.ones(3, [("a", float)]), "float32 or float64")])
def test_bad_arrays(rejected, tmp_path, array, reason):
    np.save(tmp_path / "bad.npy", array)
    line = rejected("--kernel", tmp_path / "bad.npy")
    assert "bad.npy" in line and reason in line


def test_truncated_array(rejected, tmp_path):
    np.save(tmp_path / "whole.npy", np.ones((3, 3)))
    data = (tmp_path / "whole.npy").read_bytes()
    for size in (1, 5, 7, 9, 40, len(data) - 73, len(data) - 1):
        (tmp_path / "cut.npy").write_bytes(data[:size])
        assert "cut.npy" in rejected("--kernel", tmp_path / "cut.npy")


def test_bad_kernel_images(rejected, rng, tmp_path):
    Image.fromarray(rng.integers(0, 255, (3, 3, 3), dtype=np.uint8)).save(tmp_path / "rgb.png")
    line = rejected("--kernel", tmp_path / "rgb.png")
    assert "rgb.png" in line and "grey" in line and "(0, 0)" in line
    Image.new("LA", (3, 2), (200, 51)).save(tmp_path / "clear.png")
    line = rejected("--kernel", tmp_path / "clear.png")
    assert "clear.png" in line and "opaque" in line and "0.2" in line
    tifffile.imwrite(tmp_path / "nan.tif", np.full((3, 3), np.nan, np.float32))
    assert "nan.tif" in rejected("--kernel", tmp_path / "nan.tif")
    data = (tmp_path / "rgb.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[:len(data) // 2])
    assert "cut.png" in rejected("--kernel", tmp_path / "cut.png")
    assert "none.txt" in rejected("--kernel", tmp_path / "none.txt")
    (tmp_path / "folder").mkdir()
    assert "folder" in rejected("--kernel", tmp_path / "folder")


def test_kernel_that_does_not_fit(rejected):
    line = rejected("--filter", "box", "--size", 99, "--output", "valid")
    assert "in.png" in line and "99" in line and "37" in line


def test_weights_beyond_float32(rejected, fails, tmp_path):
    (tmp_path / "k.txt").write_text("1 1e300\n")
    line = rejected("--kernel", tmp_path / "k.txt")
    assert "k.txt" in line and "float32" in line and "(0, 1)" in line


    tifffile.imwrite(tmp_path / "float.tif", np.ones((4, 5), np.float32))
    line = fails("filter", tmp_path / "float.tif", tmp_path / "out.tif", "--filter", "log",
                 "--sigma", 1e-20, "--size", 3)
    assert line.startswith("log: ") and "float32" in line


def test_normalise_needs_a_positive_sum(rejected):
    line = rejected("--filter", "sobel-x", "--normalise")
    assert "sobel-x" in line and "--normalise" in line


def test_bad_pixels(fails, tmp_path):
    image = np.ones((9, 11), np.float32)
    image[4, 7] = np.nan
    tifffile.imwrite(tmp_path / "bad.tif", image)
    for options in ([tmp_path / "out.tif", "--filter", "box"], ["--bank", tmp_path / "out.png"]):
        line = fails("filter", tmp_path / "bad.tif", *options)
        assert "bad.tif" in line and "(4, 7)" in line
    assert not list(tmp_path.glob("out*"))


def test_existing_output_needs_force(fails, ok, photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "in.png")
    (tmp_path / "out.png").write_bytes(b"precious")
    line = fails("filter", tmp_path / "in.png", tmp_path / "out.png", "--filter", "box")
    assert "out.png" in line and "--force" in line
    assert (tmp_path / "out.png").read_bytes() == b"precious"
    ok("filter", tmp_path / "in.png", tmp_path / "out.png", "--filter", "box", "--force")
    assert np.asarray(Image.open(tmp_path / "out.png")).shape == photo.shape


def test_formats_that_need_a_bit_depth_say_so(fails, rng, tmp_path):
    tifffile.imwrite(tmp_path / "float.tif", rng.random((4, 5)).astype(np.float32))
    line = fails("filter", tmp_path / "float.tif", tmp_path / "out.png", "--filter", "box")
    assert "out.png" in line and "--bit-depth 8 or 16" in line
    line = fails("filter", tmp_path / "float.tif", tmp_path / "out.tif", "--filter", "box",
                 "--linear-light")
    assert "float.tif" in line and "--linear-light" in line


def test_unknown_filter_lists_the_names(rejected):
    line = rejected("--filter", "sobel", code=2)
    for name in ("identity", "sobel-x", "scharr-y", "flattop", "emboss"):
        assert name in line


def test_stopped_by_a_full_disk(rejected, fails, tmp_path):
    (tmp_path / "full.png").symlink_to("/dev/full")
    assert "full.png" in fails("filter", tmp_path / "in.png", tmp_path / "full.png", "--filter",
                               "box", "--force")


@pytest.mark.parametrize("arguments", [
    ["filter"], ["filter", "IN"], ["filter", "IN", "OUT"], ["filter", "IN", "--filter", "box"],
    ["filter", "--filter", "box"], ["filter", "--bank", "OUT"],
    ["filter", "IN", "OUT", "--kernel", "K", "--filter", "box"],
    ["filter", "IN", "OUT", "--filter", "box", "--list"],
    ["filter", "IN", "OUT", "--bank", "B"],
    ["filter", "IN", "--bank", "B", "--abs"], ["filter", "IN", "--bank", "B", "--stride", "2", "2"],
    ["filter", "IN", "OUT", "--filter", "box", "--size", "4"],
    ["filter", "IN", "OUT", "--filter", "box", "--size", "0"],
    ["filter", "IN", "OUT", "--filter", "box", "--size", "-3"],
    ["filter", "IN", "OUT", "--filter", "box", "--size", "3.5"],
    ["filter", "IN", "OUT", "--filter", "box", "--size", "99999"],
    ["filter", "IN", "OUT", "--filter", "sobel-x", "--size", "1"],
    ["filter", "IN", "OUT", "--filter", "box", "--sigma", "1"],
    ["filter", "IN", "OUT", "--filter", "gaussian", "--sigma", "0"],
    ["filter", "IN", "OUT", "--filter", "gaussian", "--sigma", "nan"],
    ["filter", "IN", "OUT", "--filter", "gaussian", "--sigma", "1e9"],
    ["filter", "IN", "OUT", "--kernel", "K", "--size", "3"],
    ["filter", "IN", "OUT", "--kernel", ""], ["filter", "IN", "OUT", "--bank", ""],
    ["filter", "IN", "OUT", "--filter", ""],
    ["filter", "IN", "OUT", "--kernel", "K", "--sigma", "3"],
    ["filter", "IN", "OUT", "--filter", "box", "--abs", "--signed"],
    ["filter", "IN", "OUT", "--filter", "box", "--abs", "--linear-light"],
    ["filter", "IN", "OUT", "--filter", "box", "--cval", "1"],
    ["filter", "IN", "OUT", "--filter", "box", "--stride", "2"],
    ["filter", "IN", "OUT", "--filter", "box", "--stride", "0", "1"],
    ["filter", "IN", "OUT", "--filter", "box", "--dilation", "1", "-1"],
    ["filter", "IN", "OUT", "--filter", "box", "--method", "magic"],
    ["filter", "IN", "OUT", "--filter", "box", "--output", "some"],
    ["filter", "IN", "OUT", "--filter", "box", "--mode", "bounce"]])
def test_wrong_usage(fails, arguments):
    assert "--help" in fails(*arguments, code=2)


def test_json_of_file_names_that_are_not_utf8(ok, photo, tmp_path):
    name = tmp_path / "caf\udce9.png"
    Image.fromarray(photo).save(tmp_path / "in.png")
    name.write_bytes((tmp_path / "in.png").read_bytes())
    result = json.loads(ok("filter", name, "--bank", tmp_path / "bank.png", "--json"))
    assert result["out"] == str(tmp_path / "bank.png")


def test_cancelling_leaves_nothing(rng, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", rng.random((2500, 2500), dtype=np.float32))
    np.save(tmp_path / "k.npy", rng.random((255, 255)))
    before = sorted(tmp_path.rglob("*"))
    job = [BINARY, "filter", tmp_path / "in.tif", tmp_path / "out.tif", "--kernel",
           tmp_path / "k.npy", "--method", "direct"]
    process = subprocess.Popen(job, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.7)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGINT
    assert out == "" and err == "blurfield: cancelled\n"
    assert sorted(tmp_path.rglob("*")) == before
