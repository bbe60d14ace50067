# SPDX-License-Identifier: BSD-3-Clause
import pathlib

import numpy as np
import pytest

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
MODES = ["reflect", "mirror", "nearest", "constant", "wrap"]


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def cases(file, prefix=""):
    """The cases of tests/data/`file`.npz by name, each a dict of arrays."""
    found = {}
    with np.load(DATA / f"{file}.npz") as arrays:
        for key in arrays.files:
            case, name = key.split("/")
            if case.startswith(prefix):
                found.setdefault(case, {})[name] = arrays[key]
    return found
