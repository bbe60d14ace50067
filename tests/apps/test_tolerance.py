# SPDX-License-Identifier: BSD-3-Clause
"""--tolerance: what blurs cost, how far they are off, and what commands tell of it."""
import json

import numpy as np
import pytest
import tifffile
from PIL import Image

SIDE = 200


@pytest.fixture
def photo(rng, tmp_path):
    pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def scene(rng, tmp_path):
    tifffile.imwrite(tmp_path / "scene.tif", rng.uniform(-1, 1, (SIDE, SIDE)).astype(np.float32))
    return tmp_path / "scene.tif"


@pytest.fixture
def field(tmp_path):
    """field(low, high): a map of sigmas that grow from left to right."""
    def make(low, high):
        sigma = np.tile(np.geomspace(low, high, SIDE, dtype=np.float32), (SIDE, 1))
        tifffile.imwrite(tmp_path / "map.tif", sigma)
        return tmp_path / "map.tif"
    return make


@pytest.fixture
def told(ok, tmp_path):
    """told(in, option...): the summary of a blur; its result is in out.tif."""
    def call(source, *options):
        return json.loads(ok("blur", source, tmp_path / "out.tif", "--force", "--json", *options))
    return call


KINDS = {"sigma": ["--sigma", 12], "cov": ["--cov", 90, 40, 60], "map": ["--sigma-map", "MAP"],
         "scatter": ["--sigma-map", "MAP", "--scatter"]}


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-5])
@pytest.mark.parametrize("kind", KINDS)
def test_the_result_is_within_the_tolerance(scene, field, told, tmp_path, kind, tolerance):
    options = [field(2, 12) if o == "MAP" else o for o in KINDS[kind]]
    exact = told(scene, *options, "--tolerance", 0, "--truncate", 8)
    assert exact["tolerance"] == 0 and exact["exact"] == 1 and exact["why"] == "asked for"
    reference = tifffile.imread(tmp_path / "out.tif")
    summary = told(scene, *options, "--tolerance", tolerance)
    error = np.abs(tifffile.imread(tmp_path / "out.tif") - reference).max()
    assert summary["tolerance"] == tolerance
    assert error <= summary["error_bound"] + 2e-6 and summary["error_bound"] <= tolerance
    assert summary["exact"] + summary["stack"] + summary["residual"] == pytest.approx(1)


def test_what_was_done_is_told(scene, field, told, ok, tmp_path):
    sigmas = field(8, 14)
    summary = told(scene, "--sigma-map", sigmas, "--tolerance", 1e-3)
    assert summary["stack"] > 0.5 and summary["steps"] and min(summary["steps"]) > 1
    assert summary["nodes"] >= 2 and summary["blur_bytes"] > 0
    assert not summary["truncated"] and summary["why"] == "asked for"
    text = ok("blur", scene, tmp_path / "out.tif", "--sigma-map", sigmas, "--tolerance", 1e-3,
              "--force", "--report", tmp_path / "page.html")
    assert "tolerance 0.001 (asked for)" in text and "stack" in text and "levels of step" in text
    page = (tmp_path / "page.html").read_text()
    for words in ("tolerance 0.001 (asked for)", "levels, pixels between samples",
                  "weights off by at most", "blurs per tile, mean", "memory of the blur, MB"):
        assert words in page


def test_eight_bits_get_a_tolerance_where_it_pays(photo, field, told):
    wide = told(photo, "--sigma-map", field(8, 14))
    assert wide["tolerance"] == 1e-3 and wide["stack"] > 0
    assert "8-bit" in wide["why"] and "times faster" in wide["why"]
    narrow = told(photo, "--sigma", 0.6)
    assert narrow["tolerance"] == 0 and narrow["exact"] == 1 and "less than twice" in narrow["why"]
    assert told(photo, "--sigma-map", field(8, 14), "--linear-light")["tolerance"] == 1e-4
    assert told(photo, "--sigma-map", field(8, 14), "--bit-depth", 16)["tolerance"] == 0
    assert told(photo, "--sigma-map", field(8, 14), "--tolerance", 0)["why"] == "asked for"


