# SPDX-License-Identifier: BSD-3-Clause
"""Runs the command line whose path is in the environment variable BLURFIELD."""
import json
import os
import subprocess

import numpy as np
import pytest

BINARY = os.environ["BLURFIELD"]


def run(*arguments, **options):
    options.setdefault("timeout", 300)
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **options)


@pytest.fixture
def ok():
    """Runs a command that must succeed with nothing on standard error; returns its output."""
    def call(*arguments, **options):
        done = run(*arguments, **options)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout
    return call


@pytest.fixture
def ok_json(ok):
    return lambda *arguments: json.loads(ok(*arguments, "--json"))


@pytest.fixture
def fails():
    """Runs a command that must fail with one line on standard error; returns that line."""
    def call(*arguments, code=1, **options):
        done = run(*arguments, **options)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert done.stdout == ""
        assert done.stderr.startswith("blurfield: ")
        assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n"), done.stderr
        return done.stderr[len("blurfield: "):-1]
    return call


@pytest.fixture
def rng():
    return np.random.default_rng(7)
