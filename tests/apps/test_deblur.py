# SPDX-License-Identifier: BSD-3-Clause
"""`blurfield deblur`: what it gives back, every option, every bad input, and how it is stopped."""
import base64
import csv
import html
import io
import json
import math
import os
import pathlib
import pty
import re
import resource
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
from twin import correlate, scatter

IMAGES = pathlib.Path(__file__).parents[2] / "examples" / "images"
SIDE = 64
MARGIN = 16  # of the scene around what the frame shows
METHODS = ["auto", "wiener", "tikhonov", "rl", "tv", "fista", "lbfgs", "newton-cg"]


@pytest.fixture
def ok():
    """As elsewhere, but many of these images were not blurred as told: of that it may warn."""
    def call(*arguments, **options):
        done = run(*arguments, **options)
        assert done.returncode == 0, done.stderr
        assert all(line.startswith("blurfield: warning: ") for line in done.stderr.splitlines())
        return done.stdout
    return call


@pytest.fixture(scope="module")
def scene():
    picture = np.asarray(Image.open(IMAGES / "ascent.png").convert("L"))
    return picture[84:84 + SIDE + 2 * MARGIN, 184:184 + SIDE + 2 * MARGIN] / 255.0


@pytest.fixture(scope="module")
def colours():
    picture = np.asarray(Image.open(IMAGES / "astronaut.png").convert("RGB"))
    return picture[84:84 + SIDE + 2 * MARGIN, 164:164 + SIDE + 2 * MARGIN] / 255.0


def frame_of(scene):
    return scene[MARGIN:-MARGIN, MARGIN:-MARGIN]


def gauss(sigma, radius=None):
    r = radius or math.floor(4 * sigma + 0.5)
    g = np.exp(-np.arange(-r, r + 1)**2 / (2 * sigma**2))
    return np.outer(g, g) / g.sum()**2


def lopsided():
    """A path that no mirror image of it could replace, its centre of mass off the middle."""
    psf = np.zeros((7, 11))
    psf[3, 5:11] = [5, 5, 4, 3, 2, 1]
    psf[0:3, 5] = [1, 2, 3]
    return psf / psf.sum()


def through(scene, psf):
    """What a lens with that PSF records of the scene, its margin included."""
    full = correlate(scene, psf, output="valid", convolve=True)
    cut = [(n - SIDE) // 2 for n in full.shape[:2]]
    return full[cut[0]:cut[0] + SIDE, cut[1]:cut[1] + SIDE]


def bytes_of(image):
    return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)


def psnr(a, b, white=1.0):
    rms = np.sqrt(np.mean((np.asarray(a, float) - b)**2))
    return 20 * math.log10(white / rms) if rms > 0 else math.inf


@pytest.fixture
def soft(scene, tmp_path):
    """Paths of a photograph blurred by gauss(1.5), of its PSF, and of the sharp frame."""
    Image.fromarray(bytes_of(through(scene, gauss(1.5)))).save(tmp_path / "soft.png")
    Image.fromarray(bytes_of(frame_of(scene))).save(tmp_path / "sharp.png")
    np.save(tmp_path / "psf.npy", gauss(1.5))
    return tmp_path / "soft.png", tmp_path / "psf.npy", tmp_path / "sharp.png"


@pytest.fixture
def deblurred(ok_json, tmp_path):
    """deblurred(in, option...): OUT as an array, and the JSON object."""
    def call(image, *options, out="out.png"):
        summary = ok_json("deblur", image, tmp_path / out, "--force", *options)
        path = tmp_path / out
        if out.endswith(".fits"):
            return fits.getdata(path), summary
        return (tifffile.imread(path) if out.endswith(".tif") else np.asarray(Image.open(path)),
                summary)
    return call


def read8(path):
    return np.asarray(Image.open(path)) / 255.0


@pytest.mark.parametrize("method", METHODS)
def test_every_method_comes_nearer(soft, deblurred, method):
    image, psf, sharp = soft
    out, summary = deblurred(image, "--psf", psf, "--method", method, "--reference", sharp)
    assert out.dtype == np.uint8 and out.shape == (SIDE, SIDE)
    assert summary["asked_method"] == method
    assert summary["method"] == ("lbfgs" if method == "auto" else method)
    gain = psnr(out / 255, read8(sharp)) - psnr(read8(image), read8(sharp))
    assert gain > {"wiener": 0.3, "rl": 0.5}.get(method, 1.0)
    assert summary["after"]["psnr"] - summary["before"]["psnr"] == pytest.approx(gain, abs=0.1)
    assert summary["after"]["ssim"] > summary["before"]["ssim"]


def test_auto_needs_nothing_but_the_blur(scene, deblurred, rng, tmp_path):
    noisy = through(scene, gauss(1.5)) + 0.01 * rng.normal(size=(SIDE, SIDE))
    Image.fromarray(bytes_of(noisy)).save(tmp_path / "noisy.png")
    out, summary = deblurred(tmp_path / "noisy.png", "--psf", "gauss:1.5")
    assert psnr(out / 255, frame_of(scene)) > psnr(noisy, frame_of(scene)) + 1
    assert summary["noise"] == pytest.approx(0.01, rel=0.25)
    assert 0.7 < summary["residual"] < 1.1 and summary["lambda"] > 0
    assert len(summary["why"]) >= 2 and all(summary["why"])


def test_orientation_and_centre_of_a_psf(scene, deblurred, tmp_path):
    Image.fromarray(bytes_of(through(scene, lopsided()))).save(tmp_path / "soft.png")
    quality = {}
    for name, psf in {"right": lopsided(), "turned": lopsided()[::-1, ::-1],
                      "flipped": lopsided()[::-1], "mirrored": lopsided()[:, ::-1]}.items():
        np.save(tmp_path / f"{name}.npy", psf)
        out, _ = deblurred(tmp_path / "soft.png", "--psf", tmp_path / f"{name}.npy")
        quality[name] = psnr(out / 255, frame_of(scene))
    assert quality.pop("right") > max(quality.values()) + 3


def test_psf_in_every_format(soft, deblurred, ok, tmp_path):
    image, npy, _ = soft
    expected, _ = deblurred(image, "--psf", npy)
    psf = np.load(npy)
    np.savetxt(tmp_path / "psf.txt", 7 * psf)  # any positive sum will do
    tifffile.imwrite(tmp_path / "psf.tif", psf)
    fits.writeto(tmp_path / "psf.fits", 1000 * psf)
    for name in ("psf.txt", "psf.tif", "psf.fits"):
        out, summary = deblurred(image, "--psf", tmp_path / name)
        assert np.abs(out.astype(int) - expected).max() <= 1
        assert summary["blur"] == f"PSF {tmp_path / name}"
    Image.fromarray(np.round(psf / psf.max() * 255).astype(np.uint8)).save(tmp_path / "psf.png")
    out, _ = deblurred(image, "--psf", tmp_path / "psf.png")
    assert psnr(out / 255, expected / 255) > 35


