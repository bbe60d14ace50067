# SPDX-License-Identifier: BSD-3-Clause
"""Our side: the process of ours.cc, one line in, one line out."""

import subprocess

import numpy as np


class Ours:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.process = None
        self.written = {}
        self.restart()

    def restart(self):
        """A fresh process, so that memory is measured from the start."""
        self.close()
        self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, cwd=self.folder)

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()

    def ask(self, *words):
        """Sends a job and returns the words of the answer."""
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        if not answer:
            raise RuntimeError(f"ours failed on: {' '.join(map(str, words))}")
        return answer

    def uniform(self, x, sigma, threads, tolerance=0):
        """Seconds and output."""
        self.write("x", x)
        seconds, _ = self.ask("uniform", *x.shape, threads, sigma, tolerance, "x", "out")
        return float(seconds), self.read(x.shape)[0]

    def adaptive(self, x, field, threads, truncate, radius=0, gradient=False):
        """Seconds, bytes risen, and [output, gradients...]."""
        self.write("x", x)
        self.write("field", field)
        seconds, risen = self.ask("adaptive", *x.shape, threads, len(field), truncate, radius,
                                  int(gradient), "x", "field", "out")
        shapes = [x.shape] + ([x.shape, field.shape] if gradient else [])
        return float(seconds), float(risen), self.read(*shapes)

    def tolerance(self, x, field, threads, tolerance, method="auto", what="forward"):
        """Seconds, what was computed (the blur, or a gradient), bytes risen, and the parts of the
        pixels by exact, stack and residual."""
        self.write("x", x)
        self.write("field", field)
        seconds, risen, *parts, _ = self.ask("tolerance", *x.shape, threads, len(field), tolerance,
                                             method, what, "x", "field", "out")
        result = self.read(field.shape if what == "field" else x.shape)[0]
        return float(seconds), result, float(risen), [float(part) for part in parts]

    def plot(self, labels, points, drawing):
        """Writes curves, lines of (x, y, name), to an SVG."""
        lines = "".join(f"{x} {y} {name}\n" for x, y, name in points)
        (self.folder / "points").write_text("\n".join(labels) + "\n" + lines, encoding="utf-8")
        drawing.parent.mkdir(parents=True, exist_ok=True)
        self.ask("plot", "points", drawing)

    def adamax(self, x, target, start, threads, radius=0):
        """Seconds of an iteration, bytes risen, and the gradient at the start; truncate 2."""
        self.write("x", x)
        self.write("target", target)
        self.write("start", start)
        seconds, risen = self.ask("adamax", *x.shape, threads, len(start), 2, radius, "x",
                                  "target", "start", "out")
        return float(seconds), float(risen), self.read(start.shape)[0]

    def correlate(self, x, kernels, threads, method="auto", keep=True):
        """Seconds, output (None unless kept), bytes risen and the method that ran, of an image
        (C, H, W) and kernels (K, C, h, w)."""
        self.write("x", x)
        self.write("kernels", kernels)
        seconds, risen, ran = self.ask("correlate", *x.shape, len(kernels), *kernels.shape[2:],
                                       threads, method, "x", "kernels", "out" if keep else "-")
        result = self.read((len(kernels), *x.shape[1:]))[0] if keep else None
        return float(seconds), result, float(risen), ran

    def document(self, form, solver, threads, psf, blurred, start):
        """Seconds, objective, evaluations and Hessian products of document 004."""
        for name, array in (("psf", psf), ("blurred", blurred), ("start", start)):
            self.write(name, array, np.float64)
        answer = self.ask("document", *blurred.shape, threads, form, solver, "psf", "blurred",
                          "start")
        return float(answer[0]), float(answer[1]), int(answer[2]), int(answer[3])

    def richardson_lucy(self, blurred, psf, threads, iterations):
        """Seconds and the deblurred image."""
        self.write("blurred", blurred, np.float64)
        self.write("psf", psf, np.float64)
        answer = self.ask("richardson-lucy", *blurred.shape, len(psf), threads, iterations, "psf",
                          "blurred", "out")
        return float(answer[0]), self.read(blurred.shape, dtype=np.float64)[0]

    def write(self, name, array, dtype=np.float32):
        """Writes a file, unless it holds this very array."""
        if self.written.get(name) is not array:
            np.ascontiguousarray(array, dtype).tofile(self.folder / name)
            self.written[name] = array

    def read(self, *shapes, dtype=np.float32):
        flat = np.fromfile(self.folder / "out", dtype)
        parts = np.split(flat, np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
