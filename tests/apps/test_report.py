# SPDX-License-Identifier: BSD-3-Clause
"""The page of `blurfield blur --report`."""
import base64
import io
import re
import shlex
import subprocess

import numpy as np
import pytest
import tifffile
from conftest import BINARY
from PIL import Image


@pytest.fixture
def photo(rng, tmp_path):
    image = rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "it's in.png")
    return tmp_path / "it's in.png"


def pictures(page):
    found = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def test_page_shows_input_map_result_and_crops(ok, photo, tmp_path):
    sigmas = np.tile(np.linspace(0.5, 6, 50, dtype=np.float32), (40, 1))
    tifffile.imwrite(tmp_path / "map.tif", sigmas)
    ok("blur", photo, tmp_path / "out.png", "--sigma-map", tmp_path / "map.tif",
       "--report", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    before, field, after, *crops = pictures(page)
    np.testing.assert_array_equal(before, np.asarray(Image.open(photo)))
    np.testing.assert_array_equal(after, np.asarray(Image.open(tmp_path / "out.png")))
    assert tuple(field[0, 0]) == (0x44, 0x01, 0x54) and tuple(field[0, -1]) == (0xfd, 0xe7, 0x25)
    assert len(crops) == 2
    assert "<span>0.5</span>" in page and "<span>6 px</span>" in page
    assert "megapixels per second" in page
    for outside in ("<script", "src=\"http", "href=\"http", "url("):
        assert outside not in page


def test_command_on_the_page_repeats_the_job(ok, photo, tmp_path):
    ok("blur", photo, tmp_path / "out.png", "--sigma", 2, "--report", tmp_path / "page.html")
    import html
    command = html.unescape(re.search(r"<pre><code>(.*?)</code></pre>",
                                      (tmp_path / "page.html").read_text(), re.S)[1])
    assert shlex.split(command)[0] == BINARY
    first = (tmp_path / "out.png").read_bytes()
    (tmp_path / "out.png").unlink()
    (tmp_path / "page.html").unlink()
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "out.png").read_bytes() == first


def test_covariance_is_drawn_as_ellipses(ok, photo, tmp_path):
    field = np.zeros((40, 50, 3), np.float32)
    field[..., 0] = np.linspace(0, 1, 50)
    tifffile.imwrite(tmp_path / "map.tif", field, photometric="rgb")
    ok("blur", photo, tmp_path / "out.png", "--logchol-map", tmp_path / "map.tif",
       "--report", tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text().count("<ellipse") > 100


@pytest.mark.parametrize("kind", ["grey", "rgba", "float with nan", "two channels", "pages"])
def test_every_kind_of_image_has_a_page(ok, rng, tmp_path, kind):
    options = []
    path = tmp_path / "in.tif"
    if kind == "grey":
        tifffile.imwrite(path, rng.integers(0, 65535, (20, 30), dtype=np.uint16))
    elif kind == "rgba":
        tifffile.imwrite(path, rng.integers(0, 255, (20, 30, 4), dtype=np.uint8),
                         photometric="rgb", extrasamples=["unassalpha"])
    elif kind == "float with nan":
        image = 1000 * rng.normal(size=(20, 30)).astype(np.float32)
        image[3, 4] = np.nan
        tifffile.imwrite(path, image)
        Image.fromarray(np.full((20, 30), 255, np.uint8)).save(tmp_path / "mask.png")
        options = ["--mask", tmp_path / "mask.png"]
    elif kind == "two channels":
        tifffile.imwrite(path, rng.random((20, 30, 2), dtype=np.float32),
                         photometric="minisblack", planarconfig="contig", extrasamples=[0])
    else:
        with tifffile.TiffWriter(path) as writer:
            for _ in range(2):
                writer.write(rng.random((20, 30), dtype=np.float32), contiguous=False,
                             metadata=None)
    ok("blur", path, tmp_path / "out.tif", "--sigma", 2, *options,
       "--report", tmp_path / "page.html")
    assert len(pictures((tmp_path / "page.html").read_text())) == 4


def test_existing_report_needs_force(fails, ok, photo, tmp_path):
    (tmp_path / "page.html").write_text("precious")
    line = fails("blur", photo, tmp_path / "out.png", "--sigma", 1, "--report",
                 tmp_path / "page.html")
    assert "page.html" in line and "--force" in line
    assert not (tmp_path / "out.png").exists()
    ok("blur", photo, tmp_path / "out.png", "--sigma", 1, "--report", tmp_path / "page.html",
       "--force")
    assert "<html" in (tmp_path / "page.html").read_text()