@pytest.mark.parametrize("formula", ["gauss:1.5", "disk:3", "motion:7@30", "moffat:2.5,4"])
def test_psf_by_formula(soft, deblurred, formula):
    _, summary = deblurred(soft[0], "--psf", formula)
    assert summary["blur"] == f"PSF {formula}"


def test_gaussians(soft, scene, deblurred, tmp_path):
    image, psf, _ = soft
    expected, _ = deblurred(image, "--psf", psf)
    size = np.full((SIDE, SIDE), 1.5, np.float32)
    tifffile.imwrite(tmp_path / "sigma.tif", size)
    tifffile.imwrite(tmp_path / "half.tif", size / 3)
    a = np.log(size)
    tifffile.imwrite(tmp_path / "logchol.tif", np.stack([a, 0 * a, a], -1), photometric="rgb")
    for options in (["--sigma", 1.5], ["--sigma-yx", 1.5, 1.5], ["--cov", 2.25, 0, 2.25],
                    ["--sigma-map", tmp_path / "sigma.tif"],
                    ["--sigma-map", tmp_path / "sigma.tif", "--scatter"],
                    ["--sigma-map", tmp_path / "sigma.tif", "--gather"],
                    ["--sigma-map", tmp_path / "half.tif", "--sigma-range", 0, 3],
                    ["--logchol-map", tmp_path / "logchol.tif"]):
        out, summary = deblurred(image, *options)
        assert psnr(out / 255, expected / 255) > 40, options
        assert summary["scatter"] == ("--scatter" in options)


def test_a_map_beats_one_sigma(scene, deblurred, tmp_path):
    ramp = np.tile(np.linspace(0.6, 3, SIDE), (SIDE, 1))
    image = scatter(frame_of(scene), ramp[None], mode="reflect")
    Image.fromarray(bytes_of(image)).save(tmp_path / "soft.png")
    tifffile.imwrite(tmp_path / "map.tif", ramp.astype(np.float32))
    sharp = frame_of(scene)
    varying, summary = deblurred(tmp_path / "soft.png", "--sigma-map", tmp_path / "map.tif",
                                 "--scatter", "--border", "reflect")
    assert summary["scatter"] and summary["border"] == "reflect"
    uniform = [psnr(deblurred(tmp_path / "soft.png", "--sigma", s)[0] / 255, sharp)
               for s in (0.9, 1.3, 1.8)]
    assert psnr(varying / 255, sharp) > max(uniform) + 1


def test_warns_of_another_blur(scene, tmp_path):
    rng = np.random.default_rng(3)
    soft = frame_of(correlate(scene, gauss(1.2))) + rng.normal(0, 0.003, (SIDE, SIDE))
    tifffile.imwrite(tmp_path / "soft.tif", soft.astype(np.float32))
    for sigma, warned in ((1.2, False), (3, True)):
        done = run("deblur", tmp_path / "soft.tif", tmp_path / f"{sigma}.tif", "--sigma", sigma)
        assert done.returncode == 0
        assert ("soft.tif: the residual is " in done.stderr) == warned, done.stderr
        assert warned or done.stderr == ""


def two_psfs():
    wide = np.zeros((9, 9))
    wide[4] = 1 / 9
    return [wide, wide.T]


@pytest.fixture
def halves(scene, tmp_path):
    """A photograph blurred along x in its left half, along y in its right one."""
    left, right = (through(scene, psf) for psf in two_psfs())
    weight = np.clip((np.arange(SIDE) - SIDE / 4) / (SIDE / 2), 0, 1)
    Image.fromarray(bytes_of((1 - weight) * left + weight * right)).save(tmp_path / "halves.png")
    return tmp_path / "halves.png"


def test_psf_grids(halves, scene, deblurred, tmp_path):
    left, right = two_psfs()
    folder = tmp_path / "psfs"
    folder.mkdir()
    np.savetxt(folder / "b.txt", right)
    np.savetxt(folder / "a.txt", left)
    (folder / ".hidden").write_text("no image")
    fits.writeto(tmp_path / "cube.fits", np.stack([left, right]))
    tifffile.imwrite(tmp_path / "pages.tif", np.stack([left, right]).astype(np.float32),
                     photometric="minisblack")
    mosaic = np.concatenate([left, right], 1)
    np.save(tmp_path / "mosaic.npy", mosaic)
    Image.fromarray(bytes_of(mosaic)).save(tmp_path / "mosaic.png")
    results = {}
    for name in ("psfs", "cube.fits", "pages.tif", "mosaic.npy", "mosaic.png"):
        results[name], summary = deblurred(halves, "--psf-grid", tmp_path / name, "--grid", "1x2",
                                           "--order", "conv-first")
        assert np.abs(results[name].astype(int) - results["psfs"]).max() <= 2
        assert summary["order"] == "conv-first" and "1 x 2 PSFs" in summary["blur"]
    np.save(tmp_path / "swapped.npy", np.concatenate([right, left], 1))
    swapped, _ = deblurred(halves, "--psf-grid", tmp_path / "swapped.npy", "--grid", "1x2")
    stacked = np.concatenate([left, right], 0)  # one above the other
    np.save(tmp_path / "stacked.npy", stacked)
    above, summary = deblurred(halves, "--psf-grid", tmp_path / "stacked.npy", "--grid", "2x1")
    assert summary["order"] == "mask-first"
    sharp = frame_of(scene)
    quality = psnr(results["psfs"] / 255, sharp)
    assert quality > psnr(swapped / 255, sharp) + 2 and quality > psnr(above / 255, sharp) + 1