def test_it_cannot_be_seen_in_eight_bits(photo, field, told, tmp_path):
    for options in ([], ["--linear-light"]):
        results = []
        for tolerance in ([], ["--tolerance", 0, "--truncate", 8]):
            told(photo, "--sigma-map", field(8, 14), *options, *tolerance)
            results.append(tifffile.imread(tmp_path / "out.tif").astype(int))
        assert np.abs(results[0] - results[1]).max() <= 1


def test_other_samples_and_masks_are_exact_unless_asked(scene, photo, field, told, tmp_path):
    sigmas = field(8, 14)
    summary = told(scene, "--sigma-map", sigmas)
    assert summary["tolerance"] == 0 and "float32" in summary["why"]
    Image.fromarray(np.full((SIDE, SIDE), 200, np.uint8)).save(tmp_path / "mask.png")
    summary = told(photo, "--sigma-map", sigmas, "--mask", tmp_path / "mask.png")
    assert summary["tolerance"] == 0 and "--mask" in summary["why"]
    summary = told(photo, "--sigma-map", sigmas, "--mask", tmp_path / "mask.png", "--tolerance", 1e-3)
    assert summary["tolerance"] == 1e-3 and summary["stack"] > 0


def test_pixels_out_of_reach_of_weights_keep_their_values(scene, told, tmp_path):
    image = tifffile.imread(scene)
    weights = np.zeros((SIDE, SIDE), np.uint8)
    weights[:, :20] = 255
    Image.fromarray(weights).save(tmp_path / "mask.png")
    told(scene, "--sigma", 8, "--mask", tmp_path / "mask.png", "--tolerance", 1e-3)
    out = tifffile.imread(tmp_path / "out.tif")
    np.testing.assert_array_equal(out[:, 80:], image[:, 80:])
    assert np.abs(out[:, :20]).max() < 0.5


def test_a_truncation_that_costs_more_is_what_is_wanted(photo, scene, field, told, ok, tmp_path):
    sigmas = field(8, 14)
    for cut in (["--truncate", 2], ["--radius", 9]):
        exact = told(scene, "--sigma-map", sigmas, *cut, "--tolerance", 0)
        expected = tifffile.imread(tmp_path / "out.tif")
        summary = told(scene, "--sigma-map", sigmas, *cut, "--tolerance", 1e-3)
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), expected)
        assert summary["truncated"] and summary["exact"] == 1 and not exact["truncated"]
        assert "costs more than the tolerance" in summary["why"]
        assert "costs more" in told(photo, "--sigma-map", sigmas, *cut)["why"]
    wide = told(scene, "--sigma-map", sigmas, "--truncate", 5, "--tolerance", 1e-2)
    assert not wide["truncated"] and wide["stack"] > 0


def test_a_slow_blur_points_to_the_tolerance(fails, ok, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", np.zeros((1200, 1200), np.float32))
    tifffile.imwrite(tmp_path / "map.tif", np.full((1200, 1200), 600, np.float32))
    line = fails("blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma-map",
                 tmp_path / "map.tif")
    assert "--tolerance 1e-3" in line and "--force-slow" in line
    ok("blur", tmp_path / "in.tif", tmp_path / "out.tif", "--sigma-map", tmp_path / "map.tif",
       "--tolerance", 1e-3)


@pytest.mark.parametrize("command", [["blur", "A", "OUT"], ["estimate", "A", "B", "OUT"],
                                     ["deblur", "A", "OUT"]])
@pytest.mark.parametrize("value", ["-1e-3", "1", "2", "nan", "inf", "little", "", "1e-3x"])
def test_tolerances_that_are_none(fails, command, value):
    sigma = [] if command[0] == "estimate" else ["--sigma", 2]
    line = fails(*command, *sigma, "--tolerance", value, code=2)
    assert "--tolerance" in line and "number" in line


@pytest.mark.parametrize("command", ["blur", "estimate", "deblur"])
def test_help_tells_of_the_tolerance(ok, command):
    text = ok(command, "--help")
    assert "--tolerance E" in text and "default" in text[text.index("--tolerance E"):][:500]
