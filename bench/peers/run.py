#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Times the library beside SciPy, OpenCV, PyTorch and NumPy on the same work, in one run.

    run.py OURS [--update docs/benchmarks.md] [--rounds 9] [--quick]

OURS is the program built from ours.cc. Every round runs each side in turn, once to warm up and three
times for a median (once in all, where that takes more than half a second); the tables hold medians
of the rounds. The results of the first are compared: a peer that computes something else ends the
run.
--update also draws images/convolution_methods.svg beside the page. --quick leaves out the slow
peers.
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
import learn
import numpy as np
import scipy
import torch
from ours import Ours

BEGIN, END = "<!-- bench:begin -->\n", "<!-- bench:end -->\n"


def machine(ours):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file
                      if line.startswith("model name")), platform.processor())
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return (f"{model}, {os.cpu_count()} cores, SIMD target {ours.ask('peak')[1]}; {system}; "
            f"NumPy {np.__version__}, SciPy {scipy.__version__}, OpenCV {cv2.__version__}, "
            f"PyTorch {torch.__version__}")


def report(ours, rounds, quick, drawing):
    """The tables, as Markdown, section by section."""
    command = "script/bench" + (" --quick" if quick else "")
    yield (f"{datetime.date.today()}, `{command}`, medians of {rounds} rounds"
           f" (convolution: {min(rounds, convolution.ROUNDS)}), float.\n"
           f"Machine: {machine(ours)}.\n\n")
    yield from convolution.report(ours, min(rounds, convolution.ROUNDS), quick, drawing)
    yield "\n"
    yield from blur.report(ours, rounds, quick)
    yield "\n"
    yield from learn.report(ours, rounds, quick)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ours")
    parser.add_argument("--update", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    page = arguments.update
    drawing = page.resolve().parent / "images/convolution_methods.svg" if page else None
    text = ""
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(os.path.abspath(arguments.ours), Path(folder))
        try:
            for section in report(ours, arguments.rounds, arguments.quick, drawing):
                print(section, end="", flush=True)
                text += section
        finally:
            ours.close()
    if page:
        before, rest = page.read_text(encoding="utf-8").split(BEGIN)
        page.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
