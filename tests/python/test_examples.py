# SPDX-License-Identifier: BSD-3-Clause
"""The examples reach the outcomes they tell of, and every snippet of docs/python.md runs."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib").use("Agg")
image = pytest.importorskip("matplotlib.image")

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "examples" / "python"
GUIDE = ROOT / "docs" / "python.md"


@pytest.fixture
def example(monkeypatch, tmp_path, capsys):
    """Runs a script's main(): what it returned, printed and drew."""
    monkeypatch.syspath_prepend(str(SCRIPTS))

    def run(name, *packages):
        for package in packages:
            pytest.importorskip(package)
        outcome = importlib.import_module(name).main(tmp_path)
        pictures = {path.stem: image.imread(path)[..., :3] for path in tmp_path.iterdir()}
        for picture, pixels in pictures.items():
            assert pixels.std() > 0.03, picture
        return SimpleNamespace(outcome=outcome, printed=capsys.readouterr().out, pictures=pictures)

    return run


def test_learn_scale_1d(example):
    ran = example("learn_scale_1d")
    got = ran.outcome
    assert got["filter difference"] < 1e-15
    assert got["sigma"] == pytest.approx(3, abs=0.01)
    assert got["gradient error"] < 1e-7
    assert got["sigma by estimate"] == pytest.approx(3, abs=1e-6)
    assert got["iterations of estimate"] <= 12
    assert len(got["losses"]) == 101 and got["losses"][-1] < 1e-5 * got["losses"][0]
    assert "true sigma 3.00  recovered sigma 3.00" in ran.printed
    assert set(ran.pictures) == {
        "filter", "derivative", "filter_at_0", "soft_maximum", "signal", "iteration_0",
        "iteration_4", "iteration_16", "iteration_100", "losses", "sigmas"}


def test_mix_min_max(example):
    ran = example("mix_min_max", "torch", "PIL")
    got = ran.outcome
    assert got["rough"][0] > 0.5 * got["rough"][1]
    # The best weight of a blur of sigma 3 is 1, which a sigmoid never reaches.
    weight, best = got["weights"][3.0]
    assert best == pytest.approx(1, abs=1e-12) and 0.97 < weight < 1
    weight, best = got["weights"][5.0]
    assert weight == pytest.approx(best, abs=1e-4)
    assert got["losses"][-1] < 4.9e-5 < 0.1 * got["losses"][0]
    assert got["sigmas"] == pytest.approx((4, 7), abs=0.05)
    errors = got["level errors"]
    assert errors[2] > 0.1 and errors[max(errors)] < 1e-3
    assert list(errors.values()) == sorted(errors.values(), reverse=True)
    assert set(ran.pictures) == {"rough", "one_weight_3", "one_weight_5", "weights", "weights_map",
                                 "bounds_loss", "bounds_weights", "levels", "levels_error"}


def test_local_filtering(example):
    ran = example("local_filtering", "torch")
    got = ran.outcome
    assert max(got["filtering"]) < 1e-12
    # About what the original reaches, whose kernels share one radius.
    for name, loss in (("full", 3e-6), ("spherical", 1.2e-2), ("full for spherical", 3.3e-3)):
        assert got[name]["losses"][100] < loss, name
        assert got[name]["Gauss-Newton"] < got[name]["losses"][100], name
    errors = got["closer"]
    adamax = errors["Adamax", 1, False]
    assert errors["Adamax", 1, True] < 0.5 * adamax
    assert errors["Adamax", 8, False] < 0.1 * adamax
    assert errors["Adamax", 8, True] < errors["Adamax", 8, False]
    assert errors["Gauss-Newton", 8, False] < errors["Adamax", 8, False]
    recovered = {f"{name}{what}" for name in ("full", "spherical", "full_for_spherical")
                 for what in ("", "_recovery", "_errors", "_loss")}
    assert set(ran.pictures) == recovered | {"kernel", "kernels", "local", "means", "single",
                                             "closer"}


def test_sliding_windows(example):
    ran = example("sliding_windows", "scipy", "PIL")
    got = ran.outcome
    assert got["views"]
    assert got["digit error"] < 1e-12 and got["bank error"] < 1e-12
    assert got["filters"] >= 19
    for name, (symmetric, straight, turned) in got["symmetry"].items():
        assert (straight < 1e-12) == symmetric, name
        assert turned < 1e-12, name
    assert {symmetric for symmetric, _, _ in got["symmetry"].values()} == {True, False}
    assert all(np.nanmin(times) > 0 for times in got["milliseconds"].values())
    assert set(ran.pictures) == {"photograph", "views", "digit", "bank", "filtered", "timing"}


def test_image_deblurring(example):
    ran = example("image_deblurring", "scipy", "PIL")
    got = ran.outcome
    with np.load(ROOT / "tests/data/deblur_points.npz") as best:
        assert {"SciPy", "deblur"} <= set(got["objective"]) <= {"SciPy", "deblur", "autograd"}
        for way in got["objective"]:
            assert got["objective"][way] == pytest.approx(best["best/objective"], abs=1e-6), way
            assert got["PSNR"][way] == pytest.approx(best["best/psnr"], abs=2e-3), way
        np.testing.assert_allclose(got["sharp"], best["astro"], atol=1e-6)
    with np.load(ROOT / "tests/data/deblur.npz") as given:
        np.testing.assert_allclose(got["psf"], given["psf"], atol=1e-15)
    assert got["blurred PSNR"] == pytest.approx(19.93078, abs=1e-4)
    assert set(ran.pictures) == {"problem", "deblurred", "objective"}


def test_command_line(tmp_path):
    def run(*arguments):
        return subprocess.run([sys.executable, SCRIPTS / "learn_scale_1d.py", *arguments],
                              cwd=tmp_path, capture_output=True, text=True)

    assert run().returncode == 0 and (tmp_path / "learn_scale_1d" / "losses.png").is_file()
    assert run("a", "b").stderr == "usage: learn_scale_1d.py [OUT_DIR]\n"


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setattr(sys, "argv", ["learn_scale_1d.py"])
    with pytest.raises(SystemExit, match="^learn_scale_1d.py: needs the Python package not_there$"):
        importlib.import_module("common").need("numpy", "not_there")


def sections():
    """Of every section of the guide, its Python blocks and the outputs shown below them."""
    text = GUIDE.read_text(encoding="utf-8")
    found = {}
    fenced = (r"^## (?P<title>[^\n]*)|"
              r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```)?")
    for match in re.finditer(fenced, text, re.DOTALL | re.MULTILINE):
        if match["title"]:
            blocks = found.setdefault(match["title"], [])
        else:
            # As many empty lines before it as make a traceback show lines of the guide.
            lines = text.count("\n", 0, match.start("code"))
            blocks.append(("\n" * lines + match["code"], match["output"]))
    return [pytest.param(blocks, id=title) for title, blocks in found.items() if blocks]


@pytest.mark.parametrize("blocks", sections())
def test_snippets(blocks, tmp_path, monkeypatch):
    """One namespace for a section; what a block prints is the text block below it, if any."""
    monkeypatch.chdir(tmp_path)
    code = "".join(block for block, _ in blocks)
    for package in ("torch", "jax", "dask", "distributed", "scipy"):
        if re.search(rf"\b(?:import|from) (?:blurfield\.)?{package}\b", code):
            pytest.importorskip(package)
    if "datasets." in code:
        pytest.importorskip("PIL")
    namespace = {"__name__": "guide"}
    for block, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, str(GUIDE), "exec"), namespace)
        if expected is not None:
            assert printed.getvalue() == expected