@pytest.mark.parametrize("options, key, value", [
    (["--prior", "tv", "--method", "tv"], "prior", "tv"), (["--prior", "none"], "prior", "none"),
    (["--prior", "tv"], "prior", "tv"), (["--prior", "tv2"], "prior", "tv2"),
    (["--prior", "huber-tv"], "prior", "huber-tv"),
    (["--prior", "hessian"], "prior", "hessian"), (["--prior", "gradient"], "prior", "gradient"),
    (["--prior", "tikhonov"], "prior", "tikhonov"),
    (["--prior", "norm", "--lambda", 0.01, "--fidelity", "norm"], "prior", "norm"),
    (["--fidelity", "norm", "--lambda", 0.01], "fidelity", "norm"),
    (["--method", "tikhonov"], "prior", "gradient"),
    (["--method", "tikhonov", "--prior", "tikhonov"], "prior", "tikhonov"),
    (["--method", "tikhonov", "--lambda", 5], "lambda", 5),
    (["--method", "tv", "--prior", "hessian"], "prior", "hessian"),
    (["--method", "rl"], "fidelity", "poisson"),
    (["--method", "rl", "--lambda", 0.01], "prior", "tv"),
    (["--method", "rl", "--no-acceleration"], "acceleration", False),
    (["--method", "rl", "--offset", 0.02], "offset", 0.02),
    (["--method", "rl", "--background", 0.02], "background", 0.02),
    (["--method", "rl", "--nonneg"], "lower", 0),
    (["--fidelity", "poisson"], "gain", "auto"),
    (["--fidelity", "poisson", "--gain", 0.001], "gain", 0.001),
    (["--fidelity", "huber"], "fidelity", "huber"),
    (["--prior-scale", 0.02], "prior_scale", 0.02),
    (["--prior-scale", "auto"], "asked_prior_scale", "auto"),
    (["--per-channel"], "per_channel", True),
    (["--lambda", 20], "lambda", 20), (["--lambda", "auto"], "asked_lambda", "auto"),
    (["--lambda", 0], "lambda", 0),
    (["--lambda-rule", "discrepancy"], "lambda_rule", "discrepancy"),
    (["--lambda-rule", "gcv"], "lambda_rule", "gcv"),
    (["--lambda-rule", "sure"], "lambda_rule", "sure"),
    (["--noise", 0.01], "noise", 0.01), (["--noise", "auto"], "asked_noise", "auto"),
    (["--nonneg"], "lower", 0), (["--box", 0.1, 0.8], "upper", 0.8),
    (["--max-iter", 2], "max_iterations", 2), (["--tol", 0.01], "tolerance", 0.01),
    (["--time-limit", 30], "time_limit", 30),
    (["--border", "extend"], "border", "extend"), (["--border", "mirror"], "border", "mirror"),
    (["--border", "nearest"], "border", "nearest"), (["--border", "wrap"], "border", "wrap"),
    (["--border", "constant"], "border", "constant"), (["--threads", 1], "threads", 1)])
def test_options(soft, deblurred, options, key, value):
    image, psf, sharp = soft
    out, summary = deblurred(image, "--psf", psf, "--reference", sharp, *options)
    assert summary[key] == (pytest.approx(value) if isinstance(value, (int, float)) else value)
    assert out.shape == (SIDE, SIDE)
    wrong = {"--box", "--lambda", "--border", "--max-iter", "--offset", "--background"}
    if not wrong & set(options) and value not in ("none", "tikhonov"):
        assert summary["after"]["psnr"] > summary["before"]["psnr"] + 0.1
    if options[0] == "--box":
        assert out.min() >= np.floor(0.1 * 255) and out.max() <= np.ceil(0.8 * 255)


def test_reach_of_gaussians(soft, deblurred):
    for options, key, value in ((["--truncate", 3], "truncate", 3), (["--radius", 5], "radius", [5]),
                                (["--radius-yx", 4, 5], "radius", [4, 5])):
        assert deblurred(soft[0], "--sigma", 1.5, *options)[1][key] == value
    assert deblurred(soft[0], "--sigma", 1.5)[1]["truncate"] is None


def test_border_extend_does_not_ring(scene, deblurred, tmp_path):
    Image.fromarray(bytes_of(through(scene, gauss(2.5)))).save(tmp_path / "soft.png")
    sharp = frame_of(scene)
    rim = np.ones((SIDE, SIDE), bool)
    rim[8:-8, 8:-8] = False
    quality = {}
    for border in ("extend", "constant", "wrap"):
        out, _ = deblurred(tmp_path / "soft.png", "--sigma", 2.5, "--border", border)
        quality[border] = psnr(out[rim] / 255, sharp[rim])
    assert quality["extend"] > max(quality["constant"], quality["wrap"]) + 2


