# SPDX-License-Identifier: BSD-3-Clause
"""`blurfield blur --memory`: bands of rows give what the whole image gives."""
import json
import pathlib
import re
import signal
import struct
import subprocess
import time
import zlib

import numpy as np
import pytest
import tifffile
from conftest import BINARY
from PIL import Image

HEIGHT, WIDTH = 1500, 38


@pytest.fixture
def image(rng):
    return rng.random((HEIGHT, WIDTH)).astype(np.float32)


def ramp(low, high, height=HEIGHT, width=WIDTH):
    """Grows from top to bottom, with a wave."""
    y, x = np.mgrid[:height, :width]
    unit = (y + 40 * np.sin(x / 7) + 40) / (height + 80)
    return (low + (high - low) * unit).astype(np.float32)


@pytest.fixture
def least(fails):
    """The --memory that a blur needs, by its own words."""
    def call(*arguments):
        line = fails("blur", *arguments, "--memory", 1)
        return re.search(r"expected --memory (\S+) or more", line)[1]
    return call


@pytest.fixture
def banded(ok, least):
    """banded(in, out, option...): blurs in as little memory as can be; returns the summary."""
    def call(source, out, *options):
        memory = least(source, out, *options)
        told = json.loads(ok("blur", source, out, *options, "--memory", memory, "--json"))
        assert told["bands"] > 2 and told["band_rows"] < told["height"]
        return told
    return call


@pytest.fixture
def both(ok, banded, tmp_path):
    """both(in, suffix, option...): the results of the whole and of bands."""
    def call(source, suffix, *options):
        whole, bands = tmp_path / f"whole{suffix}", tmp_path / f"bands{suffix}"
        ok("blur", source, whole, *options, "--force")
        banded(source, bands, *options, "--force")
        return whole, bands
    return call


