# SPDX-License-Identifier: BSD-3-Clause
"""Every kind of bad input: one line that names the file and the reason, exit code 1, no output."""
import os
import stat

import numpy as np
import pytest
import tifffile
from astropy.io import fits
from PIL import Image


@pytest.fixture
def photo(rng, tmp_path):
    Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)).save(tmp_path / "in.png")
    return tmp_path / "in.png"


@pytest.fixture
def rejected(fails, tmp_path):
    """rejected(in, option...): the message of a blur that must leave no file."""
    def call(image, *options, **kwargs):
        before = sorted(tmp_path.rglob("*"))
        line = fails("blur", image, tmp_path / "out.tif", *options, **kwargs)
        assert sorted(tmp_path.rglob("*")) == before
        return line
    return call


def float_map(path, values):
    values = np.asarray(values, np.float32)
    tifffile.imwrite(path, values, photometric="rgb" if values.ndim == 3 else "minisblack")
    return path


def test_missing_file(rejected, tmp_path):
    line = rejected(tmp_path / "none.png", "--sigma", 1)
    assert "none.png" in line and "No such file" in line


def test_folder_as_file(rejected, tmp_path):
    (tmp_path / "folder.png").mkdir()
    assert "folder.png" in rejected(tmp_path / "folder.png", "--sigma", 1)


def test_missing_map_and_mask(rejected, photo, tmp_path):
    assert "none.tif" in rejected(photo, "--sigma-map", tmp_path / "none.tif")
    assert "none.tif" in rejected(photo, "--logchol-map", tmp_path / "none.tif")
    assert "none.tif" in rejected(photo, "--sigma", 1, "--mask", tmp_path / "none.tif")


@pytest.mark.parametrize("name", ["text.png", "text.tif", "text.fits", "text.jpg"])
def test_not_an_image(rejected, tmp_path, name):
    (tmp_path / name).write_text("hello, this is no image at all\n" * 20)
    assert name in rejected(tmp_path / name, "--sigma", 1)


