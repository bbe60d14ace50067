#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves the floors of ARCHITECTURE.md from the #include lines, and the size budgets.

    tools/check_layers.py [ROOT]      prints each violation, exit 1 if there is one
    tools/check_layers.py --self-test proves that each rule can fail
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

# A room of src/blurfield may include itself and the rooms named here.
ROOMS = {
    "base": set(),
    "kernels": {"base"},
    "fft": {"base"},
    "optim": {"base"},
    "io": {"base"},
    "report": {"base"},
    "ops": {"base", "kernels", "fft"},
    "autodiff": {"base", "ops", "optim"},
    "learn": {"base", "ops", "optim", "autodiff"},
    "deblur": {"base", "fft", "ops", "optim"},
}
APPS_MAY_USE = set(ROOMS) - {"kernels", "fft"}
PYTHON_MAY_USE = APPS_MAY_USE - {"io", "report"}

# The only places that may know a library, as folders of the project.
LIBRARIES = {
    r"(tbb|oneapi)/": ["src/blurfield/base"],
    r"hwy/": ["src/blurfield/kernels", "tests", "bench"],
    r"fftw3": ["src/blurfield/fft"],
    r"cblas": ["src/blurfield/ops"],
    r"Eigen/": ["src/blurfield/ops", "bench"],
    r"vips/": ["src/blurfield/io"],
    r"fitsio": ["src/blurfield/io"],
    r"tiffio": ["src/blurfield/io"],
    r"pybind11/": ["python"],
    r"CLI/": ["apps"],
    r"nlohmann/": ["apps", "examples"],
    r"fmt/": ["apps", "examples", "src/blurfield/report"],
    r"nlopt": ["tests"],
    r"(gtest|gmock|rapidcheck)(/|\.h)": ["tests"],
    r"benchmark/": ["bench"],
}

HEADER_LINES = 150
IMPLEMENTATION_LINES = 400
COLUMNS = 100  # of Python; clang-format keeps to its own
UNITS_PER_FOLDER = 15
# Files that may be longer: path -> reason.
LONGER: dict[str, str] = {}

SUFFIXES = {".h", ".cc"}
TREES = ("src", "apps", "python", "tests", "bench", "examples")
PYTHON_SUFFIXES = {".py", ".pyi"}
PYTHON_TREES = ("python", "examples")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
QUOTED_LIBRARY = re.compile(r"hwy/")  # Highway's own examples quote its headers


def includes(text):
    """Yields (line number, header, quoted?) of each #include."""
    for match in INCLUDE.finditer(text):
        header = match[1] or match[2]
        yield text.count("\n", 0, match.end()) + 1, header, match[1] is not None


def room_of(path):
    """The room of src/blurfield that `path` (relative, posix) lies in, or None."""
    parts = path.split("/")
    return parts[2] if path.startswith("src/blurfield/") and len(parts) > 3 else None


def check_include(path, header, quoted):
    """What is wrong with this include in this file, or None."""
    room = room_of(path)
    if header.startswith("blurfield/"):
        parts = header.split("/")
        target = parts[1]
        if target not in ROOMS:
            return f"no such room: {target}"
        if room and target != room and target not in ROOMS[room]:
            return f"{room} may not include {target}"
        if path.startswith("apps/") and target not in APPS_MAY_USE:
            return f"apps may not include {target}, which is private to the library"
        if path.startswith("python/") and target not in PYTHON_MAY_USE:
            return f"python may not include {target}"
        if "detail" in parts[2:-1] and room != target and not path.startswith(("tests/", "bench/")):
            return f"{header} is private to {target}"
        return None
    for pattern, places in LIBRARIES.items():
        if re.match(pattern, header):
            if not any(path.startswith(place + "/") for place in places):
                return f"{header} may be included only in {', '.join(places)}"
            return None
    if quoted and not QUOTED_LIBRARY.match(header):
        top = header.split("/")[0]
        if path.split("/")[0] != top or "/" not in header:
            return f'"{header}": expected a path from src/ or from the root, in its own tree'
    return None


def check_file(root, path):
    """Yields the violations of one file."""
    text = (root / path).read_text(encoding="utf-8")
    for line, header, quoted in includes(text):
        problem = check_include(path, header, quoted)
        if problem:
            yield f"{path}:{line}: {problem}"
    if not text.startswith("// SPDX-License-Identifier: BSD-3-Clause\n"):
        yield f"{path}:1: expected the SPDX line first"
    count = text.count("\n")
    # -inl.h: an implementation that is compiled once per SIMD target.
    header = path.endswith(".h") and not path.endswith("-inl.h")
    budget = HEADER_LINES if header else IMPLEMENTATION_LINES
    if count > budget and path not in LONGER:
        yield f"{path}: {count} lines, the budget is {budget}"


def check_python(root, path):
    """Yields the violations of one file of Python."""
    text = (root / path).read_text(encoding="utf-8")
    if "# SPDX-License-Identifier: BSD-3-Clause\n" not in text[:100]:
        yield f"{path}:1: expected the SPDX line first"
    count = text.count("\n")
    if count > IMPLEMENTATION_LINES:
        yield f"{path}: {count} lines, the budget is {IMPLEMENTATION_LINES}"
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > COLUMNS:
            yield f"{path}:{number}: {len(line)} columns, the budget is {COLUMNS}"


