# SPDX-License-Identifier: BSD-3-Clause
"""`blurfield estimate`: what it finds, every option, every bad input, and how it is stopped."""
import base64
import csv
import io
import json
import os
import pathlib
import pty
import re
import shlex
import signal
import subprocess
import time

import numpy as np
import pytest
import tifffile
from astropy.io import fits
from conftest import BINARY, run
from PIL import Image

IMAGES = pathlib.Path(__file__).parents[2] / "examples" / "images"
SIDE = 64
MODELS = {"sigma": 1, "uniform": 1, "sigma-yx": 2, "logchol": 3, "mix": 1}


def ramp(low=0.8, high=2.4, side=SIDE):
    return np.tile(np.linspace(low, high, side, dtype=np.float32), (side, 1))


def true_field(model):
    """(H, W) or (H, W, K): what `blurfield blur` takes as a map."""
    if model == "uniform":
        return np.full((SIDE, SIDE), 1.7, np.float32)
    if model == "sigma-yx":
        return np.stack([ramp(), ramp()[:, ::-1]], -1)
    if model == "logchol":
        return np.stack([np.log(ramp()), 0.4 * np.ones_like(ramp()), np.log(ramp().T)], -1)
    return ramp()


def write_map(path, field):
    kind = "rgb" if field.ndim == 3 and field.shape[2] == 3 else "minisblack"
    tifffile.imwrite(path, field.astype(np.float32), photometric=kind,
                     **({"planarconfig": "contig"} if field.ndim == 3 else {}))
    return path


def map_option(model):
    return "--logchol-map" if model == "logchol" else "--sigma-map"


@pytest.fixture
def grey():
    return np.asarray(Image.open(IMAGES / "ascent.png").convert("L"))[100:100 + SIDE, 200:200 + SIDE]


@pytest.fixture
def colour():
    picture = np.asarray(Image.open(IMAGES / "astronaut.png").convert("RGB"))
    return picture[100:100 + SIDE, 180:180 + SIDE]


@pytest.fixture
def pair(ok, grey, tmp_path):
    """pair(model, blur's options...): paths of a sharp image and of its blurred version."""
    def call(model="sigma", *options, sharp="sharp.png", blurred="blurred.png", image=None):
        if not (tmp_path / sharp).exists():
            Image.fromarray(grey if image is None else image).save(tmp_path / sharp)
        field = write_map(tmp_path / "true.tif", true_field(model))
        ok("blur", tmp_path / sharp, tmp_path / blurred, map_option(model), field, "--quiet",
           *options)
        return tmp_path / sharp, tmp_path / blurred
    return call


@pytest.fixture
def estimated(ok_json, tmp_path):
    """estimated(sharp, blurred, option...): the field as an array, and the JSON object."""
    def call(sharp, blurred, *options, out="out.tif"):
        summary = ok_json("estimate", sharp, blurred, tmp_path / out, "--force", *options)
        return tifffile.imread(tmp_path / out), summary
    return call


@pytest.mark.parametrize("model, scatter", [("sigma", False), ("sigma", True), ("uniform", False),
                                            ("sigma-yx", False), ("logchol", False),
                                            ("logchol", True)])
def test_field_feeds_blur(pair, estimated, ok, ok_json, tmp_path, model, scatter):
    manner = ["--scatter"] if scatter else []
    sharp, blurred = pair(model, *manner)
    field, summary = estimated(sharp, blurred, "--model", model,
                               *([] if model == "uniform" else manner))
    assert field.dtype == np.float32
    assert field.shape == (SIDE, SIDE) + ((MODELS[model],) if MODELS[model] > 1 else ())
    ok("blur", sharp, tmp_path / "again.png", map_option(model), tmp_path / "out.tif", *manner)
    quality = ok_json("compare", blurred, tmp_path / "again.png")
    assert quality["psnr"] is None or quality["psnr"] > 50
    assert summary["loss"] < 1e-5 and 0.2 < summary["known"] <= 1


