# SPDX-License-Identifier: BSD-3-Clause
"""The package as such: what is in it, its words, its types."""
import ast
import doctest
import importlib
import inspect
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import blurfield
from blurfield import _core

FOLDER = pathlib.Path(blurfield.__file__).parent
FUNCTIONS = [name for name in blurfield.__all__ if inspect.isfunction(getattr(blurfield, name))]


def test_everything_named_is_there():
    for name in blurfield.__all__:
        assert getattr(blurfield, name) is not None
    assert set(blurfield.__all__) <= set(dir(blurfield))
    assert re.fullmatch(r"\d+\.\d+\.\d+", blurfield.__version__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        blurfield.nonsense


def test_import_brings_numpy_alone():
    """What takes long is imported where it is used."""
    script = "import sys, blurfield; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                            check=True).stdout.split()
    for name in ("scipy", "torch", "jax", "dask", "matplotlib", "tqdm", "PIL"):
        assert name not in loaded
    assert "numpy" in loaded


def _section(text, title):
    """A section of a docstring, up to the next one; "" without it."""
    head = rf"^{title}\n-{{{len(title)}}}\n"
    found = re.search(head + r"(.*?)(?=^\w[\w ]*\n---|\Z)", text, re.M | re.S)
    return found[1] if found else ""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings(name):
    """A summary, every parameter and the result; a group may lead to another function."""
    function = getattr(blurfield, name)
    text = inspect.getdoc(function)
    lines = text.splitlines()
    assert lines[0].strip() and len(lines[0]) <= 100 and lines[0].endswith(".")
    assert len(lines) > 1 and not lines[1]
    spoken = set()
    for line in _section(text, "Parameters").splitlines():
        if re.match(r"[a-z]\w*(, (\*\*)?\w+)*( : .*)?$", line):
            spoken.update(line.split(" : ")[0].split(", "))
    parameters = [p.name for p in inspect.signature(function).parameters.values()
                  if p.kind is not p.VAR_KEYWORD]
    missing = [p for p in parameters if p not in spoken]
    assert not missing, f"nothing is said of {missing}"
    spoken = {p.lstrip("*") for p in spoken}
    assert spoken <= set(inspect.signature(function).parameters), "what it does not take"
    assert _section(text, "Returns").strip()


def test_classes_have_docstrings():
    for name in set(blurfield.__all__) - set(FUNCTIONS):
        text = vars(getattr(blurfield, name)).get("__doc__")
        assert text and len(text.splitlines()[0]) <= 100, name


def test_examples_in_docstrings():
    count = 0
    for file in FOLDER.glob("_*.py"):
        if file.stem in ("__init__", "__main__"):
            continue
        try:
            module = importlib.import_module(f"blurfield.{file.stem}")
        except ImportError as error:
            assert file.stem.startswith(("_dask", "_torch")), error
            continue
        result = doctest.testmod(module)
        assert result.failed == 0, file.name
        count += result.attempted
    assert count > 5


def _said(docstring):
    """(names of the arguments, those with a default) by what pybind11 says of a function."""
    line = docstring.splitlines()[0]
    arguments = re.search(r"\((.*)\) ->", line)[1]
    parts = re.findall(r"(\w+): (?:[^,\[]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])+", arguments)
    defaults = re.findall(r"(\w+): [^,]* = ", arguments)
    return parts, defaults


def _stubbed(node):
    names = [a.arg for a in node.args.args]
    return names, names[len(names) - len(node.args.defaults):]


def test_stubs_are_the_module():
    """_core.pyi names what _core has, with the same arguments."""
    tree = ast.parse((FOLDER / "_core.pyi").read_text(encoding="utf-8"))
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    public = {n for n in dir(_core) if not n.startswith("_")}
    assert public == set(functions) | set(classes) | {"version"}
    for name, node in functions.items():
        assert _stubbed(node) == _said(getattr(_core, name).__doc__), name
    for name, node in classes.items():
        cls = getattr(_core, name)
        said = {m for m, v in vars(cls).items()
                if not m.startswith("_") or (m == "__init__" and "self:" in (v.__doc__ or ""))}
        stubbed = {}
        for member in node.body:
            if isinstance(member, ast.FunctionDef):
                stubbed[member.name] = member
            elif isinstance(member, ast.AnnAssign):
                stubbed[member.target.id] = None
        if not issubclass(cls, BaseException):
            assert set(stubbed) == said, name
        for method, member in stubbed.items():
            real = getattr(cls, method)
            if member is not None and not isinstance(vars(cls).get(method), property):
                assert _stubbed(member) == _said(real.__doc__), f"{name}.{method}"


def test_the_core_refuses_what_the_package_would_not_hand_in():
    options = _core.BlurOptions("reflect", 0.0, None, [], 0.0, "auto", False)
    x = np.zeros((1, 1, 4, 4), np.float32)
    with pytest.raises(blurfield.Error, match="field: expected the element type of the first"):
        _core.adaptive_blur(x, x.astype(float), x, options)
    with pytest.raises(blurfield.Error, match="input: expected aligned float32 or float64"):
        _core.adaptive_blur(x.astype(int), x, x, options)
    with pytest.raises((BufferError, ValueError)):
        read_only = x.copy()
        read_only.flags.writeable = False
        _core.adaptive_blur(x, x + 1, read_only, options)
    with pytest.raises(TypeError):
        _core.adaptive_blur(3, x, x, options)