def test_upscale(scene, deblurred, tmp_path):
    fine = through(scene, gauss(1.2))
    coarse = fine.reshape(SIDE // 2, 2, SIDE // 2, 2).mean((1, 3))
    Image.fromarray(bytes_of(coarse)).save(tmp_path / "coarse.png")
    Image.fromarray(bytes_of(frame_of(scene))).save(tmp_path / "sharp.png")
    out, summary = deblurred(tmp_path / "coarse.png", "--sigma", 1.2, "--upscale", 2,
                             "--reference", tmp_path / "sharp.png", "--report", tmp_path / "r.html")
    assert out.shape == (SIDE, SIDE) and summary["upscale"] == 2
    assert summary["after"]["psnr"] > summary["before"]["psnr"] + 1
    tifffile.imwrite(tmp_path / "map.tif", np.full((SIDE, SIDE), 1.2, np.float32))
    varying, _ = deblurred(tmp_path / "coarse.png", "--sigma-map", tmp_path / "map.tif",
                           "--upscale", 2)
    assert psnr(varying / 255, out / 255) > 35


def test_reference_tells_the_quality(soft, deblurred, ok_json, tmp_path):
    image, psf, sharp = soft
    _, summary = deblurred(image, "--psf", psf, "--reference", sharp, "--trace", tmp_path / "t.csv")
    for which, path in (("before", image), ("after", tmp_path / "out.png")):
        compared = ok_json("compare", path, sharp)
        assert summary[which]["psnr"] == pytest.approx(compared["psnr"], abs=0.05)
        assert summary[which]["ssim"] == pytest.approx(compared["ssim"], abs=0.005)
    assert summary["data_range"] == 1 and summary["reference"] == str(sharp)
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["iteration", "value", "lambda", "residual", "change", "seconds",
                             "psnr", "ssim"]
    assert len(rows) == len(summary["trace"]) > 3
    for row, step in zip(rows, summary["trace"]):
        assert int(row["iteration"]) == step["iteration"]
        assert float(row["psnr"]) == pytest.approx(step["psnr"], rel=1e-6)
        assert (row["ssim"] == "") == (step["ssim"] is None)
    assert rows[0]["ssim"] or rows[-1]["ssim"] or any(row["ssim"] for row in rows)
    assert float(rows[-1]["psnr"]) == pytest.approx(summary["after"]["psnr"], abs=0.2)


def test_trace_without_reference(soft, deblurred, tmp_path):
    _, summary = deblurred(soft[0], "--psf", soft[1], "--trace", tmp_path / "t.csv", "--lambda", 10)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[0] == "iteration,value,lambda,residual,change,seconds"
    assert len(lines) == len(summary["trace"]) + 1 > 3
    values = [step["value"] for step in summary["trace"]]
    assert values[-1] < values[0] and summary["value"] == pytest.approx(values[-1], rel=1e-6)
    assert all(step["lambda"] == 10 for step in summary["trace"])
    assert summary["before"] is None and summary["after"] is None and summary["data_range"] is None


def test_colour_is_deblurred_jointly_or_not(colours, deblurred, tmp_path):
    image = bytes_of(through(colours, gauss(1.5)))
    Image.fromarray(image).save(tmp_path / "soft.png")
    joint, summary = deblurred(tmp_path / "soft.png", "--psf", "gauss:1.5")
    apart, other = deblurred(tmp_path / "soft.png", "--psf", "gauss:1.5", "--per-channel")
    assert joint.shape == (SIDE, SIDE, 3) and summary["channels"] == 3
    assert not summary["per_channel"] and other["per_channel"]
    assert not np.array_equal(joint, apart)
    before = psnr(image / 255, frame_of(colours))
    assert min(psnr(joint / 255, frame_of(colours)), psnr(apart / 255, frame_of(colours))) > before + 1


def test_kinds_of_images(scene, deblurred, tmp_path):
    image, sharp = through(scene, gauss(1.5)), frame_of(scene)
    tifffile.imwrite(tmp_path / "deep.tif", np.round(65535 * image).astype(np.uint16))
    tifffile.imwrite(tmp_path / "float.tif", image.astype(np.float32))
    tifffile.imwrite(tmp_path / "double.tif", image)
    for name, dtype, white in (("deep.tif", np.uint16, 65535), ("float.tif", np.float32, 1),
                               ("double.tif", np.float64, 1)):
        out, summary = deblurred(tmp_path / name, "--psf", "gauss:1.5", out="out.tif")
        assert out.dtype == dtype and summary["in_type"] == summary["out_type"] == np.dtype(dtype).name
        assert psnr(out / white, sharp) > psnr(image, sharp) + 2
    out, summary = deblurred(tmp_path / "float.tif", "--psf", "gauss:1.5", "--bit-depth", "16")
    assert summary["out_type"] == "uint16" and np.asarray(out).max() > 255
    out, summary = deblurred(tmp_path / "deep.tif", "--psf", "gauss:1.5", "--bit-depth", "32f",
                             out="out.tif")
    assert out.dtype == np.float32 and psnr(out, sharp) > psnr(image, sharp) + 2


def test_fits_keeps_values_and_header(scene, rng, ok_json, tmp_path):
    counts = rng.poisson(40 * 1000 * through(scene, gauss(1.5)) / 1000 + 5) * 2.0 + 300
    header = fits.Header()
    header["OBJECT"] = "stairs"
    fits.writeto(tmp_path / "in.fits", counts.astype(np.float32), header)
    fits.writeto(tmp_path / "sharp.fits", (80 * frame_of(scene)).astype(np.float32))
    summary = ok_json("deblur", tmp_path / "in.fits", tmp_path / "out.fits", "--psf", "gauss:1.5",
                      "--method", "rl", "--gain", 2, "--offset", 300, "--background", 10)
    out, card = fits.getdata(tmp_path / "out.fits", header=True)
    assert out.dtype.kind == "f" and card["OBJECT"] == "stairs"
    assert out.min() >= 0 and summary["gain"] == 2 and summary["offset"] == 300
    truth = 80 * frame_of(scene)
    assert np.mean((out - truth)**2) < np.mean((counts - 310 - truth)**2)
    integers = np.round(counts).astype(np.int16)
    fits.writeto(tmp_path / "ints.fits", integers)
    summary = ok_json("deblur", tmp_path / "ints.fits", tmp_path / "ints-out.fits", "--psf",
                      "gauss:1.5", "--reference", tmp_path / "ints.fits")
    assert fits.getdata(tmp_path / "ints-out.fits").dtype.kind == "i"
    assert summary["data_range"] == 32767 and summary["noise"] > 1


def test_pages_are_one_batch(scene, deblurred, tmp_path):
    image = bytes_of(through(scene, gauss(1.5)))
    other = image[:, ::-1]
    tifffile.imwrite(tmp_path / "pages.tif", np.stack([image, other]), photometric="minisblack")
    out, summary = deblurred(tmp_path / "pages.tif", "--psf", "gauss:1.5", out="out.tif")
    assert out.shape == (2, SIDE, SIDE) and summary["pages"] == 2
    assert psnr(out[0] / 255, frame_of(scene)) > psnr(image / 255, frame_of(scene)) + 2
    assert np.abs(out[1][:, ::-1].astype(int) - out[0]).max() <= 3


def test_alpha_is_kept_and_transparent_pixels_do_not_count(colours, deblurred, tmp_path):
    image = bytes_of(through(colours, gauss(1.5)))
    alpha = np.full((SIDE, SIDE, 1), 255, np.uint8)
    alpha[20:30, 20:30] = 0
    alpha[40:50] = 99
    image[20:30, 20:30] = 255 * (np.indices((10, 10)).sum(0) % 2)[..., None]  # garbage
    Image.fromarray(np.concatenate([image, alpha], -1)).save(tmp_path / "alpha.png")
    out, summary = deblurred(tmp_path / "alpha.png", "--psf", "gauss:1.5")
    np.testing.assert_array_equal(out[..., 3], alpha[..., 0])
    assert summary["left_out"] == 100
    ring = np.zeros((SIDE, SIDE), bool)
    ring[14:36, 14:36] = True
    ring[20:30, 20:30] = False
    assert psnr(out[..., :3][ring] / 255, frame_of(colours)[ring]) > 25


def test_linear_light(scene, deblurred, tmp_path):
    def decode(v):
        return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055)**2.4)

    def encode(v):
        return np.where(v <= 0.0031308, 12.92 * v, 1.055 * v**(1 / 2.4) - 0.055)
    image = encode(through(decode(scene), gauss(2)))
    Image.fromarray(bytes_of(image)).save(tmp_path / "soft.png")
    Image.fromarray(bytes_of(frame_of(scene))).save(tmp_path / "sharp.png")
    light, summary = deblurred(tmp_path / "soft.png", "--psf", "gauss:2", "--linear-light",
                               "--reference", tmp_path / "sharp.png")
    numbers, _ = deblurred(tmp_path / "soft.png", "--psf", "gauss:2")
    assert summary["linear_light"]
    found = psnr(light / 255, frame_of(scene))
    assert found > psnr(numbers / 255, frame_of(scene)) + 0.3
    assert summary["after"]["psnr"] == pytest.approx(found, abs=0.1)