def test_sigma_is_found(pair, estimated, tmp_path):
    field, summary = estimated(*pair(), "--confidence", tmp_path / "confidence.tif")
    confidence = tifffile.imread(tmp_path / "confidence.tif")
    assert confidence.shape == field.shape and confidence.dtype == np.float32
    assert confidence.min() >= 0 and confidence.max() <= 1
    known = confidence >= 0.5
    assert known.mean() == pytest.approx(summary["known"], abs=1e-6) and known.mean() > 0.5
    assert np.median(np.abs(field - ramp())[known] / ramp()[known]) < 0.05
    low, high = np.percentile(field[known], [5, 95])
    assert summary["field"]["sigma"]["percentile_5"] == pytest.approx(low, rel=0.01)
    assert summary["field"]["sigma"]["percentile_95"] == pytest.approx(high, rel=0.01)


def test_uniform_is_one_number_everywhere(pair, estimated):
    field, summary = estimated(*pair("uniform"), "--model", "uniform")
    assert np.all(field == field[0, 0]) and field[0, 0] == pytest.approx(1.7, abs=0.01)
    assert summary["field"]["sigma"]["median"] == pytest.approx(field[0, 0], rel=1e-6)


def test_mix(ok, grey, estimated, tmp_path):
    Image.fromarray(grey).save(tmp_path / "sharp.png")
    weights = {"field": ramp(0.2, 0.8), "scalar": np.full((SIDE, SIDE), 0.6, np.float32)}
    parts = {}
    for sigma in (1, 4):
        ok("blur", tmp_path / "sharp.png", tmp_path / f"{sigma}.tif", "--sigma", sigma,
           "--bit-depth", "32f")
        parts[sigma] = tifffile.imread(tmp_path / f"{sigma}.tif")
    for kind, m in weights.items():
        tifffile.imwrite(tmp_path / f"{kind}.tif", m * parts[1] + (1 - m) * parts[4])
    mix = ["--model", "mix", "--mix-sigmas", 1, 4]
    field, summary = estimated(tmp_path / "sharp.png", tmp_path / "field.tif", *mix)
    assert np.median(np.abs(field - weights["field"])) < 0.02
    assert summary["mix_sigmas"] == [1, 4] and not summary["scalar_weight"]
    field, summary = estimated(tmp_path / "sharp.png", tmp_path / "scalar.tif", *mix,
                               "--scalar-weight")
    assert field.shape == (SIDE, SIDE) and np.ptp(field) == 0
    assert field[0, 0] == pytest.approx(0.6, abs=1e-3)
    assert summary["field"]["weight"]["median"] == pytest.approx(field[0, 0], rel=1e-6)
    field, summary = estimated(tmp_path / "sharp.png", tmp_path / "scalar.tif", "--model", "mix",
                               "--mix-sigmas", 0.7, 5, "--scalar-weight", "--learn-sigmas")
    assert summary["learn_sigmas"]
    assert summary["mix_sigmas"] == pytest.approx([1, 4], abs=0.05)
    assert field[0, 0] == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("options, key, value", [
    (["--prior", "tv"], "prior", "tv"), (["--prior", "none"], "prior", "none"),
    (["--lambda", 20], "lambda", 20), (["--lambda", "auto"], "asked_lambda", "auto"),
    (["--lambda", 0], "lambda", 0),
    (["--noise", 0.01], "asked_noise", 0.01), (["--noise", "auto"], "asked_noise", "auto"),
    (["--method", "lbfgs"], "method", "lbfgs"),
    (["--method", "adamax", "--rate", 0.05], "rate", 0.05),
    (["--max-iter", 2], "iterations", 2), (["--tol", 0.01], "tolerance", 0.01),
    (["--truncate", 3], "truncate", 3), (["--radius", 6], "radius", [6]),
    (["--radius-yx", 5, 6], "radius", [5, 6]), (["--mode", "wrap"], "mode", "wrap"),
    (["--mode", "constant", "--cval", 0.5], "cval", 0.5), (["--max-sigma", 1.5], "max_sigma", 1.5),
    (["--gather"], "scatter", False), (["--scatter"], "scatter", True),
    (["--threads", 1], "threads", 1)])
