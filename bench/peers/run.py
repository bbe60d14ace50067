#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Times the library beside SciPy, scikit-image, OpenCV, PyTorch and NumPy on the same work, in one
run.

    run.py OURS [PART...] [--update docs/benchmarks.md] [--rounds 9] [--quick]

OURS is the program built from ours.cc. Every round runs each side in turn, once to warm up and three
times for a median (once in all, where that takes more than half a second); the tables hold medians
of the rounds. The results of the first are compared: a peer that computes something else ends the
run.
A PART is convolution, blur, tolerance, learn, deblur or python; none means all. --update replaces their
sections of the page; convolution and tolerance also draw images/convolution_methods.svg and
images/tolerance_cost.svg beside it. --quick leaves out the slow peers.
"""

import argparse
import datetime
import os
import platform
import tempfile
from pathlib import Path

import blur
import convolution
import cv2
import deblur
import learn
import numpy as np
import python_package
import scipy
import tolerance
import torch
from ours import Ours

END = "<!-- bench:end -->\n"
PARTS = ("convolution", "blur", "tolerance", "learn", "deblur", "python")
MODULES = {"convolution": convolution, "blur": blur, "tolerance": tolerance, "learn": learn,
           "deblur": deblur, "python": python_package}
DRAWINGS = {"convolution": "convolution_methods.svg", "tolerance": "tolerance_cost.svg"}


def machine(ours):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file
                      if line.startswith("model name")), platform.processor())
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return (f"{model}, {os.cpu_count()} cores, SIMD target {ours.ask('peak')[1]}; {system}; "
            f"NumPy {np.__version__}, SciPy {scipy.__version__}, OpenCV {cv2.__version__}, "
            f"PyTorch {torch.__version__}")


def report(part, ours, rounds, quick, page):
    """A part's tables, as Markdown, section by section."""
    command = f"script/bench {part}" + (" --quick" if quick else "")
    rounds = min(rounds, getattr(MODULES[part], "ROUNDS", rounds))
    yield (f"{datetime.date.today()}, `{command}`, medians of {rounds} rounds.\n"
           f"Machine: {machine(ours)}.\n\n")
    drawing = []
    if part in DRAWINGS:
        drawing = [page.resolve().parent / "images" / DRAWINGS[part] if page else None]
    yield from MODULES[part].report(ours, rounds, quick, *drawing)
    yield "\n"


def replace(page, part, text):
    """The page's section of this part."""
    begin = f"<!-- bench:{part} -->\n"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    page.write_text(before + begin + text + END + rest.split(END, 1)[1], encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ours")
    parser.add_argument("parts", nargs="*", metavar="PART", default=PARTS,
                        help=", ".join(PARTS))
    parser.add_argument("--update", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    for part in set(arguments.parts) - set(PARTS):
        parser.error(f"expected a part of {', '.join(PARTS)}, got '{part}'")
    page = arguments.update
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(os.path.abspath(arguments.ours), Path(folder))
        try:
            for part in arguments.parts:
                text = ""
                for section in report(part, ours, arguments.rounds, arguments.quick, page):
                    print(section, end="", flush=True)
                    text += section
                if page:
                    replace(page, part, text.rstrip("\n") + "\n")
        finally:
            ours.close()


if __name__ == "__main__":
    main()