MODES = ["reflect", "mirror", "nearest", "constant", "wrap"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["sigma", "sigma-yx", "y alone", "cov", "radius"])
def test_uniform(both, image, mode, kind, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", image)
    options = {"sigma": ["--sigma", 3], "sigma-yx": ["--sigma-yx", 0, 4],
               "y alone": ["--sigma-yx", 5, 0], "cov": ["--cov", 9, 5, 6],
               "radius": ["--sigma", 6, "--radius-yx", 30, 3]}[kind]
    cval = ["--cval", 0.7] if mode == "constant" else []
    whole, bands = both(tmp_path / "in.tif", ".tif", "--mode", mode, *cval, *options)
    np.testing.assert_allclose(tifffile.imread(bands), tifffile.imread(whole), atol=2e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", ["gather", "scatter"])
@pytest.mark.parametrize("kind", ["sigma", "sigma-yx", "logchol"])
def test_varying(both, image, mode, way, kind, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", image)
    sigma = ramp(0.5, 6)
    field = {"sigma": [sigma], "sigma-yx": [sigma, sigma[::-1]],
             "logchol": [np.log(sigma / 2), 0.3 * sigma, np.log(sigma[::-1] / 2)]}[kind]
    tifffile.imwrite(tmp_path / "map.tif", np.stack(field).squeeze(), photometric="minisblack",
                     planarconfig="separate" if len(field) > 1 else None)
    options = ["--logchol-map" if kind == "logchol" else "--sigma-map", tmp_path / "map.tif"]
    options += ["--scatter"] if way == "scatter" else []
    options += ["--cval", -0.4] if mode == "constant" else []
    whole, bands = both(tmp_path / "in.tif", ".tif", "--mode", mode, *options)
    np.testing.assert_allclose(tifffile.imread(bands), tifffile.imread(whole), atol=2e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", ["gather", "scatter"])
@pytest.mark.parametrize("kind", ["uniform", "cov", "sigma", "sigma-yx", "logchol"])
def test_with_a_tolerance(both, rng, mode, way, kind, tmp_path):
    height, width = 3100, 150
    tifffile.imwrite(tmp_path / "in.tif", rng.random((height, width)).astype(np.float32))
    sigma = ramp(1, 10, height, width)
    field = {"sigma": [sigma], "sigma-yx": [sigma, sigma[::-1]],
             "logchol": [np.log(sigma), 0.3 * sigma, np.log(sigma)]}.get(kind)
    if field is None:
        if way == "scatter":
            pytest.skip("needs a map")
        options = ["--sigma", 10] if kind == "uniform" else ["--cov", 80, 40, 60]
    else:
        tifffile.imwrite(tmp_path / "map.tif", np.stack(field).squeeze(), photometric="minisblack",
                         planarconfig="separate" if len(field) > 1 else None)
        options = ["--logchol-map" if kind == "logchol" else "--sigma-map", tmp_path / "map.tif"]
        options += ["--scatter"] if way == "scatter" else []
    whole, bands = both(tmp_path / "in.tif", ".tif", "--mode", mode, "--tolerance", 1e-3, *options)
    # Tiles of sources beyond the frame begin elsewhere than in it; levels for covariances have
    # samples that bands' rows do not share.
    same = kind != "logchol" and not (mode == "wrap" and way == "scatter")
    atol = 3e-6 if same else 1e-3
    np.testing.assert_allclose(tifffile.imread(bands), tifffile.imread(whole), atol=atol)


def test_kernels_as_high_as_the_image(ok, image, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", image[:, :4])
    for mode in ("wrap", "mirror"):
        ok("blur", tmp_path / "in.tif", tmp_path / "whole.tif", "--sigma-yx", 400, 0, "--mode", mode,
           "--force")
        told = json.loads(ok("blur", tmp_path / "in.tif", tmp_path / "bands.tif", "--sigma-yx", 400,
                             0, "--mode", mode, "--memory", "72K", "--force", "--json"))
        assert told["bands"] == 1
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "bands.tif"),
                                      tifffile.imread(tmp_path / "whole.tif"))


def test_every_type_and_format(both, rng, tmp_path):
    tifffile.imwrite(tmp_path / "map.tif", ramp(0.4, 4))
    options = ["--sigma-map", tmp_path / "map.tif"]
    rgba = rng.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    rgba[700:760, 10:20, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "in.png")
    whole, bands = both(tmp_path / "in.png", ".png", *options)
    np.testing.assert_array_equal(np.asarray(Image.open(bands)), np.asarray(Image.open(whole)))
    Image.fromarray(rgba[..., :3]).save(tmp_path / "in.jpg", quality=90)
    whole, bands = both(tmp_path / "in.jpg", ".jpg", *options, "--linear-light", "--tolerance", 0)
    assert whole.read_bytes() == bands.read_bytes()
    for dtype in (np.uint16, np.int32, np.float64):
        values = rng.normal(20000, 3000, (HEIGHT, WIDTH, 3)).astype(dtype)
        tifffile.imwrite(tmp_path / "in.tif", values, photometric="rgb", compression="zlib",
                         rowsperstrip=13)
        for suffix in (".tif", ".fits"):
            whole, bands = both(tmp_path / "in.tif", suffix, *options)
            if suffix == ".fits":
                assert whole.read_bytes() == bands.read_bytes()
        whole, bands = both(bands, ".tif", "--sigma", 2)
        np.testing.assert_array_equal(tifffile.imread(bands), tifffile.imread(whole))


def test_pages_mask_and_noise(both, rng, tmp_path):
    with tifffile.TiffWriter(tmp_path / "in.tif") as writer:
        for _ in range(3):
            page = rng.random((HEIGHT, WIDTH, 3), dtype=np.float32)
            page[rng.random((HEIGHT, WIDTH)) < 0.01] = np.nan
            writer.write(page, photometric="rgb", contiguous=False, metadata=None)
    weights = rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    weights[900:1000] = 0
    Image.fromarray(weights).save(tmp_path / "mask.png")
    sigmas = [ramp(0.5, 5), ramp(4, 1)]
    with tifffile.TiffWriter(tmp_path / "map.tif") as writer:  # two pages: along y, along x
        for sigma in sigmas:
            writer.write(sigma, contiguous=False, metadata=None)
    whole, bands = both(tmp_path / "in.tif", ".tif", "--sigma-map", tmp_path / "map.tif", "--mask",
                        tmp_path / "mask.png", "--noise", 0.1, "--seed", 3)
    with tifffile.TiffFile(whole) as a, tifffile.TiffFile(bands) as b:
        assert len(a.pages) == len(b.pages) == 3
        for i in range(3):
            np.testing.assert_allclose(b.pages[i].asarray(), a.pages[i].asarray(), atol=3e-6)


def test_maps_of_integers_and_their_range(both, image, rng, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", image)
    Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)).save(tmp_path / "map.png")
    whole, bands = both(tmp_path / "in.tif", ".tif", "--sigma-map", tmp_path / "map.png",
                        "--sigma-range", 5, 0.5)
    np.testing.assert_allclose(tifffile.imread(bands), tifffile.imread(whole), atol=2e-6)


def test_the_result_is_a_tiled_tiff_with_the_metadata(banded, image, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", image, resolution=(300, 150), resolutionunit="INCH",
                     description="a tall scene", metadata=None)
    banded(tmp_path / "in.tif", tmp_path / "out.tif", "--sigma", 2)
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        page = file.pages[0]
        assert page.is_tiled and page.dtype == np.float32
        assert page.description == "a tall scene"
        assert page.tags["XResolution"].value == (300, 1)
        assert page.tags["ResolutionUnit"].value == 2


def test_the_page_of_an_image_in_bands(banded, image, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", image)
    tifffile.imwrite(tmp_path / "map.tif", ramp(0.5, 4))
    banded(tmp_path / "in.tif", tmp_path / "out.tif", "--sigma-map", tmp_path / "map.tif",
           "--report", tmp_path / "page.html", "--force")
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png") >= 3
    assert "mean of 2 x 2 pixels" in page and "rows at a time" in page


def test_bad_pixels_are_named_by_their_place_in_the_image(fails, least, image, tmp_path):
    tifffile.imwrite(tmp_path / "good.tif", image)
    memory = least(tmp_path / "good.tif", tmp_path / "out.tif", "--sigma", 2)
    image[1203, 7] = np.nan
    tifffile.imwrite(tmp_path / "in.tif", image)
    line = fails("blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma", 2, "--memory", memory)
    assert "in.tif" in line and "(y, x) = (1203, 7)" in line
    sigma = ramp(0.5, 3)
    sigma[801, 5] = -1
    tifffile.imwrite(tmp_path / "map.tif", sigma)
    line = fails("blur", tmp_path / "good.tif", tmp_path / "out.tif", "--sigma-map",
                 tmp_path / "map.tif", "--memory", memory)
    assert "map.tif" in line and "sigma > 0" in line and "(y, x) = (801, 5)" in line
    assert {p.name for p in tmp_path.iterdir()} == {"good.tif", "in.tif", "map.tif"}


@pytest.mark.parametrize("memory", ["0", "-1G", "much", "1X", "", "nan", "1GG"])
def test_sizes_that_are_none(fails, image, tmp_path, memory):
    tifffile.imwrite(tmp_path / "in.tif", image)
    line = fails("blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma", 2, "--memory", memory,
                 code=2)
    assert "--memory" in line


def interlaced_png(path):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 1)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                     + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b""))