def test_options(pair, estimated, options, key, value):
    limit = [] if "--max-iter" in options else ["--max-iter", 8]
    field, summary = estimated(*pair(), *options, *limit)
    assert summary[key] == value
    assert np.all(np.isfinite(field)) and field.min() > 0
    if key == "max_sigma":
        assert field.max() <= 1.5 * (1 + 1e-6)


def test_border_and_reach_are_those_of_blur(pair, estimated):
    for i, options in enumerate([["--mode", "constant", "--cval", 0.7], ["--mode", "wrap"],
                                 ["--truncate", 1.5]]):
        sharp, blurred = pair("uniform", *options, blurred=f"{i}.png")
        right = estimated(sharp, blurred, "--model", "uniform", *options)[1]
        wrong = estimated(sharp, blurred, "--model", "uniform")[1]
        assert right["loss"] < 2e-5 and wrong["loss"] > 1.2 * right["loss"]
        assert right["field"]["sigma"]["median"] == pytest.approx(1.7, abs=0.01)


def test_noise_is_on_the_scale_of_the_pixels(pair, estimated, rng, tmp_path):
    sharp, blurred = pair("uniform")
    clean = np.asarray(Image.open(blurred)) / 255.0
    noisy = np.clip(clean + 0.02 * rng.normal(size=clean.shape), 0, 1)
    Image.fromarray(np.round(255 * noisy).astype(np.uint8)).save(tmp_path / "noisy.png")
    found = estimated(sharp, tmp_path / "noisy.png", "--model", "uniform")[1]
    assert found["noise"] == pytest.approx(0.02, rel=0.1)
    rounding = 1 / 255 / 12**0.5
    assert estimated(sharp, blurred, "--model", "uniform")[1]["noise"] >= 0.999 * rounding
    given = estimated(sharp, tmp_path / "noisy.png", "--model", "uniform", "--noise", 0.5)[1]
    assert given["noise"] == 0.5


def test_threads_do_not_change_the_result(pair, estimated):
    sharp, blurred = pair()
    np.testing.assert_array_equal(
        estimated(sharp, blurred, "--threads", 1, "--max-iter", 6)[0],
        estimated(sharp, blurred, "--threads", 2, "--max-iter", 6)[0])


def test_kinds_of_images(pair, estimated, ok, colour, grey, tmp_path):
    sharp, blurred = pair(image=colour, sharp="colour.png", blurred="colour-b.png")
    field, summary = estimated(sharp, blurred)
    assert field.shape == (SIDE, SIDE) and summary["channels"] == 3
    assert np.median(np.abs(field / ramp() - 1)) < 0.05

    deep = grey.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "deep.tif", deep)
    sharp, blurred = pair(sharp="deep.tif", blurred="deep-b.tif")
    field, summary = estimated(sharp, blurred)
    assert summary["in_type"] == summary["blurred_type"] == "uint16" and field.dtype == np.float32
    assert np.median(np.abs(field / ramp() - 1)) < 0.03

    tifffile.imwrite(tmp_path / "double.tif", grey / 255.0)
    sharp, blurred = pair("uniform", sharp="double.tif", blurred="double-b.tif")
    field, summary = estimated(sharp, blurred, "--model", "uniform")
    assert field.dtype == np.float64 and summary["out_type"] == "float64"
    assert field[0, 0] == pytest.approx(1.7, abs=1e-6)