def test_masked_and_broken_pixels_do_no_harm(scene, deblurred, tmp_path):
    image = through(scene, gauss(1.5)).astype(np.float32)
    clean = image.copy()
    image[10, 12] = np.nan
    image[30, 31] = np.inf
    tifffile.imwrite(tmp_path / "nan.tif", image)
    out, summary = deblurred(tmp_path / "nan.tif", "--psf", "gauss:1.5", out="out.tif")
    assert summary["left_out"] == 2 and np.all(np.isfinite(out))
    assert psnr(out, frame_of(scene)) > psnr(clean, frame_of(scene)) + 2
    image[44:48, 20:26] = 7
    tifffile.imwrite(tmp_path / "bad.tif", image)
    good = np.full((SIDE, SIDE), 255, np.uint8)
    good[44:48, 20:26] = 0
    Image.fromarray(good).save(tmp_path / "good.png")
    out, summary = deblurred(tmp_path / "bad.tif", "--psf", "gauss:1.5", "--mask",
                             tmp_path / "good.png", out="out.tif")
    assert summary["left_out"] == 26 and summary["mask"] == str(tmp_path / "good.png")
    known = good > 0
    assert psnr(out[known], frame_of(scene)[known]) > psnr(clean, frame_of(scene)) + 2


def test_saturated_pixels_can_be_left_out(scene, deblurred, tmp_path):
    bright = scene.copy()
    bright[40:44, 40:44] = 12
    image = bytes_of(through(bright, gauss(1.5)))
    Image.fromarray(image).save(tmp_path / "burnt.png")
    plain, summary = deblurred(tmp_path / "burnt.png", "--psf", "gauss:1.5")
    assert summary["left_out"] == 0
    masked, summary = deblurred(tmp_path / "burnt.png", "--psf", "gauss:1.5", "--mask-saturated")
    assert summary["left_out"] == np.count_nonzero(image == 255) > 10
    near = np.zeros((SIDE, SIDE), bool)
    near[16:36, 16:36] = True
    near[24:28, 24:28] = False
    truth = frame_of(scene)
    assert psnr(masked[near] / 255, truth[near]) > psnr(plain[near] / 255, truth[near]) + 1


def test_threads_do_not_change_the_result(soft, deblurred):
    one, _ = deblurred(soft[0], "--psf", soft[1], "--threads", 1, "--bit-depth", "32f", out="a.tif")
    two, _ = deblurred(soft[0], "--psf", soft[1], "--threads", 2, "--bit-depth", "32f", out="b.tif")
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("height, width", [(1, 1), (1, 2), (2, 2), (3, 3), (1, 9), (9, 1), (1, 64),
                                           (5, 7)])
@pytest.mark.parametrize("method", METHODS)
def test_tiny_images(rng, deblurred, tmp_path, height, width, method):
    tifffile.imwrite(tmp_path / "in.tif", rng.random((height, width), dtype=np.float32))
    out, summary = deblurred(tmp_path / "in.tif", "--sigma", 0.3 if height * width == 1 else 0.6,
                             "--method", method, "--report", tmp_path / "r.html", out="out.tif")
    assert out.size == height * width and np.all(np.isfinite(out))
    assert summary["height"] == height and summary["width"] == width


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 0.5])
def test_constant_images_stay(deblurred, tmp_path, method, value):
    tifffile.imwrite(tmp_path / "in.tif", np.full((20, 24), value, np.float32))
    out, _ = deblurred(tmp_path / "in.tif", "--psf", "disk:2", "--method", method, out="out.tif")
    np.testing.assert_allclose(out, value, atol=2e-3)


def test_text_summary(soft, ok, tmp_path):
    image, psf, sharp = soft
    text = ok("deblur", image, tmp_path / "out.png", "--psf", psf)
    assert text.startswith(f"{tmp_path / 'out.png'}: deblurred with PSF {psf}\n")
    assert re.search(r"^noise [\d.e-]+, lambda [\d.e+-]+, residual [\d.]+ times the noise$", text, re.M)
    assert re.search(r"iterations of lbfgs, until .*, [\d.]+ s on \d+ thread", text)
    assert "PSNR" not in text
    assert ok("deblur", image, tmp_path / "quiet.png", "--psf", psf, "--quiet") == ""
    text = ok("deblur", image, tmp_path / "a.png", "--sigma", 1.5, "--reference", sharp)
    assert "sigma 1.5 px" in text
    assert re.search(r"^PSNR [\d.]+ dB, before [\d.]+; SSIM 0\.\d+, before 0\.\d+$", text, re.M)
    text = ok("deblur", image, tmp_path / "w.png", "--sigma", 1.5, "--method", "wiener")
    assert "wiener, in closed form" in text and "residual" not in text and "lambda" not in text


def test_json(soft, deblurred, tmp_path):
    image, psf, _ = soft
    _, summary = deblurred(image, "--psf", psf)
    assert summary["command"] == "deblur" and summary["in"] == str(image)
    assert summary["out"] == str(tmp_path / "out.png") and str(psf) in summary["line"]
    assert (summary["height"], summary["width"], summary["channels"]) == (SIDE, SIDE, 1)
    assert summary["stop"] in ("change", "gradient", "no_descent", "iterations")
    assert summary["iterations"] > 0 and summary["evaluations"] >= summary["iterations"]
    assert summary["trace"][-1]["iteration"] == summary["iterations"]
    assert summary["max_iterations"] == summary["tolerance"] == "auto"
    assert summary["time_limit"] is None and summary["lower"] is None


