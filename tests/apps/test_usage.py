# SPDX-License-Identifier: BSD-3-Clause
"""Exit codes, help, JSON, what goes to which stream, and cancellation."""
import json
import os
import pty
import signal
import subprocess
import time

import numpy as np
import pytest
import tifffile
from conftest import BINARY, run
from PIL import Image


@pytest.fixture
def photo(rng, tmp_path):
    Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)).save(tmp_path / "in.png")
    return tmp_path / "in.png"


@pytest.fixture
def slow_job(rng, tmp_path):
    """Arguments of a blur that takes many seconds."""
    tifffile.imwrite(tmp_path / "large.tif", rng.random((1500, 1500), dtype=np.float32))
    tifffile.imwrite(tmp_path / "wide.tif", np.full((1500, 1500), 60, np.float32))
    return ["blur", tmp_path / "large.tif", tmp_path / "out.tif", "--sigma-map",
            tmp_path / "wide.tif", "--threads", 1]


@pytest.mark.parametrize("command", [[], ["blur"], ["filter"], ["compare"], ["info"]])
def test_help_teaches(ok, command):
    text = ok(*command, "--help")
    assert "Usage: blurfield" in text and "Examples:" in text
    assert text.count(f"blurfield {command[0]} " if command else "blurfield ") >= 2
    assert max(map(len, text.splitlines())) < 125


def test_version(ok):
    assert ok("--version").startswith("blurfield ")


@pytest.mark.parametrize("arguments", [
    [], ["--nonsense"], ["smudge"], ["blur"], ["blur", "IN"], ["blur", "IN", "OUT"],
    ["blur", "IN", "OUT", "--sigma"], ["blur", "IN", "OUT", "--sigma", "wide"],
    ["blur", "IN", "OUT", "--sigma", "1", "--cov", "1", "0", "1"],
    ["blur", "IN", "OUT", "--sigma", "1", "--sigma-map", "MAP"],
    ["blur", "IN", "OUT", "--sigma-yx", "1"], ["blur", "IN", "OUT", "--cov", "1", "0"],
    ["blur", "IN", "OUT", "--sigma", "1", "--sigma-range", "1", "2"],
    ["blur", "IN", "OUT", "--sigma", "1", "--scatter"],
    ["blur", "IN", "OUT", "--sigma", "1", "--mode", "bounce"],
    ["blur", "IN", "OUT", "--sigma", "1", "--cval", "1"],
    ["blur", "IN", "OUT", "--sigma", "1", "--mode", "constant", "--cval", "1", "--mask", "M"],
    ["blur", "IN", "OUT", "--sigma", "1", "--truncate", "0"],
    ["blur", "IN", "OUT", "--sigma", "1", "--radius", "-1"],
    ["blur", "IN", "OUT", "--sigma", "1", "--radius", "2", "--radius-yx", "2", "3"],
    ["blur", "IN", "OUT", "--sigma", "1", "--bit-depth", "12"],
    ["blur", "IN", "OUT", "--sigma", "1", "--threads", "0"],
    ["blur", "IN", "OUT", "--sigma", "1", "--report", "OUT"],
    ["blur", "IN", "OUT", "--sigma", "1", "--report", "IN"],
    ["blur", "IN", "OUT", "EXTRA", "--sigma", "1"],
    ["compare", "A"], ["compare", "A", "B", "--data-range", "0"], ["info"], ["info", "A", "B"]])
def test_wrong_usage(fails, arguments):
    assert "--help" in fails(*arguments, code=2)


def test_output_streams(ok, photo, tmp_path):
    text = ok("blur", photo, tmp_path / "a.png", "--sigma", 1)
    assert text.count("\n") == 2 and "a.png" in text and "12 x 16" in text and "exact" in text
    assert ok("blur", photo, tmp_path / "b.png", "--sigma", 1, "--quiet") == ""
    assert ok("compare", photo, photo, "--quiet") == ""
    assert ok("info", photo, "--quiet") == ""


def test_json_is_one_object(ok, photo, tmp_path):
    tifffile.imwrite(tmp_path / "map.tif", np.ones((12, 16), np.float32))
    summary = json.loads(ok("blur", photo, tmp_path / "a b.png", "--sigma-map",
                            tmp_path / "map.tif", "--threads", 1, "--json"))
    assert summary["command"] == "blur"
    assert summary["in"] == str(photo) and summary["out"] == str(tmp_path / "a b.png")
    assert (summary["height"], summary["width"], summary["channels"]) == (12, 16, 3)
    assert summary["in_type"] == summary["out_type"] == "uint8"
    assert summary["gaussian"] == "sigma-map" and summary["map"] == str(tmp_path / "map.tif")
    assert summary["threads"] == 1 and summary["multiply_adds"] > 0
    assert summary["blur_seconds"] >= 0
    assert f"'{tmp_path / 'a b.png'}'" in summary["line"]


def test_full_standard_output(photo, tmp_path):
    for arguments in (["info", photo], ["info", photo, "--json"], ["compare", photo, photo],
                      ["--help"], ["blur", photo, tmp_path / "out.png", "--sigma", 1]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, *map(str, arguments)], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 1
        assert done.stderr.startswith("blurfield: standard output")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_cancelling_leaves_nothing(slow_job, tmp_path, stop):
    before = sorted(tmp_path.rglob("*"))
    process = subprocess.Popen([BINARY, *map(str, slow_job)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(0.7)
    assert process.poll() is None
    process.send_signal(stop)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + stop
    assert out == "" and err == "blurfield: cancelled\n"
    assert sorted(tmp_path.rglob("*")) == before


def test_killing_leaves_nothing(slow_job, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    process = subprocess.Popen([BINARY, *map(str, slow_job)])
    time.sleep(0.7)
    process.kill()
    process.wait()
    assert sorted(tmp_path.rglob("*")) == before


def on_terminal(arguments, seconds):
    """What a command writes to a terminal on standard error within some seconds."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BINARY, *map(str, arguments)], stdout=subprocess.DEVNULL,
                               stderr=theirs)
    os.close(theirs)
    time.sleep(seconds)
    process.terminate()
    text = b""
    try:
        while chunk := os.read(ours, 4096):
            text += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    process.wait()
    return text.decode()


def test_progress_bar_only_on_a_terminal_and_for_long_work(slow_job, photo, tmp_path):
    assert "%" in on_terminal(slow_job, 2)
    assert "%" not in on_terminal([*slow_job, "--quiet"], 2)
    assert on_terminal(["blur", photo, tmp_path / "short.png", "--sigma", 1], 0.4) == ""


def test_input_is_never_touched(ok, photo, tmp_path):
    before = photo.read_bytes(), photo.stat().st_mtime_ns
    ok("blur", photo, tmp_path / "out.png", "--sigma", 1)
    run("blur", photo, tmp_path / "out.png", "--sigma", 1)
    run("blur", photo, photo, "--sigma", 1)
    assert (photo.read_bytes(), photo.stat().st_mtime_ns) == before