def test_fits_keeps_values_and_feeds_blur(ok, ok_json, grey, tmp_path):
    fits.writeto(tmp_path / "sharp.fits", 40.0 + 16.0 * grey.astype(np.float32))
    write_map(tmp_path / "true.tif", ramp())
    ok("blur", tmp_path / "sharp.fits", tmp_path / "blurred.fits", "--sigma-map",
       tmp_path / "true.tif")
    summary = ok_json("estimate", tmp_path / "sharp.fits", tmp_path / "blurred.fits",
                      tmp_path / "out.fits", "--confidence", tmp_path / "confidence.fits",
                      "--noise", 2)
    assert summary["noise"] == 2
    assert fits.getdata(tmp_path / "out.fits").shape == (SIDE, SIDE)
    assert fits.getdata(tmp_path / "confidence.fits").max() <= 1
    ok("blur", tmp_path / "sharp.fits", tmp_path / "again.fits", "--sigma-map",
       tmp_path / "out.fits")
    difference = fits.getdata(tmp_path / "again.fits") - fits.getdata(tmp_path / "blurred.fits")
    assert np.sqrt(np.mean(difference**2)) < 4


def test_pages_share_one_field(ok, grey, estimated, tmp_path):
    stack = np.stack([grey, grey[::-1].copy()])
    tifffile.imwrite(tmp_path / "stack.tif", stack, photometric="minisblack")
    write_map(tmp_path / "true.tif", ramp())
    ok("blur", tmp_path / "stack.tif", tmp_path / "stack-b.tif", "--sigma-map",
       tmp_path / "true.tif")
    field, summary = estimated(tmp_path / "stack.tif", tmp_path / "stack-b.tif")
    assert field.shape == (SIDE, SIDE) and summary["pages"] == 2
    assert np.median(np.abs(field / ramp() - 1)) < 0.05


def test_linear_light(pair, estimated):
    sharp, blurred = pair("uniform", "--linear-light")
    light = estimated(sharp, blurred, "--model", "uniform", "--linear-light")[1]
    numbers = estimated(sharp, blurred, "--model", "uniform")[1]
    assert light["linear_light"] and light["loss"] < 0.2 * numbers["loss"]
    assert light["field"]["sigma"]["median"] == pytest.approx(1.7, abs=0.01)


def test_masked_pixels_do_no_harm(pair, ok, fails, grey, estimated, tmp_path):
    tifffile.imwrite(tmp_path / "sharp.tif", grey / np.float32(255))
    sharp, blurred = pair("uniform", sharp="sharp.tif", blurred="blurred.tif")
    broken, soft = tifffile.imread(sharp), tifffile.imread(blurred)
    broken[20, 30] = np.nan
    soft[40:50, 10:20] = 5
    soft[3, 4] = np.inf
    tifffile.imwrite(tmp_path / "broken.tif", broken)
    tifffile.imwrite(tmp_path / "soft.tif", soft)
    good = np.full((SIDE, SIDE), 255, np.uint8)
    good[40:50, 10:20] = 0
    Image.fromarray(good).save(tmp_path / "good.png")
    line = fails("estimate", tmp_path / "broken.tif", blurred, tmp_path / "x.tif")
    assert "broken.tif" in line and "(20, 30)" in line and "--mask" in line
    line = fails("estimate", sharp, tmp_path / "soft.tif", tmp_path / "x.tif")
    assert "soft.tif" in line and "(3, 4)" in line
    field, summary = estimated(tmp_path / "broken.tif", tmp_path / "soft.tif", "--model",
                               "uniform", "--mask", tmp_path / "good.png")
    assert field[0, 0] == pytest.approx(1.7, abs=0.01)
    assert summary["mask"] == str(tmp_path / "good.png")
    # A field too: near the truth, also under the mask.
    field, summary = estimated(tmp_path / "broken.tif", tmp_path / "soft.tif", "--mask",
                               tmp_path / "good.png", "--max-iter", 40)
    assert np.all(np.isfinite(field)) and np.abs(np.median(field) - 1.7) < 0.05
    assert np.abs(field[40:50, 10:20] - 1.7).max() < 0.3


def test_mask_must_leave_something(pair, fails, tmp_path):
    sharp, blurred = pair()
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(tmp_path / "none.png")
    line = fails("estimate", sharp, blurred, tmp_path / "x.tif", "--mask", tmp_path / "none.png")
    assert "sharp.png" in line and "blurred.png" in line and "got none" in line
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(tmp_path / "small.png")
    line = fails("estimate", sharp, blurred, tmp_path / "x.tif", "--mask", tmp_path / "small.png")
    assert "small.png" in line and "64 x 64" in line and "8 x 9" in line