def pictures(page):
    found = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def test_report(soft, ok, tmp_path):
    image, psf, sharp = soft
    ok("deblur", image, tmp_path / "out.png", "--psf", psf, "--reference", sharp, "--report",
       tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    shown = pictures(page)
    assert len(shown) == 3 + 3 + 1  # whole, in detail, a point of light
    for picture, path in zip(shown, (image, tmp_path / "out.png", sharp)):
        np.testing.assert_allclose(picture.squeeze().astype(int), np.asarray(Image.open(path)),
                                   atol=1)
    point = shown[-1].squeeze() / 255.0
    r = point.shape[0] // 2
    expected = np.sqrt(gauss(1.5, r) / gauss(1.5, r).max())
    np.testing.assert_allclose(point, expected, atol=0.02)
    for label in ("value", "residual", "psnr"):
        assert f">{label}</text>" in page
    for outside in ("<script", "src=\"http", "href=\"http", "url("):
        assert outside not in page
    command = html.unescape(re.search(r"<pre><code>(.*?)</code></pre>", page, re.S)[1])
    assert shlex.split(command)[:2] == [BINARY, "deblur"]


def test_report_draws_the_blur_as_it_acts(scene, halves, ok, tmp_path):
    left, right = two_psfs()
    np.save(tmp_path / "grid.npy", np.concatenate([left, right], 1))
    ok("deblur", halves, tmp_path / "out.png", "--psf-grid", tmp_path / "grid.npy", "--grid", "1x2",
       "--report", tmp_path / "page.html", "--max-iter", 3, "--lambda", 10)
    page = (tmp_path / "page.html").read_text()
    points = pictures(page)[-1].squeeze() / 255.0
    across = 5 if "5 x 5 places" in page else 3
    side = (points.shape[0] + 1) // across - 1
    assert across * (side + 1) - 1 == points.shape[0]
    first = points[:side, :side]
    last = points[:side, -side:]
    assert first.sum(1).argmax() == side // 2 and (first[side // 2] > 0.9).sum() == 9
    assert last.sum(0).argmax() == side // 2 and (last[:, side // 2] > 0.9).sum() == 9
    tifffile.imwrite(tmp_path / "map.tif", np.tile(np.linspace(0.5, 1.2, SIDE, dtype=np.float32),
                                                   (SIDE, 1)))
    ok("deblur", halves, tmp_path / "b.png", "--sigma-map", tmp_path / "map.tif", "--report",
       tmp_path / "map.html", "--max-iter", 3, "--lambda", 10)
    page = (tmp_path / "map.html").read_text()
    assert "Sigma of the blur, pixels." in page and len(pictures(page)) == 2 + 2 + 1 + 1


BLUR = ["--sigma", "1"]


@pytest.mark.parametrize("options", [
    [], ["--psf", "P", *BLUR], ["--sigma-map", "M", *BLUR], ["--psf", "P", "--psf-grid", "G",
                                                             "--grid", "2x2"],
    ["--psf-grid", "G"], ["--grid", "2x2", *BLUR], ["--psf", "P", "--grid", "2x2"],
    ["--psf-grid", "G", "--grid", "2"], ["--psf-grid", "G", "--grid", "2x0"],
    ["--psf-grid", "G", "--grid", "2x-1"], ["--psf-grid", "G", "--grid", "x2"],
    ["--psf-grid", "G", "--grid", "2x2x2"], ["--psf-grid", "G", "--grid", "9999x2"],
    ["--psf", "P", "--order", "mask-first"], ["--psf-grid", "G", "--grid", "1x1", "--order", "any"],
    [*BLUR, "--scatter"], [*BLUR, "--gather"], ["--psf", "P", "--scatter"],
    ["--sigma-map", "M", "--scatter", "--gather"], [*BLUR, "--sigma-range", "1", "2"],
    ["--psf", "P", "--truncate", "3"], ["--psf", "P", "--radius", "3"],
    ["--psf", "P", "--tolerance", "1e-3"], [*BLUR, "--tolerance", "-1"], [*BLUR, "--tolerance", "1"],
    [*BLUR, "--truncate", "0"], [*BLUR, "--radius", "1", "--radius-yx", "1", "2"],
    [*BLUR, "--border", "bounce"], [*BLUR, "--upscale", "0"], [*BLUR, "--upscale", "1.5"],
    [*BLUR, "--method", "magic"], [*BLUR, "--fidelity", "loyal"], [*BLUR, "--prior", "l1"],
    [*BLUR, "--lambda", "-1"], [*BLUR, "--lambda", "much"], [*BLUR, "--lambda", "nan"],
    [*BLUR, "--lambda-rule", "dice"], [*BLUR, "--lambda-rule", "gcv", "--lambda", "3"],
    [*BLUR, "--noise", "0"], [*BLUR, "--noise", "loud"], [*BLUR, "--max-iter", "0"],
    [*BLUR, "--tol", "0"], [*BLUR, "--tol", "-1"], [*BLUR, "--time-limit", "0"],
    [*BLUR, "--time-limit", "-3"], [*BLUR, "--prior-scale", "0"],
    [*BLUR, "--gain", "2"], [*BLUR, "--offset", "2"], [*BLUR, "--background", "2"],
    [*BLUR, "--fidelity", "poisson", "--gain", "0"],
    [*BLUR, "--fidelity", "poisson", "--background", "-1"],
    [*BLUR, "--prior", "none", "--lambda", "1"], [*BLUR, "--prior", "none", "--lambda-rule", "gcv"],
    [*BLUR, "--prior", "none", "--prior-scale", "1"], [*BLUR, "--prior", "none", "--per-channel"],
    [*BLUR, "--prior", "gradient", "--prior-scale", "1"], [*BLUR, "--prior", "norm"],
    [*BLUR, "--fidelity", "norm"],
    [*BLUR, "--nonneg", "--box", "0", "1"], [*BLUR, "--box", "1", "0"], [*BLUR, "--box", "1", "nan"],
    [*BLUR, "--box", "1"], [*BLUR, "--no-acceleration"],
    *([*BLUR, "--method", method, *wrong] for method in ("wiener", "tikhonov") for wrong in (
        ["--fidelity", "poisson"], ["--nonneg"], ["--box", "0", "1"], ["--max-iter", "3"],
        ["--tol", "1e-3"], ["--time-limit", "3"], ["--mask", "M"], ["--mask-saturated"],
        ["--per-channel"], ["--prior", "tv"], ["--upscale", "2"])),
    *(["--method", method, *wrong] for method in ("wiener", "tikhonov") for wrong in (
        ["--sigma-map", "M"], ["--logchol-map", "M"], ["--psf-grid", "G", "--grid", "2x2"])),
    [*BLUR, "--method", "wiener", "--lambda", "1"], [*BLUR, "--method", "wiener", "--prior", "none"],
    [*BLUR, "--method", "rl", "--fidelity", "gaussian"], [*BLUR, "--method", "rl", "--box", "0", "1"],
    [*BLUR, "--method", "rl", "--prior", "gradient", "--lambda", "1"],
    [*BLUR, "--method", "rl", "--prior", "tv"], [*BLUR, "--method", "rl", "--lambda-rule", "gcv"],
    [*BLUR, "--method", "newton-cg", "--nonneg"], [*BLUR, "--method", "newton-cg", "--box", "0", "1"],
    [*BLUR, "--method", "tv", "--prior", "gradient"], [*BLUR, "--method", "tv", "--prior-scale", "1"],
    [*BLUR, "--method", "tv", "--fidelity", "norm", "--lambda", "1"],
    [*BLUR, "--method", "fista", "--prior", "norm", "--lambda", "1"],
    [*BLUR, "--threads", "0"], [*BLUR, "--bit-depth", "12"],
    [*BLUR, "--trace", "OUT.tif"], [*BLUR, "--report", "./OUT.tif"], [*BLUR, "--report", "IN"],
    [*BLUR, "--mask", "M", "--report", "M"], [*BLUR, "--reference", "R", "--trace", "R"],
    ["--psf", "P", "--trace", "P"], [*BLUR, "--trace", "T", "--report", "T"], [*BLUR, "EXTRA"]])
def test_wrong_usage(fails, options):
    assert "deblur --help" in fails("deblur", "IN", "OUT.tif", *options, code=2)


def test_missing_positionals_and_out_as_input(fails):
    for files in ([], ["IN"], ["A", "A"], ["A", "./A"]):
        assert "--help" in fails("deblur", *files, *BLUR, code=2)


def test_help_teaches(ok):
    text = ok("deblur", "--help")
    assert "Usage: blurfield" in text and "Examples:" in text and "What to mind:" in text
    assert text.count("blurfield deblur ") >= 6 and max(map(len, text.splitlines())) < 125


@pytest.fixture
def rejected(fails, soft, tmp_path):
    """rejected(option...): the message of a deblurring that must leave no file."""
    def call(*options, image=soft[0], out="out.png", **kwargs):
        before = sorted(tmp_path.rglob("*"))
        line = fails("deblur", image, tmp_path / out, *options, **kwargs)
        assert sorted(tmp_path.rglob("*")) == before
        return line
    return call


def saved(path, array):
    np.save(path, np.asarray(array, float))
    return path


def test_bad_psf(rejected, tmp_path):
    def bad(name, array):
        line = rejected("--psf", saved(tmp_path / name, array))
        assert name in line
        return line
    assert "sum > 0" in bad("zero.npy", np.zeros((3, 3)))
    assert "sum > 0" in bad("negative.npy", -np.ones((3, 3)))
    assert "sum > 0" in bad("balanced.npy", [[1, -1]])
    line = bad("nan.npy", [[1, np.nan, 1]])
    assert "finite" in line and "(0, 1)" in line
    assert "finite" in bad("inf.npy", [[np.inf]])
    line = bad("large.npy", np.ones((65, 5)))
    assert "64 x 64" in line and "65 x 5" in line
    assert "none.npy" in rejected("--psf", tmp_path / "none.npy")
    (tmp_path / "text.txt").write_text("1 2 3\n4 5\n")
    assert "text.txt" in rejected("--psf", tmp_path / "text.txt")
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (5, 5, 3), dtype=np.uint8)).save(
        tmp_path / "colour.png")
    assert "grey" in rejected("--psf", tmp_path / "colour.png")
    for formula in ("gauss:0", "gauss:-1", "gauss:x", "gauss:", "disk:0", "motion:5", "motion:-1@3",
                    "moffat:3", "moffat:3,0.5", "moffat:nan,3"):
        assert formula in rejected("--psf", formula)
    line = rejected("--psf", "disk:40")
    assert "disk:40" in line and "64 x 64" in line


