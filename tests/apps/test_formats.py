# SPDX-License-Identifier: BSD-3-Clause
"""Files in and out of `blurfield blur`: formats, types, orientation, metadata, pages."""
import numpy as np
import pytest
import tifffile
import twin
from astropy.io import fits
from PIL import Image, ImageCms

HEIGHT, WIDTH = 15, 20


@pytest.fixture
def photo(rng):
    coarse = rng.random((HEIGHT, WIDTH, 3))
    return (255 * twin.gather(coarse, [2])).astype(np.uint8)


def test_png_8_and_16_bits(ok, photo, rng, tmp_path):
    Image.fromarray(photo).save(tmp_path / "in.png")
    ok("blur", tmp_path / "in.png", tmp_path / "out.png", "--sigma", 1)
    out = np.asarray(Image.open(tmp_path / "out.png"))
    assert out.dtype == np.uint8
    assert np.abs(out - twin.gather(photo, [1])).max() <= 0.51
    deep = rng.integers(0, 65535, (HEIGHT, WIDTH), dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    ok("blur", tmp_path / "deep.png", tmp_path / "deep_out.png", "--sigma", 1)
    back = np.asarray(Image.open(tmp_path / "deep_out.png"))
    assert np.abs(back - twin.gather(deep, [1])).max() <= 0.7


@pytest.mark.parametrize("extension", ["jpg", "webp"])
def test_lossy_formats(ok, photo, extension, tmp_path):
    Image.fromarray(photo).save(tmp_path / "in.png")
    ok("blur", tmp_path / "in.png", tmp_path / f"out.{extension}", "--sigma", 2)
    out = np.asarray(Image.open(tmp_path / f"out.{extension}").convert("RGB"), float)
    assert np.abs(out - twin.gather(photo, [2])).mean() < 6
    ok("blur", tmp_path / f"out.{extension}", tmp_path / "again.png", "--sigma", 1)


@pytest.mark.parametrize("options", [
    {"tile": (16, 16)}, {"bigtiff": True}, {"compression": "zlib"}, {"byteorder": ">"},
    {"planarconfig": "separate", "rowsperstrip": 4}])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_tiff_kinds(ok, rng, dtype, options, tmp_path):
    image = rng.random((HEIGHT, WIDTH, 3))
    scale = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    image = (image * scale).astype(dtype)
    planar = "planarconfig" in options
    tifffile.imwrite(tmp_path / "in.tif", np.moveaxis(image, -1, 0) if planar else image,
                     photometric="rgb", metadata=None, **options)
    ok("blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma", 1)
    out = tifffile.imread(tmp_path / "out.tif")
    assert out.dtype == dtype and out.shape == image.shape
    tolerance = {1: 0.51, 2: 0.7, 4: 1e-5, 8: 1e-12}[np.dtype(dtype).itemsize]
    assert np.abs(out - twin.gather(image, [1])).max() <= tolerance


def test_float_tiff_keeps_physical_values(ok, rng, tmp_path):
    image = (1e4 * rng.normal(size=(HEIGHT, WIDTH))).astype(np.float32)
    tifffile.imwrite(tmp_path / "in.tif", image)
    ok("blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma", 1)
    np.testing.assert_allclose(tifffile.imread(tmp_path / "out.tif"), twin.gather(image, [1]),
                               atol=1e-1, rtol=1e-5)


def test_bit_depth(ok, rng, tmp_path):
    image = (1.4 * rng.random((HEIGHT, WIDTH)) - 0.2).astype(np.float32)  # reaches beyond 0..1
    tifffile.imwrite(tmp_path / "in.tif", image)
    expected = np.clip(twin.gather(image, [0.3]), 0, 1)
    for depth, dtype in (("8", np.uint8), ("16", np.uint16)):
        ok("blur", tmp_path / "in.tif", tmp_path / f"{depth}.png", "--sigma", 0.3,
           "--bit-depth", depth)
        out = np.asarray(Image.open(tmp_path / f"{depth}.png"))
        assert np.abs(out - np.iinfo(dtype).max * expected).max() <= 0.8
    Image.fromarray((255 * expected).astype(np.uint8)).save(tmp_path / "in.png")
    ok("blur", tmp_path / "in.png", tmp_path / "32f.tif", "--sigma", 1, "--bit-depth", "32f")
    out = tifffile.imread(tmp_path / "32f.tif")
    assert out.dtype == np.float32
    assert out.max() <= 1


def test_formats_that_need_a_bit_depth_say_so(fails, rng, tmp_path):
    tifffile.imwrite(tmp_path / "float.tif", rng.random((4, 5)).astype(np.float32))
    Image.fromarray(np.zeros((4, 5), np.uint16)).save(tmp_path / "deep.png")
    line = fails("blur", tmp_path / "float.tif", tmp_path / "out.png", "--sigma", 1)
    assert "out.png" in line and "--bit-depth 8 or 16" in line
    line = fails("blur", tmp_path / "float.tif", tmp_path / "out.jpg", "--sigma", 1)
    assert "--bit-depth 8" in line
    line = fails("blur", tmp_path / "deep.png", tmp_path / "out.jpg", "--sigma", 1)
    assert "--bit-depth 8" in line
    fails("blur", tmp_path / "deep.png", tmp_path / "out.jpg", "--sigma", 1, "--bit-depth", "16")
    assert not list(tmp_path.glob("out*"))


def test_fits_rows_are_those_of_astropy_and_of_a_tiff_map(ok, rng, tmp_path):
    image = rng.random((HEIGHT, WIDTH)).astype(np.float32)
    sigmas = np.repeat(np.linspace(0.5, 3, HEIGHT), WIDTH).reshape(HEIGHT, WIDTH)
    sigmas = sigmas.astype(np.float32)
    fits.writeto(tmp_path / "in.fits", image)
    fits.writeto(tmp_path / "map.fits", sigmas)
    tifffile.imwrite(tmp_path / "map.tif", sigmas)
    for kind in ("fits", "tif"):
        ok("blur", tmp_path / "in.fits", tmp_path / f"{kind}.fits", "--sigma-map",
           tmp_path / f"map.{kind}")
        np.testing.assert_allclose(fits.getdata(tmp_path / f"{kind}.fits"),
                                   twin.gather(image, sigmas[None]), atol=1e-5)


def test_fits_integers_with_bzero_keep_their_values(ok, rng, tmp_path):
    image = rng.integers(0, 65535, (HEIGHT, WIDTH), dtype=np.uint16)
    fits.writeto(tmp_path / "in.fits", image)  # astropy stores BITPIX 16 and BZERO 32768
    assert fits.getheader(tmp_path / "in.fits")["BITPIX"] == 16
    ok("blur", tmp_path / "in.fits", tmp_path / "out.fits", "--sigma", 1)
    out = fits.getdata(tmp_path / "out.fits")
    assert out.dtype == np.uint16
    assert np.abs(out.astype(float) - twin.gather(image, [1])).max() <= 0.7


def test_fits_cube_and_vector(ok, rng, tmp_path):
    cube = rng.normal(size=(3, HEIGHT, WIDTH))
    fits.writeto(tmp_path / "cube.fits", cube)
    ok("blur", tmp_path / "cube.fits", tmp_path / "cube_out.fits", "--sigma-yx", 1, 2)
    out = fits.getdata(tmp_path / "cube_out.fits")
    for plane in range(3):
        np.testing.assert_allclose(out[plane], twin.gather(cube[plane], [1, 2]), atol=1e-12)
    vector = rng.normal(size=50).astype(np.float32)
    fits.writeto(tmp_path / "vector.fits", vector)
    ok("blur", tmp_path / "vector.fits", tmp_path / "vector_out.fits", "--sigma", 2)
    np.testing.assert_allclose(np.ravel(fits.getdata(tmp_path / "vector_out.fits")),
                               twin.gather(vector[None], [2])[0], atol=1e-5)


def test_every_page_gets_the_same_blur(ok, rng, tmp_path):
    pages = rng.random((3, HEIGHT, WIDTH)).astype(np.float32)
    with tifffile.TiffWriter(tmp_path / "in.tif") as writer:
        for page in pages:
            writer.write(page, contiguous=False, metadata=None)
    sigmas = np.tile(np.linspace(0.5, 2, WIDTH, dtype=np.float32), (HEIGHT, 1))
    tifffile.imwrite(tmp_path / "map.tif", sigmas)
    ok("blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma-map", tmp_path / "map.tif")
    out = tifffile.imread(tmp_path / "out.tif", key=range(3))
    assert out.shape == pages.shape
    for page in range(3):
        np.testing.assert_allclose(out[page], twin.gather(pages[page], sigmas[None]), atol=1e-5)


def test_exif_orientation_is_applied(ok, photo, tmp_path):
    picture = Image.fromarray(photo)
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    picture.save(tmp_path / "in.png", exif=exif)
    ok("blur", tmp_path / "in.png", tmp_path / "out.png", "--sigma-yx", 0, 1.5)
    out = Image.open(tmp_path / "out.png")
    assert out.getexif().get(0x0112, 1) == 1
    upright = np.rot90(photo, -1)
    assert np.abs(np.asarray(out) - twin.gather(upright, [0, 1.5])).max() <= 0.51


def test_profile_and_resolution_survive(ok, photo, tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(photo).save(tmp_path / "in.png", icc_profile=profile, dpi=(300, 300))
    for name in ("out.png", "out.jpg", "out.tif"):
        ok("blur", tmp_path / "in.png", tmp_path / name, "--sigma", 1)
        out = Image.open(tmp_path / name)
        assert out.info["icc_profile"] == profile
        assert float(out.info["dpi"][0]) == pytest.approx(300, abs=0.5)


def test_palette_and_cmyk_are_converted(ok, photo, tmp_path):
    Image.fromarray(photo).quantize(16).save(tmp_path / "palette.png")
    ok("blur", tmp_path / "palette.png", tmp_path / "out.png", "--sigma", 1)
    reference = np.asarray(Image.open(tmp_path / "palette.png").convert("RGB"))
    out = np.asarray(Image.open(tmp_path / "out.png").convert("RGB"))
    assert np.abs(out - twin.gather(reference, [1])).max() <= 0.51
    Image.fromarray(photo).convert("CMYK").save(tmp_path / "cmyk.jpg")
    ok("blur", tmp_path / "cmyk.jpg", tmp_path / "rgb.png", "--sigma", 1)
    assert Image.open(tmp_path / "rgb.png").mode == "RGB"