def test_alpha_is_not_used_and_what_is_not_opaque_is_masked(pair, estimated, colour, tmp_path):
    sharp, blurred = pair("uniform", image=colour)
    alpha = np.full((SIDE, SIDE, 1), 255, np.uint8)
    alpha[:, :10] = 100
    scene = np.concatenate([colour, alpha], -1)
    scene[:, :10, :3] = 255 - scene[:, :10, :3]
    Image.fromarray(scene).save(tmp_path / "alpha.png")
    field, summary = estimated(tmp_path / "alpha.png", blurred, "--model", "uniform")
    assert summary["channels"] == 3
    assert field[0, 0] == pytest.approx(1.7, abs=0.05)


@pytest.mark.parametrize("height, width", [(1, 1), (1, 2), (2, 2), (3, 3), (1, 9), (9, 1), (1, 64),
                                           (5, 7)])
@pytest.mark.parametrize("model", MODELS)
def test_tiny_images(ok, rng, tmp_path, height, width, model):
    tifffile.imwrite(tmp_path / "sharp.tif", rng.random((height, width), dtype=np.float32))
    ok("blur", tmp_path / "sharp.tif", tmp_path / "blurred.tif", "--sigma", 0.9)
    done = run("estimate", tmp_path / "sharp.tif", tmp_path / "blurred.tif", tmp_path / "out.tif",
               "--model", model, "--confidence", tmp_path / "c.tif", "--report",
               tmp_path / "page.html", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    field = tifffile.imread(tmp_path / "out.tif")
    assert np.all(np.isfinite(field)) and field.size == MODELS[model] * height * width
    assert 0 <= summary["known"] <= 1
    if model == "uniform" and height * width > 1:
        assert field.flat[0] == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("model", MODELS)
def test_constant_images_tell_nothing(ok, estimated, tmp_path, model):
    tifffile.imwrite(tmp_path / "sharp.tif", np.full((20, 24), 0.5, np.float32))
    ok("blur", tmp_path / "sharp.tif", tmp_path / "blurred.tif", "--sigma", 2)
    image = tifffile.imread(tmp_path / "blurred.tif")
    image[0, 0] += 1e-5  # not identical
    tifffile.imwrite(tmp_path / "blurred.tif", image)
    field, summary = estimated(tmp_path / "sharp.tif", tmp_path / "blurred.tif", "--model", model,
                               "--confidence", tmp_path / "c.tif")
    assert np.all(np.isfinite(field))
    assert summary["known"] == 0 and tifffile.imread(tmp_path / "c.tif").max() < 0.01


def test_identical_images_are_a_warning(pair, tmp_path):
    sharp, _ = pair()
    done = run("estimate", sharp, sharp, tmp_path / "out.tif", "--json")
    assert done.returncode == 0
    assert done.stderr.startswith("blurfield: warning: ") and done.stderr.count("\n") == 1
    assert "are identical: no blur to estimate" in done.stderr
    assert json.loads(done.stdout)["warnings"] == [done.stderr[len("blurfield: warning: "):-1]]
    assert np.median(tifffile.imread(tmp_path / "out.tif")) < 0.35


def test_another_brightness_is_a_warning(pair, grey, tmp_path):
    sharp, blurred = pair()
    Image.fromarray((0.6 * np.asarray(Image.open(blurred))).astype(np.uint8)).save(
        tmp_path / "dark.png")
    done = run("estimate", sharp, tmp_path / "dark.png", tmp_path / "out.tif", "--model", "uniform")
    assert done.returncode == 0 and done.stderr.count("\n") == 1
    assert "dark.png" in done.stderr and "a blur keeps brightness" in done.stderr


def test_text_summary(pair, ok, tmp_path):
    sharp, blurred = pair()
    text = ok("estimate", sharp, blurred, tmp_path / "out.tif")
    assert text.count("\n") == 3
    assert re.search(r"out\.tif: sigma [\d.]+\.\.[\d.]+ px .*known: \d+ %", text)
    assert "(auto)" in text and "of gauss-newton, until " in text
    assert ok("estimate", sharp, blurred, tmp_path / "quiet.tif", "--quiet") == ""
    text = ok("estimate", sharp, blurred, tmp_path / "one.tif", "--model", "uniform")
    assert re.search(r"one\.tif: sigma [\d.]+ px, known", text)
    text = ok("estimate", sharp, blurred, tmp_path / "mix.tif", "--model", "mix", "--lambda", 5)
    assert "of sigmas 1 and 5 px" in text and "lambda 5 (given)" in text


def test_json(pair, estimated, tmp_path):
    sharp, blurred = pair()
    summary = estimated(sharp, blurred, "--trace", tmp_path / "t.csv")[1]
    assert summary["command"] == "estimate" and summary["model"] == "sigma"
    assert summary["sharp"] == str(sharp) and summary["blurred"] == str(blurred)
    assert summary["out"] == str(tmp_path / "out.tif") and str(sharp) in summary["line"]
    assert (summary["height"], summary["width"], summary["channels"]) == (SIDE, SIDE, 1)
    assert summary["stop"] in ("change", "gradient", "no descent", "no_descent", "iterations")
    assert summary["warnings"] == [] and summary["max_iterations"] == 100
    assert summary["trace"][-1]["iteration"] == summary["iterations"] > 0
    assert summary["loss"] < summary["trace"][0]["loss"]
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["iteration", "loss", "value", "lambda", "gradient_norm", "step",
                             "seconds"]
    assert len(rows) == len(summary["trace"])
    for row, step in zip(rows, summary["trace"]):
        assert float(row["loss"]) == pytest.approx(step["loss"], rel=1e-6)
        assert int(row["iteration"]) == step["iteration"]


@pytest.mark.parametrize("name", ["c.png", "c.jpg", "c.webp", "c.tif", "c.fits"])
def test_confidence_in_any_format(pair, ok, tmp_path, name):
    ok("estimate", *pair(), tmp_path / "out.tif", "--confidence", tmp_path / name, "--max-iter", 3)
    if name == "c.fits":
        values = fits.getdata(tmp_path / name)
    elif name == "c.tif":
        values = tifffile.imread(tmp_path / name)
    else:
        values = np.asarray(Image.open(tmp_path / name).convert("L")) / 255
    assert values.shape == (SIDE, SIDE) and 0 <= values.min() and 0.5 < values.max() <= 1


def pictures(page):
    found = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


@pytest.mark.parametrize("model", MODELS)
def test_report(pair, ok, tmp_path, model):
    sharp, blurred = pair()
    ok("estimate", sharp, blurred, tmp_path / "out.tif", "--model", model, "--max-iter", 12,
       "--report", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    shown = pictures(page)
    # Sharp, blurred, explained, residual; the field; the confidence.
    assert len(shown) == 4 + (2 if model == "sigma-yx" else 1) + 1
    np.testing.assert_array_equal(shown[0].squeeze(), np.asarray(Image.open(sharp)))
    np.testing.assert_array_equal(shown[1].squeeze(), np.asarray(Image.open(blurred)))
    assert np.abs(shown[2].astype(int).squeeze() - shown[1].squeeze()).mean() < 3
    assert (page.count("<ellipse") > 50) == (model == "logchol")
    assert ">loss</text>" in page and "<span>1 </span>" in page
    for outside in ("<script", "src=\"http", "href=\"http", "url("):
        assert outside not in page
    import html
    command = html.unescape(re.search(r"<pre><code>(.*?)</code></pre>", page, re.S)[1])
    assert shlex.split(command)[:2] == [BINARY, "estimate"]


@pytest.mark.parametrize("options", [
    ["--model", "blob"], ["--prior", "l1"], ["--method", "newton"], ["--mode", "bounce"],
    ["--lambda", "-1"], ["--lambda", "much"], ["--lambda", "nan"], ["--noise", "0"],
    ["--noise", "loud"], ["--max-iter", "0"], ["--max-iter", "x"], ["--tol", "-1"],
    ["--rate", "0.1"], ["--method", "adamax", "--rate", "0"], ["--cval", "1"],
    ["--truncate", "0"], ["--radius", "-1"], ["--radius", "1", "--radius-yx", "1", "2"],
    ["--max-sigma", "0"], ["--model", "mix", "--max-sigma", "3"],
    ["--mix-sigmas", "1", "2"], ["--learn-sigmas"], ["--scalar-weight"],
    ["--model", "mix", "--mix-sigmas", "2", "1"], ["--model", "mix", "--mix-sigmas", "-1", "1"],
    ["--model", "mix", "--scatter"], ["--model", "uniform", "--scatter"],
    ["--scatter", "--gather"], ["--model", "uniform", "--prior", "tv"],
    ["--model", "uniform", "--lambda", "1"], ["--prior", "none", "--lambda", "1"],
    ["--model", "mix", "--scalar-weight", "--lambda", "1"], ["--threads", "0"],
    ["--confidence", "OUT.tif"], ["--confidence", "./OUT.tif"], ["--trace", "OUT.tif"],
    ["--report", "SHARP"], ["--trace", "BLURRED"], ["--mask", "M", "--report", "M"],
    ["--confidence", "C", "--report", "C"], ["--trace", "C", "--report", "C"], ["EXTRA"]])
def test_wrong_usage(fails, options):
    assert "estimate --help" in fails("estimate", "SHARP", "BLURRED", "OUT.tif", *options, code=2)


def test_missing_positionals_and_out_as_input(fails):
    for files in ([], ["SHARP"], ["SHARP", "BLURRED"], ["A", "B", "A"], ["A", "B", "./B"]):
        assert "--help" in fails("estimate", *files, code=2)


def test_help_teaches(ok):
    text = ok("estimate", "--help")
    assert "Usage: blurfield" in text and "Examples:" in text
    assert text.count("blurfield estimate ") >= 5 and max(map(len, text.splitlines())) < 125


def test_sizes_channels_and_pages_must_agree(fails, pair, grey, colour, tmp_path):
    sharp, blurred = pair()
    before = sorted(tmp_path.rglob("*"))
    def rejected(a, b):
        line = fails("estimate", a, b, tmp_path / "out.tif")
        assert pathlib.Path(a).name in line and pathlib.Path(b).name in line
        return line
    Image.fromarray(grey[:-3]).save(tmp_path / "lower.png")
    line = rejected(sharp, tmp_path / "lower.png")
    assert "64 x 64" in line and "61 x 64" in line
    Image.fromarray(colour).save(tmp_path / "colour.png")
    line = rejected(sharp, tmp_path / "colour.png")
    assert "1 channel" in line and "3 channel" in line
    line = rejected(tmp_path / "colour.png", sharp)
    assert "1 channel" in line and "3 channel" in line
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([grey, grey]), photometric="minisblack")
    assert "2 page" in rejected(tmp_path / "stack.tif", blurred)
    assert "2 page" in rejected(sharp, tmp_path / "stack.tif")
    assert "none.png" in fails("estimate", sharp, tmp_path / "none.png", tmp_path / "out.tif")
    assert "none.png" in fails("estimate", tmp_path / "none.png", sharp, tmp_path / "out.tif")
    new = {"lower.png", "colour.png", "stack.tif"}
    assert {p.name for p in set(tmp_path.rglob("*")) - set(before)} == new


def test_outputs_are_checked_before_the_work(fails, pair, ok, tmp_path):
    sharp, blurred = pair()
    slow = ["--tol", 0, "--max-iter", 100000]
    def rejected(*options, out="out.tif"):
        line = fails("estimate", sharp, blurred, tmp_path / out, *options, *slow, timeout=20)
        assert not (tmp_path / "out.tif").exists()
        return line
    for name in ("out.png", "out.jpg"):
        line = rejected(out=name)
        assert name in line and "float32" in line and ".tif" in line
    assert "unknown extension" in rejected(out="out.xyz")
    assert "none" in rejected(out="none/out.tif")
    for option, name in (("--confidence", "c.png"), ("--trace", "t.csv"), ("--report", "r.html")):
        assert f"none/{name}" in rejected(option, tmp_path / "none" / name)
        (tmp_path / name).write_bytes(b"precious")
        line = rejected(option, tmp_path / name)
        assert name in line and "exists" in line and "--force" in line
        assert (tmp_path / name).read_bytes() == b"precious"
    assert "c.xyz" in rejected("--confidence", tmp_path / "c.xyz")
    (tmp_path / "there.tif").write_bytes(b"precious")
    assert "--force" in rejected(out="there.tif")
    ok("estimate", sharp, blurred, tmp_path / "there.tif", "--force", "--max-iter", 1)
    assert tifffile.imread(tmp_path / "there.tif").shape == (SIDE, SIDE)


def test_full_disk(fails, pair, tmp_path):
    sharp, blurred = pair()
    (tmp_path / "full.tif").symlink_to("/dev/full")
    assert "full.tif" in fails("estimate", sharp, blurred, tmp_path / "full.tif", "--force",
                               "--model", "uniform")


def test_linear_light_wants_integers(fails, grey, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", grey / np.float32(255))
    tifffile.imwrite(tmp_path / "b.tif", grey / np.float32(255))
    line = fails("estimate", tmp_path / "a.tif", tmp_path / "b.tif", tmp_path / "out.tif",
                 "--linear-light")
    assert "a.tif" in line and "--linear-light" in line


@pytest.fixture
def endless(ok, tmp_path):
    """Arguments of an estimate that does not end by itself."""
    ok("blur", IMAGES / "ascent.png", tmp_path / "blurred.tif", "--sigma", 2, "--bit-depth", "32f")
    return ["estimate", IMAGES / "ascent.png", tmp_path / "blurred.tif", tmp_path / "out.tif",
            "--tol", 0, "--max-iter", 1000000, "--method", "adamax", "--lambda", 10]


@pytest.mark.parametrize("stop, quiet", [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_stopping_saves_the_best_field_so_far(endless, ok, tmp_path, stop, quiet):
    process = subprocess.Popen(
        [BINARY, *map(str, endless), "--confidence", tmp_path / "c.png", "--trace",
         tmp_path / "t.csv", "--report", tmp_path / "r.html", "--quiet" if quiet else "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    assert process.poll() is None
    process.send_signal(stop)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + stop
    assert err.startswith("blurfield: cancelled after ") and err.count("\n") == 1
    assert "out.tif holds the best field so far" in err
    field = tifffile.imread(tmp_path / "out.tif")
    assert field.shape == (512, 512) and np.all(field > 0)
    assert Image.open(tmp_path / "c.png").size == (512, 512)
    assert "cancelled" in (tmp_path / "r.html").read_text()
    rows = (tmp_path / "t.csv").read_text().splitlines()
    assert len(rows) > 2
    if quiet:
        assert out == ""
    else:
        summary = json.loads(out)
        assert summary["stop"] == "cancelled" and summary["iterations"] > 0
        assert summary["loss"] < summary["trace"][0]["loss"]
    ok("blur", IMAGES / "ascent.png", tmp_path / "again.tif", "--sigma-map", tmp_path / "out.tif")


def test_progress_tells_the_loss_on_a_terminal(endless):
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BINARY, *map(str, endless)], stdout=subprocess.DEVNULL,
                               stderr=theirs)
    os.close(theirs)
    time.sleep(3)
    process.terminate()
    text = b""
    try:
        while chunk := os.read(ours, 4096):
            text += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    process.wait()
    assert re.search(rb"estimate \[.*iteration \d+ of at most 1000000, loss [\d.e-]+, \d+ s", text)