def test_bad_psf_grid(rejected, tmp_path):
    psf = gauss(1, 3)
    folder = tmp_path / "psfs"
    folder.mkdir()
    for i in range(3):
        np.savetxt(folder / f"{i}.txt", psf)
    line = rejected("--psf-grid", folder, "--grid", "2x2")
    assert "psfs" in line and "expected 4" in line and "got 3" in line
    np.savetxt(folder / "3.txt", psf[1:])
    line = rejected("--psf-grid", folder, "--grid", "2x2")
    assert "3.txt" in line and "7 x 7" in line and "6 x 7" in line
    np.savetxt(folder / "3.txt", 0 * psf)
    line = rejected("--psf-grid", folder, "--grid", "2x2")
    assert "3.txt" in line and "sum > 0" in line
    fits.writeto(tmp_path / "cube.fits", np.stack([psf] * 3))
    line = rejected("--psf-grid", tmp_path / "cube.fits", "--grid", "2x2")
    assert "cube.fits" in line and "expected 4" in line and "got 3 of 7 x 7" in line
    line = rejected("--psf-grid", saved(tmp_path / "mosaic.npy", np.tile(psf, (2, 2))), "--grid",
                    "2x3")
    assert "mosaic.npy" in line and "2 x 3" in line and "14 x 14" in line
    broken = np.tile(psf, (2, 2))
    broken[:7, 7:] = 0
    line = rejected("--psf-grid", saved(tmp_path / "cell.npy", broken), "--grid", "2x2")
    assert "cell 0, 1" in line and "sum > 0" in line
    nan = np.stack([psf] * 4)
    nan[2, 1, 1] = np.nan
    fits.writeto(tmp_path / "nan.fits", nan)
    line = rejected("--psf-grid", tmp_path / "nan.fits", "--grid", "2x2")
    assert "nan.fits" in line and "finite" in line and "channel 2" in line
    line = rejected("--psf-grid", saved(tmp_path / "large.npy", np.ones((65, 65 * 2))), "--grid",
                    "1x2")
    assert "large.npy" in line and "65 x 65" in line
    assert "none" in rejected("--psf-grid", tmp_path / "none", "--grid", "2x2")


def test_bad_gaussians_and_maps(rejected, tmp_path):
    for options in (["--sigma", 0], ["--sigma", "nan"], ["--sigma-yx", 1, -1]):
        assert options[0] in rejected(*options)
    assert "positive definite" in rejected("--cov", 1, 2, 1)
    line = rejected("--sigma", 50)
    assert "soft.png" in line and "radius" in line
    tifffile.imwrite(tmp_path / "small.tif", np.ones((8, 9), np.float32))
    line = rejected("--sigma-map", tmp_path / "small.tif")
    assert "small.tif" in line and "64 x 64" in line and "8 x 9" in line
    line = rejected("--sigma-map", tmp_path / "small.tif", "--upscale", 2)
    assert "small.tif" in line and "128 x 128" in line and "out.png" in line
    line = rejected("--sigma", 1, "--mask", tmp_path / "small.tif")
    assert "small.tif" in line and "64 x 64" in line
    zero = np.ones((SIDE, SIDE), np.float32)
    zero[3, 4] = 0
    tifffile.imwrite(tmp_path / "zero.tif", zero)
    assert "(3, 4)" in rejected("--sigma-map", tmp_path / "zero.tif")
    assert "3 float channels" in rejected("--logchol-map", tmp_path / "zero.tif")
    assert "none.tif" in rejected("--sigma-map", tmp_path / "none.tif")