def test_empty_file(rejected, tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    assert "empty.png" in rejected(tmp_path / "empty.png", "--sigma", 1)


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp", "fits"])
def test_truncated_file(rejected, rng, tmp_path, kind):
    path = tmp_path / f"whole.{kind}"
    image = rng.integers(0, 255, (64, 64), dtype=np.uint8)
    if kind == "fits":
        fits.writeto(path, image)
    else:
        Image.fromarray(image).convert("RGB").save(path)
    data = path.read_bytes()
    (tmp_path / f"half.{kind}").write_bytes(data[:len(data) * 6 // 10])
    assert f"half.{kind}" in rejected(tmp_path / f"half.{kind}", "--sigma", 1)


def test_zero_size(rejected, tmp_path):
    header = fits.PrimaryHDU(np.zeros((1, 1), np.float32)).header
    header["NAXIS1"] = 0
    card_text = header.tostring(padding=True)
    (tmp_path / "zero.fits").write_bytes(card_text.encode())
    assert "zero.fits" in rejected(tmp_path / "zero.fits", "--sigma", 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_pixels_name_the_first_coordinate(rejected, tmp_path, bad):
    image = np.ones((9, 11), np.float32)
    image[4, 7] = image[5, 2] = bad
    line = rejected(float_map(tmp_path / "bad.tif", image), "--sigma", 1)
    assert "bad.tif" in line and "(4, 7)" in line and "--mask" in line


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf])
def test_bad_sigma_in_a_map(rejected, photo, tmp_path, bad):
    sigmas = np.ones((12, 16))
    sigmas[2, 3] = sigmas[5, 1] = bad
    line = rejected(photo, "--sigma-map", float_map(tmp_path / "map.tif", sigmas))
    assert "map.tif" in line and "(2, 3)" in line and "sigma > 0" in line


@pytest.mark.parametrize("options", [
    ["--sigma", 0], ["--sigma", -1], ["--sigma", "nan"], ["--sigma", "inf"],
    ["--sigma-yx", 1, -2], ["--sigma-yx", "nan", 1]])
def test_bad_sigma_option(rejected, photo, options):
    line = rejected(photo, *options)
    assert options[0] in line and "sigma >" in line


@pytest.mark.parametrize("cov", [[1, 2, 1], [-1, 0, 1], [1, 0, 0], ["nan", 0, 1], [1, 1, 1]])
def test_covariance_must_be_positive_definite(rejected, photo, cov):
    line = rejected(photo, "--cov", *cov)
    assert "--cov" in line and "positive definite" in line


def test_map_of_another_size_says_both(rejected, photo, tmp_path):
    line = rejected(photo, "--sigma-map", float_map(tmp_path / "map.tif", np.ones((12, 15))))
    assert "map.tif" in line and "12 x 16" in line and "12 x 15" in line
    line = rejected(photo, "--sigma", 1, "--mask", float_map(tmp_path / "mask.tif", np.ones((3, 4))))
    assert "mask.tif" in line and "12 x 16" in line and "3 x 4" in line


def test_map_of_wrong_channels(rejected, photo, tmp_path):
    line = rejected(photo, "--sigma-map", photo)
    assert "in.png" in line and "3" in line
    assert "3 float channels" in rejected(photo, "--logchol-map",
                                          float_map(tmp_path / "one.tif", np.ones((12, 16))))
    assert "uint8" in rejected(photo, "--logchol-map", photo)
    assert "mask" in rejected(photo, "--sigma", 1, "--mask", photo)


def test_ranged_float_map_must_be_within_0_and_1(rejected, photo, tmp_path):
    sigmas = np.full((12, 16), 0.5)
    sigmas[6, 7] = 1.5
    path = float_map(tmp_path / "map.tif", sigmas)
    line = rejected(photo, "--sigma-map", path, "--sigma-range", 1, 2)
    assert "map.tif" in line and "0..1" in line and "(6, 7)" in line


def test_negative_mask(rejected, photo, tmp_path):
    weights = np.ones((12, 16))
    weights[1, 2] = -1
    line = rejected(photo, "--sigma", 1, "--mask", float_map(tmp_path / "mask.tif", weights))
    assert "mask.tif" in line and "(1, 2)" in line


def test_non_finite_logchol(rejected, photo, tmp_path):
    field = np.zeros((12, 16, 3))
    field[3, 5, 1] = np.nan
    line = rejected(photo, "--logchol-map", float_map(tmp_path / "map.tif", field))
    assert "map.tif" in line and "(3, 5)" in line


def test_slow_job_needs_force_slow(rejected, ok, photo, tmp_path):
    sigmas = float_map(tmp_path / "map.tif", np.full((12, 16), 4e6))
    line = rejected(photo, "--sigma-map", sigmas, timeout=60)
    assert "in.png" in line and "--force-slow" in line and "minutes" in line and "2e+13" in line
    mild = float_map(tmp_path / "mild.tif", np.full((12, 16), 2))
    ok("blur", photo, tmp_path / "mild.png", "--sigma-map", mild)


def test_header_that_promises_more_than_memory(rejected, tmp_path):
    header = fits.PrimaryHDU(np.zeros((1, 1), np.float32)).header
    header["NAXIS1"] = header["NAXIS2"] = 2_000_000
    (tmp_path / "huge.fits").write_bytes(header.tostring(padding=True).encode())
    line = rejected(tmp_path / "huge.fits", "--sigma", 1, timeout=60)
    assert "huge.fits" in line


def test_linear_light_wants_integers(rejected, tmp_path):
    line = rejected(float_map(tmp_path / "float.tif", np.ones((4, 5))), "--sigma", 1,
                    "--linear-light")
    assert "float.tif" in line and "--linear-light" in line


def test_existing_output_needs_force(fails, ok, photo, tmp_path):
    (tmp_path / "out.png").write_bytes(b"precious")
    line = fails("blur", photo, tmp_path / "out.png", "--sigma", 1)
    assert "out.png" in line and "exists" in line and "--force" in line
    assert (tmp_path / "out.png").read_bytes() == b"precious"
    ok("blur", photo, tmp_path / "out.png", "--sigma", 1, "--force")
    Image.open(tmp_path / "out.png").load()


def test_unknown_output_format(fails, photo, tmp_path):
    assert "out.xyz" in fails("blur", photo, tmp_path / "out.xyz", "--sigma", 1)
    assert "out" in fails("blur", photo, tmp_path / "out", "--sigma", 1)


def test_folder_that_is_missing_or_closed(fails, photo, tmp_path):
    line = fails("blur", photo, tmp_path / "none" / "out.png", "--sigma", 1)
    assert "out.png" in line
    line = fails("blur", photo, "/proc/out.png", "--sigma", 1)
    assert "/proc/out.png" in line
    if os.geteuid() != 0:  # root may write anywhere
        closed = tmp_path / "closed"
        closed.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
        assert "closed" in fails("blur", photo, closed / "out.png", "--sigma", 1)


def test_full_disk(fails, photo, tmp_path):
    for extension in ("png", "tif", "jpg", "fits"):
        (tmp_path / f"full.{extension}").symlink_to("/dev/full")
        line = fails("blur", photo, tmp_path / f"full.{extension}", "--sigma", 1, "--force")
        assert f"full.{extension}" in line
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_full_disk_for_the_report(fails, photo, tmp_path):
    line = fails("blur", photo, tmp_path / "out.png", "--sigma", 1, "--report", "/dev/full")
    assert "/dev/full" in line
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_file_size_limit_leaves_nothing(fails, photo, tmp_path):
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (256, 256))
    before = sorted(tmp_path.rglob("*"))
    fails("blur", photo, tmp_path / "out.tif", "--sigma", 1, preexec_fn=limit)
    assert sorted(tmp_path.rglob("*")) == before
