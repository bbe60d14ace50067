# SPDX-License-Identifier: BSD-3-Clause
"""Blurs with a tolerance beside our exact ones, im2col and OpenCV's uniform blur."""

from statistics import median

from blur import im2col
from common import THREADS, agree, alternate, mb, ms, table, timed, verdict

import cv2
import numpy as np

ROUNDS = 5
TOLERANCE = 1e-3
SIDE = 1024
SIGMAS = (1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
MINORS = (1, 1.5, 2, 3, 4, 6, 8, 12, 16)
ASPECT = 4
# Noise in 0..1 blurred lies above 0.4 somewhere: so far may two sides differ that are each within
# the tolerance.
AGREE = 2 * TOLERANCE / 0.4
AFFORDABLE = 4e10, 1e10  # taps of an exact blur, isotropic and of covariances
PEER_TAPS = 3e7  # of all pixels of an im2col
PEER_SIGMA = 32  # the largest that it is given

# nanoseconds a pixel, one thread
FORWARD, SLOPE, ADJOINT, RESIDUAL = 8, 10, 10, 150
FLAT = 1.5
AGAINST_IM2COL = 10000
AGAINST_EXACT = 1 / 1.1
TWO_THREADS = 1.8


def waves(shape):
    """A smooth pattern in -1..1."""
    y, x = np.meshgrid(*(np.linspace(0, 2 * np.pi, n) for n in shape), indexing="ij")
    return (np.sin(x + 0.5 * y) + np.cos(1.5 * y - x)) / 2


def smooth_field(sigma, shape):
    """Sigma within a quarter of an octave of its middle, (1, H, W)."""
    return (sigma * 2 ** (0.25 * waves(shape)))[None].astype(np.float32)


def noise_field(low, high, shape):
    """Independent sigmas, (1, H, W)."""
    return np.random.default_rng(7).uniform(low, high, (1, *shape)).astype(np.float32)


def steps_field(low, high, shape):
    """Four quarters, low and high by turns, (1, H, W)."""
    y, x = np.indices(shape)
    left = (y < shape[0] // 2) == (x < shape[1] // 2)
    return np.where(left, low, high)[None].astype(np.float32)


def covariance_field(minor, shape):
    """Covariances of aspect 4:1 and smoothly turning axes, (3, H, W) log-Cholesky."""
    across = smooth_field(minor, shape)[0].astype(np.float64)
    along = ASPECT * across
    angle = 3 * waves(shape)
    c, s = np.cos(angle), np.sin(angle)
    yy = (s * along) ** 2 + (c * across) ** 2
    yx = s * c * (along**2 - across**2)
    xx = (c * along) ** 2 + (s * across) ** 2
    a = np.log(yy) / 2
    b = yx / np.sqrt(yy)
    return np.stack([a, b, np.log(xx - b * b) / 2]).astype(np.float32)


def random_image(side):
    return np.random.default_rng(8).random((side, side), np.float32)


def within(value, goal, unit=""):
    """A number that should stay below its goal."""
    return f"{value:.1f}{unit} (goal {goal}{unit}{'' if value <= goal else ', **missed**'})"


def nanoseconds(seconds, image):
    return 1e9 * seconds / image.size


def exact_nanoseconds(ours, make_field, sigma, rounds, affordable):
    """A pixel's, one thread, of the exact blur within the tolerance, on as large an image as it does
    in time."""
    taps = (2 * 3.7 * sigma + 1) ** 2
    side = int(min(SIDE, (affordable / taps) ** 0.5))
    x, field = random_image(side), make_field((side, side))
    rounds = rounds if taps * side**2 < affordable / 4 else 1
    return nanoseconds(median(ours.tolerance(x, field, 1, TOLERANCE, "exact")[0]
                              for _ in range(rounds)), x)


def im2col_nanoseconds(ours, sigma):
    """A pixel's on two threads, of an image as large as memory allows; compared with ours."""
    radius = int(np.ceil(4 * sigma * 2**0.25))
    side = int(np.clip((PEER_TAPS / (2 * radius + 1) ** 2) ** 0.5, 16, 512))
    x, field = random_image(side), smooth_field(sigma, (side, side))
    seconds, _, results = im2col(ours.folder, "isotropic", radius, x, field)
    mine = ours.adaptive(x, field, THREADS, 4, radius)[2][0]
    agree(f"im2col sigma {sigma}", mine, results[0], 1e-4)
    return nanoseconds(seconds, x)


def opencv_seconds(x, sigma, threads):
    size = 2 * int(4 * sigma + 0.5) + 1
    cv2.setNumThreads(threads)
    result = timed(lambda: cv2.GaussianBlur(x, (size, size), sigma, sigmaY=sigma,
                                            borderType=cv2.BORDER_REFLECT))
    cv2.setNumThreads(THREADS)
    return result


class Curves:
    """Points of the drawing."""

    def __init__(self):
        self.points = {}

    def add(self, name, sigma, nanosecond):
        self.points.setdefault(name, []).append((sigma, nanosecond, name))

    def draw(self, ours, drawing):
        ours.plot(("sigma, pixels (covariances: geometric mean of the axes)",
                   "nanoseconds per pixel"),
                  [point for curve in self.points.values() for point in curve], drawing)


def stack_row(ours, sigma, rounds, quick, curves):
    """A row of the table of stacks, and its nanoseconds: forward, slope, adjoint."""
    x, field = random_image(SIDE), smooth_field(sigma, (SIDE, SIDE))

    def side(threads, method, what):
        return lambda: ours.tolerance(x, field, threads, TOLERANCE, method, what)[:2]

    s = alternate(f"stack sigma {sigma}", {"1": side(1, "stack", "forward"),
                                           "2": side(2, "stack", "forward"),
                                           "auto": side(1, "auto", "forward")}, rounds, AGREE)
    s |= {what: median(side(1, "stack", what)()[0] for _ in range(rounds))
          for what in ("field", "image")}
    ns = {name: nanoseconds(seconds, x) for name, seconds in s.items()}
    exact = exact_nanoseconds(ours, lambda shape: smooth_field(sigma, shape), sigma, rounds,
                              AFFORDABLE[0])
    opencv = nanoseconds(median(opencv_seconds(x, sigma, 1)[0] for _ in range(rounds)), x)
    for name, value in (("auto", ns["auto"]), ("exact", exact), ("stack", ns["1"]),
                        ("OpenCV", opencv)):
        curves.add(name, sigma, value)
    peer = ""
    if not quick and sigma <= PEER_SIGMA:
        nanosecond = im2col_nanoseconds(ours, sigma)
        curves.add("im2col", sigma, nanosecond)
        ratio = nanosecond / ns["auto"]
        peer = f"{nanosecond:.0f} = " + (verdict(ratio, AGAINST_IM2COL) if sigma == PEER_SIGMA
                                         else f"{ratio:.0f}x")
    return ns, [f"{sigma:g}", within(ns["1"], FORWARD), within(ns["field"], SLOPE),
                within(ns["image"], ADJOINT), verdict(s["1"] / s["2"], TWO_THREADS),
                f"{ns['auto']:.1f}", f"{exact:.0f}", peer, f"{opencv:.1f}"]


def bench_stack(ours, rounds, quick, curves):
    """The table of stacks and what follows from it."""
    rows = [stack_row(ours, sigma, rounds, quick, curves) for sigma in SIGMAS]
    yield table(["sigma", "stack", "with d/dsigma", "adjoint", "2 threads against 1", "auto",
                 "exact", "torch im2col, 2 threads", "cv2.GaussianBlur, uniform"],
                [row for _, row in rows])
    spans = [max(ns[what] for ns, _ in rows) / min(ns[what] for ns, _ in rows)
             for what in ("1", "field", "image")]
    yield ("\nSlowest over fastest sigma: "
           f"{', '.join(within(span, FLAT, 'x') for span in spans)}\n"
           "(stack, with d/dsigma, adjoint).\n")


def bench_residual(ours, rounds, curves):
    """Rows of the table of covariances."""
    for minor in MINORS:
        x, field = random_image(SIDE), covariance_field(minor, (SIDE, SIDE))
        sides = {f"{method} {threads}": lambda method=method, threads=threads:
                 ours.tolerance(x, field, threads, TOLERANCE, method)[:2]
                 for method, threads in (("residual", 1), ("residual", 2), ("auto", 1))}
        s = alternate(f"residual minor {minor}", sides, rounds, AGREE)
        s |= {what: median(ours.tolerance(x, field, 1, TOLERANCE, "residual", what)[0]
                           for _ in range(min(rounds, 3))) for what in ("field", "image")}
        ns = {name: nanoseconds(seconds, x) for name, seconds in s.items()}
        exact = exact_nanoseconds(ours, lambda shape, minor=minor: covariance_field(minor, shape),
                                  minor * (ASPECT + 1) / 2, rounds, AFFORDABLE[1])
        mean = minor * ASPECT**0.5
        for name, value in (("residual 4:1", ns["residual 1"]),
                            ("exact 4:1", exact)):
            curves.add(name, mean, value)
        yield [f"{minor:g}, {ASPECT * minor:g}", within(ns["residual 1"], RESIDUAL),
               f"{ns['field']:.0f}", f"{ns['image']:.0f}",
               f"{s['residual 1'] / s['residual 2']:.2f}x", f"{ns['auto 1']:.1f}", f"{exact:.0f}",
               f"{exact / ns['auto 1']:.1f}x"]


def bench_auto(ours, rounds):
    """Rows of the table of choices: auto beside exact, within the same tolerance."""
    shape = (512, 512)
    fields = {f"smooth, sigma {s:g}": smooth_field(s, shape) for s in (0.4, 0.7, 1, 1.5, 2, 3)}
    fields |= {f"noise, sigma {low:g} to {high:g}": noise_field(low, high, shape)
               for low, high in ((0.3, 1), (0.5, 2), (0.5, 4), (0.5, 8), (3.5, 4.5), (2, 16))}
    fields |= {f"steps, sigma {low:g} and {high:g}": steps_field(low, high, shape)
               for low, high in ((0.5, 1), (0.5, 8), (0.5, 32))}
    fields |= {f"covariances, axes {s:g} and {ASPECT * s:g}": covariance_field(s, shape)
               for s in (0.4, 0.7, 1, 1.5, 2, 3)}
    for side in (16, 32, 64, 128):
        small = (side, side)
        fields |= {f"{side} x {side}, smooth, sigma {s:g}": smooth_field(s, small)
                   for s in (1, 4, 16)}
        fields[f"{side} x {side}, noise, sigma 0.5 to 2"] = noise_field(0.5, 2, small)
        fields[f"{side} x {side}, covariances, axes 2 and 8"] = covariance_field(2, small)
    for name, field in fields.items():
        x = random_image(field.shape[1])
        sides = {method: lambda method=method, x=x, field=field:
                 ours.tolerance(x, field, 1, TOLERANCE, method)[:2] for method in ("exact", "auto")}
        s = alternate(name, sides, rounds, AGREE)
        parts = ours.tolerance(x, field, 1, TOLERANCE)[3]
        ran = ", ".join(f"{100 * part:.0f} % {method}" for part, method in
                        zip(parts, ("exact", "stack", "residual"), strict=True) if part > 0)
        ratio = s["exact"] / s["auto"]
        yield [name, f"{nanoseconds(s['exact'], x):.1f}", f"{nanoseconds(s['auto'], x):.1f}", ran,
               f"{ratio:.2f}x (goal {AGAINST_EXACT:.2f}x"
               f"{'' if ratio >= AGAINST_EXACT else ', **missed**'})"]


def bench_uniform(ours, rounds):
    """Rows of the table of uniform blurs."""
    x = random_image(2048)
    asked = {20: 10, 60: 30}
    for sigma in (2, 5, 10, 20, 60, 200):
        sides = {
            "tolerance": lambda: ours.uniform(x, sigma, THREADS, TOLERANCE),
            "one": lambda: ours.uniform(x, sigma, 1, TOLERANCE),
            "exact": lambda: ours.uniform(x, sigma, THREADS),
            "cv2": lambda: opencv_seconds(x, sigma, THREADS),
        }
        s = alternate(f"uniform sigma {sigma}", sides, rounds, AGREE)
        ratio = s["cv2"] / s["tolerance"]
        yield [f"{sigma}", ms(s["one"]), ms(s["tolerance"]), ms(s["exact"]), ms(s["cv2"]),
               verdict(ratio, asked[sigma]) if sigma in asked else f"{ratio:.1f}x"]


def bench_memory(ours):
    """A sentence."""
    x = random_image(SIDE)
    words = []
    most = 2 * x.nbytes + 2e6 * THREADS
    for name, field in (("isotropic", smooth_field(8, x.shape)),
                        ("covariances", covariance_field(4, x.shape))):
        ours.restart()
        ours.tolerance(x[:128, :128], field[:, :128, :128], THREADS, TOLERANCE)  # starts threads
        risen = max(ours.tolerance(x, field, THREADS, TOLERANCE)[2] for _ in range(2))
        words.append(f"{name} {mb(risen)}{'' if risen <= most else ' (**missed**)'}")
    return (f"**Memory** beside image, field and result, {SIDE} x {SIDE}, {THREADS} threads: "
            f"{', '.join(words)}\n(goal: two images and 2 MB a thread, {mb(most)}).\n")


def report(ours, rounds, quick, drawing):
    """The tables, as Markdown, section by section; draws, if `drawing` is a path."""
    curves = Curves()
    yield (f"**Isotropic**, nanoseconds a pixel, {SIDE} x {SIDE}, tolerance {TOLERANCE:g}, one thread "
           "unless said: smooth fields, sigma within\na quarter of an octave. `exact` and im2col on "
           f"images as large as they do in time, im2col with the radius 4 sigma of\nthe largest. "
           f"`with d/dsigma` is the vjp by the field, `adjoint` that by the image.\n\n")
    yield from bench_stack(ours, rounds, quick, curves)
    yield (f"\n**Covariances**, the same, axes {ASPECT}:1 that turn; the minor axis's sigma as above."
           "\n\n")
    yield table(["sigmas", "residual", "vjp by the field", "adjoint", "2 threads against 1", "auto",
                 "exact", "exact / auto"], bench_residual(ours, rounds, curves))
    yield ("\n**The choice**, 512 x 512 unless said, nanoseconds a pixel on one thread: what `auto` takes beside "
           "exact blurs within the same\ntolerance.\n\n")
    yield table(["field", "exact", "auto", "it took", "exact / auto"], bench_auto(ours, rounds))
    yield (f"\n**Uniform**, 2048 x 2048, {THREADS} threads unless said, tolerance {TOLERANCE:g}; "
           "exact and OpenCV: truncate 4.\n\n")
    yield table(["sigma", "ours, 1 thread", "ours", "ours, exact", "cv2.GaussianBlur",
                 "cv2 / ours"], bench_uniform(ours, rounds))
    yield "\n" + bench_memory(ours)
    if drawing:
        curves.draw(ours, drawing)