def check(root):
    """All violations below `root`, in order."""
    found = []
    units = {}
    for tree in TREES:
        for file in sorted((root / tree).rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.suffix in PYTHON_SUFFIXES and tree in PYTHON_TREES:
                found.extend(check_python(root, path))
            if file.suffix not in SUFFIXES:
                continue
            room = room_of(path)
            if path.startswith("src/") and room not in ROOMS:
                found.append(f"{path}: lies in no room of src/blurfield")
                continue
            if room:
                units.setdefault(path.rpartition("/")[0], set()).add(file.stem)
            found.extend(check_file(root, path))
    for folder, stems in units.items():
        if len(stems) > UNITS_PER_FOLDER:
            found.append(f"{folder}: {len(stems)} units, the budget is {UNITS_PER_FOLDER}")
    found.extend(f"{path}: allowed to be longer, but is not there"
                 for path in LONGER if not (root / path).is_file())
    return found


SPDX = "SPDX-License-Identifier: BSD-3-Clause\n"
# (file, its text after the SPDX line, a part of the violation expected; None: it is in order)
CASES = [
    ("src/blurfield/ops/a.cc", '#include "blurfield/kernels/k.h"', None),
    ("src/blurfield/ops/a.cc", '#include "blurfield/base/view.h"\n#include <vector>', None),
    ("src/blurfield/ops/a.cc", '#include "blurfield/ops/detail/d.h"', None),
    ("src/blurfield/kernels/k.cc", '#include "hwy/foreach_target.h"', None),
    ("apps/main.cc", '#include <CLI/CLI.hpp>\n#include "apps/save.h"', None),
    ("tests/ops/a_test.cc", '#include "blurfield/kernels/k.h"\n#include "tests/support/s.h"', None),
    ("src/blurfield/base/b.h", '#include "blurfield/ops/a.h"', "base may not include ops"),
    ("src/blurfield/io/i.cc", '#include "blurfield/report/r.h"', "io may not include report"),
    ("src/blurfield/kernels/k.cc", '# include  "blurfield/ops/a.h"', "kernels may not include ops"),
    ("src/blurfield/ops/a.cc", '#include "blurfield/attic/x.h"', "no such room"),
    ("src/blurfield/ops/a.cc", '#include "a.h"', "expected a path"),
    ("src/blurfield/ops/a.cc", '#include "tests/support/s.h"', "expected a path"),
    ("src/blurfield/ops/a.cc", "#include <vips/vips8>", "only in src/blurfield/io"),
    ("src/blurfield/ops/a.cc", "#include <hwy/highway.h>", "only in src/blurfield/kernels"),
    ("src/blurfield/io/i.cc", "#include <tbb/parallel_for.h>", "only in src/blurfield/base"),
    ("apps/main.cc", '#include "blurfield/kernels/k.h"', "private to the library"),
    ("apps/main.cc", '#include "blurfield/ops/detail/d.h"', "private to ops"),
    ("python/bindings/b.cc", '#include "python/bindings/a.h"\n#include <pybind11/stl.h>', None),
    ("python/bindings/b.cc", '#include "blurfield/io/i.h"', "python may not include io"),
    ("src/blurfield/ops/a.cc", "#include <pybind11/stl.h>", "only in python"),
    ("python/blurfield/a.py", "\n" * IMPLEMENTATION_LINES, "the budget is 400"),
    ("python/blurfield/a.py", "x" * (COLUMNS + 1), "the budget is 100"),
    ("src/blurfield/attic/x.h", "", "lies in no room"),
    ("src/blurfield/base/long.h", "\n" * HEADER_LINES, "the budget is 150"),
    ("src/blurfield/base/long.cc", "\n" * IMPLEMENTATION_LINES, "the budget is 400"),
    ("src/blurfield/kernels/k-inl.h", "\n" * HEADER_LINES, None),
]


def self_test():
    """Plants each case alone in an empty tree and looks at the verdict."""
    failures = []
    for path, text, expected in CASES:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, path)
            file.parent.mkdir(parents=True)
            comment = "# " if path.endswith(".py") else "// "
            file.write_text(comment + SPDX + text + "\n", encoding="utf-8")
            found = check(Path(folder))
            right = not found if expected is None else len(found) == 1 and expected in found[0]
            if not right:
                failures.append(f"{path} {text[:60]!r}: expected {expected!r}, got {found}")
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder, "src/blurfield/ops")
        room.mkdir(parents=True)
        for i in range(UNITS_PER_FOLDER + 1):
            (room / f"u{i}.h").write_text("// " + SPDX, encoding="utf-8")
        (room / "u0.h").write_text("int x;\n", encoding="utf-8")
        found = "\n".join(check(Path(folder)))
        for expected in ("expected the SPDX line", "16 units, the budget is 15"):
            if expected not in found:
                failures.append(f"expected {expected!r}, got {found!r}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    found = self_test() if arguments.self_test else check(arguments.root)
    print("\n".join(found) or "check_layers: in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