def test_bad_images(rejected, fails, soft, colours, tmp_path):
    image, _, sharp = soft
    assert "none.png" in rejected(*BLUR, image=tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no image\n" * 20)
    assert "text.png" in rejected(*BLUR, image=tmp_path / "text.png")
    Image.fromarray(bytes_of(frame_of(colours))).save(tmp_path / "colour.png")
    line = rejected(*BLUR, "--reference", tmp_path / "colour.png")
    assert "colour.png" in line and "1 channel" in line and "3 channel" in line
    assert "none.png" in rejected(*BLUR, "--reference", tmp_path / "none.png")
    line = rejected(*BLUR, "--upscale", 2, "--reference", sharp)
    assert "128 x 128" in line and "64 x 64" in line
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(tmp_path / "black.png")
    line = rejected(*BLUR, "--mask", tmp_path / "black.png")
    assert "soft.png" in line and "none" in line
    tifffile.imwrite(tmp_path / "nan.tif", np.full((9, 9), np.nan, np.float32))
    assert "none" in rejected(*BLUR, image=tmp_path / "nan.tif", out="out.tif")
    tifffile.imwrite(tmp_path / "float.tif", np.ones((9, 9), np.float32))
    for flag in ("--linear-light", "--mask-saturated"):
        line = rejected(*BLUR, flag, image=tmp_path / "float.tif", out="out.tif")
        assert "float.tif" in line and flag in line
    some = np.ones((9, 9), np.float32)
    some[1, 2] = np.nan
    tifffile.imwrite(tmp_path / "some.tif", some)
    assert "wiener" in rejected(*BLUR, "--method", "wiener", image=tmp_path / "some.tif",
                                out="out.tif")


def test_outputs_are_checked_before_the_work(rejected, soft, ok, tmp_path):
    slow = [*BLUR, "--tol", 1e-300, "--max-iter", 100000, "--lambda", 1, "--method", "fista"]
    assert "unknown extension" in rejected(*slow, out="out.xyz", timeout=20)
    assert "none" in rejected(*slow, out="none/out.png", timeout=20)
    for option, name in (("--trace", "t.csv"), ("--report", "r.html")):
        assert f"none/{name}" in rejected(*slow, option, tmp_path / "none" / name, timeout=20)
        (tmp_path / name).write_bytes(b"precious")
        line = rejected(*slow, option, tmp_path / name, timeout=20)
        assert name in line and "exists" in line and "--force" in line
        assert (tmp_path / name).read_bytes() == b"precious"
    (tmp_path / "there.png").write_bytes(b"precious")
    line = rejected(*slow, out="there.png", timeout=20)
    assert "there.png" in line and "--force" in line
    assert (tmp_path / "there.png").read_bytes() == b"precious"
    ok("deblur", soft[0], tmp_path / "there.png", *BLUR, "--force", "--max-iter", 1, "--lambda", 1)
    assert Image.open(tmp_path / "there.png").size == (SIDE, SIDE)
    tifffile.imwrite(tmp_path / "float.tif", np.ones((9, 9), np.float32))
    assert "--bit-depth" in rejected(*slow, image=tmp_path / "float.tif")


def test_full_disk_and_size_limit_leave_nothing(fails, soft, tmp_path):
    quick = [*BLUR, "--lambda", 1, "--max-iter", 1]
    (tmp_path / "full.png").symlink_to("/dev/full")
    assert "full.png" in fails("deblur", soft[0], tmp_path / "full.png", *quick, "--force")
    before = sorted(tmp_path.rglob("*"))
    fails("deblur", soft[0], tmp_path / "out.tif", *quick,
          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (256, 256)))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture
def endless(ok, tmp_path):
    """Arguments of a deblurring that does not end by itself."""
    ok("blur", IMAGES / "ascent.png", tmp_path / "blurred.tif", "--sigma", 2, "--bit-depth", "32f")
    return ["deblur", tmp_path / "blurred.tif", tmp_path / "out.tif", "--psf", "gauss:2", "--tol",
            1e-300, "--max-iter", 1000000, "--method", "fista", "--lambda", 10, "--noise", 1e-4]


@pytest.mark.parametrize("stop, quiet", [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_stopping_saves_the_best_scene_so_far(endless, tmp_path, stop, quiet):
    process = subprocess.Popen(
        [BINARY, *map(str, endless), "--trace", tmp_path / "t.csv", "--report", tmp_path / "r.html",
         "--reference", IMAGES / "ascent.png", "--quiet" if quiet else "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    assert process.poll() is None
    process.send_signal(stop)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + stop
    assert err.startswith("blurfield: cancelled after ") and err.count("\n") == 1
    assert "out.tif holds the best scene so far" in err
    assert tifffile.imread(tmp_path / "out.tif").shape == (512, 512)
    assert "cancelled" in (tmp_path / "r.html").read_text()
    assert len((tmp_path / "t.csv").read_text().splitlines()) > 2
    if quiet:
        assert out == ""
    else:
        summary = json.loads(out)
        assert summary["stop"] == "cancelled" and summary["iterations"] > 0
        assert summary["value"] < summary["trace"][0]["value"]
        assert summary["after"]["psnr"] > summary["before"]["psnr"]


def test_time_limit(endless, ok_json, tmp_path):
    start = time.monotonic()
    summary = ok_json(*endless, "--time-limit", 1)
    assert time.monotonic() - start < 15
    assert summary["stop"] == "time" and summary["iterations"] > 0
    assert tifffile.imread(tmp_path / "out.tif").shape == (512, 512)


def test_progress_tells_the_objective_on_a_terminal(endless):
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
    assert re.search(rb"deblur: iteration \d+, objective [\d.e+-]+, lambda 10, \d+ s", text)


def test_blind_round_trip(colours, scene, ok, deblurred, tmp_path):
    """A map found on one pair deblurs another picture."""
    ramp = np.tile(np.linspace(0.8, 2.4, SIDE, dtype=np.float32), (SIDE, 1))
    tifffile.imwrite(tmp_path / "true.tif", ramp)
    for name, picture in (("chart", frame_of(colours)), ("photo", frame_of(scene))):
        Image.fromarray(bytes_of(picture)).save(tmp_path / f"{name}.png")
        ok("blur", tmp_path / f"{name}.png", tmp_path / f"{name}-soft.png", "--sigma-map",
           tmp_path / "true.tif")
    ok("estimate", tmp_path / "chart.png", tmp_path / "chart-soft.png", tmp_path / "found.tif")
    _, summary = deblurred(tmp_path / "photo-soft.png", "--sigma-map", tmp_path / "found.tif",
                           "--reference", tmp_path / "photo.png")
    assert summary["after"]["psnr"] > summary["before"]["psnr"] + 2