def test_files_that_do_not_come_by_rows(fails, ok, rng, tmp_path):
    photo = Image.fromarray(rng.integers(0, 256, (60, 50, 3), dtype=np.uint8))
    photo.save(tmp_path / "progressive.jpg", progressive=True)
    photo.save(tmp_path / "photo.webp")
    photo.resize((50, HEIGHT)).save(tmp_path / "plain.png")
    interlaced_png(tmp_path / "interlaced.png")
    exif = Image.Exif()
    exif[274] = 6
    photo.save(tmp_path / "turned.jpg", exif=exif)
    for name, word in (("progressive.jpg", "progressive"), ("photo.webp", "WebP"),
                       ("interlaced.png", "interlaced"), ("turned.jpg", "orientation 6")):
        line = fails("blur", tmp_path / name, tmp_path / "out.png", "--sigma", 1, "--memory", 1)
        assert name in line and word in line and "TIFF" in line
        ok("blur", tmp_path / name, tmp_path / "out.png", "--sigma", 1, "--force")
        (tmp_path / "out.png").unlink()
    line = fails("blur", tmp_path / "plain.png", tmp_path / "out.webp", "--sigma", 1, "--memory", "2M")
    assert "out.webp" in line and "WebP" in line and "TIFF" in line


def test_cancelling_leaves_nothing(rng, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", rng.random((6000, 1000), dtype=np.float32))
    tifffile.imwrite(tmp_path / "map.tif", np.full((6000, 1000), 25, np.float32))
    job = subprocess.Popen([BINARY, "blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma-map",
                            tmp_path / "map.tif", "--memory", "30M", "--tolerance", "0"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        time.sleep(0.05)
        if any(p.name.startswith(".blurfield") and p.stat().st_size > 0 for p in tmp_path.iterdir()):
            break
    job.send_signal(signal.SIGINT)
    _, error = job.communicate(timeout=60)
    assert job.returncode == 130 and error == "blurfield: cancelled\n"
    assert {p.name for p in tmp_path.iterdir()} == {"in.tif", "map.tif"}


@pytest.mark.skipif(b"__asan" in pathlib.Path(BINARY).read_bytes()
                    or b"__tsan" in pathlib.Path(BINARY).read_bytes(),
                    reason="sanitizers need memory of their own")
def test_memory_is_bounded(rng, tmp_path):
    """Image, map and result take 144 MB each."""
    side = 6000
    rows = rng.random((500, side), dtype=np.float32)
    tifffile.imwrite(tmp_path / "in.tif", np.tile(rows, (side // 500, 1)))
    tifffile.imwrite(tmp_path / "map.tif", ramp(0.3, 2, side, side))
    job = subprocess.Popen([BINARY, "blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma-map",
                            tmp_path / "map.tif", "--memory", "100M", "--json"],
                           stdout=subprocess.PIPE, text=True)
    peak = 0
    while job.poll() is None:
        status = pathlib.Path(f"/proc/{job.pid}/status").read_text()
        peak = max([peak, *map(int, re.findall(r"VmHWM:\s*(\d+) kB", status))])
        time.sleep(0.02)
    assert job.returncode == 0
    assert json.loads(job.stdout.read())["bands"] > 10
    assert 60e3 < peak < 180e3
    for name in ("in.tif", "map.tif", "out.tif"):
        (tmp_path / name).unlink()
