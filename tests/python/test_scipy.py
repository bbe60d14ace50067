# SPDX-License-Identifier: BSD-3-Clause
"""SciPy's functions by the same names give the same."""
import warnings

import numpy as np
import pytest
from conftest import MODES
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import blurfield

ndimage = pytest.importorskip("scipy.ndimage")
signal = pytest.importorskip("scipy.signal")

FAST = settings(max_examples=120, deadline=None, derandomize=True)
ALL_MODES = st.sampled_from([*MODES, "grid-mirror", "grid-wrap"])
NUMBERS = {"float64": st.floats(-100, 100, width=64), "float32": st.floats(-100, 100, width=32),
           "uint8": st.integers(0, 255), "int16": st.integers(-3000, 3000),
           "int64": st.integers(-10**6, 10**6), "bool": st.booleans()}


@st.composite
def arrays(draw, low=1, high=3, dtypes=("float64",), longest=12):
    shape = draw(hnp.array_shapes(min_dims=low, max_dims=high, max_side=longest))
    dtype = draw(st.sampled_from(dtypes))
    return draw(hnp.arrays(dtype, shape, elements=NUMBERS[dtype]))


def per_axis(draw, count, values):
    """One for all, or one for each axis."""
    if draw(st.booleans()):
        return draw(values)
    return draw(st.lists(values, min_size=count, max_size=count))


def agree(ours, theirs, scale):
    """To 1e-12 of what went in, and in type; integers may differ where theirs stands within
    rounding of a whole number."""
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    if ours.dtype.kind == "f":
        tolerance = 1e-12 if ours.dtype == np.float64 else 2e-6
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(scale, 1e-300))
        return
    different = ours != theirs
    if ours.dtype != bool and np.any(different):
        off = np.abs(ours.astype(float) - theirs.astype(float))
        assert off.max() <= 2, "more than rounding"


def size_of(x):
    return float(np.abs(x.astype(float)).max())


@FAST
@given(st.data())
def test_gaussian_filter(data):
    x = data.draw(arrays())
    n = x.ndim
    options = {
        "sigma": per_axis(data.draw, n, st.one_of(st.just(0.0), st.floats(0.05, 6))),
        "order": per_axis(data.draw, n, st.integers(0, 3)),
        "mode": per_axis(data.draw, n, ALL_MODES),
        "cval": data.draw(st.floats(-5, 5)),
        "truncate": data.draw(st.floats(0, 6)),
    }
    if data.draw(st.booleans()):
        # One radius, as every SciPy that has it takes it.
        options["radius"] = data.draw(st.integers(0, 9))
    gains = [sum(np.abs(blurfield.gaussian_kernel(max(s, 1e-3), ndim=1, order=o)))
             for s, o in zip(np.broadcast_to(options["sigma"], n),
                             np.broadcast_to(options["order"], n)) if s > 0]
    agree(blurfield.gaussian_filter(x, **options), ndimage.gaussian_filter(x, **options),
          (size_of(x) + 5) * max(1.0, float(np.prod(gains))))


@FAST
@given(st.data())
def test_gaussian_filter_of_types(data):
    x = data.draw(arrays(dtypes=tuple(NUMBERS)))
    output = data.draw(st.sampled_from([None, "float32", "float64", "uint8", "int32"]))
    if output == "uint8" and x.dtype.kind != "u":
        output = None
    sigma = data.draw(st.floats(0.3, 3))
    mode = data.draw(ALL_MODES)
    agree(blurfield.gaussian_filter(x, sigma, output=output, mode=mode),
          ndimage.gaussian_filter(x, sigma, output=output, mode=mode), size_of(x))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32])
def test_integers_are_cut_off_after_each_axis(rng, dtype):
    x = rng.integers(0, 200, (60, 70)).astype(dtype)
    for order in (0, (1, 0)):
        ours, theirs = (f(x, 1.3, order) for f in (blurfield.gaussian_filter,
                                                   ndimage.gaussian_filter))
        if np.dtype(dtype).kind == "u" and order:
            ours, theirs = ours[theirs < 100], theirs[theirs < 100]
        np.testing.assert_array_equal(ours, theirs)
    flat = np.full((30, 30), 100, dtype)
    np.testing.assert_array_equal(blurfield.gaussian_filter(flat, 2), flat)


def test_large_integers_and_truth(rng):
    identity = [0, 1.0, 0]
    for dtype, low, high in ((np.int64, -10**15, 10**15), (np.uint64, 2**62, 2**63 + 2**61),
                             (np.uint32, 0, 2**32 - 1)):
        x = rng.integers(low, high, (20, 20), dtype=dtype)
        np.testing.assert_array_equal(blurfield.correlate1d(x, identity),
                                      ndimage.correlate1d(x, identity))
        off = blurfield.gaussian_filter(x, 1.5).astype(float) - ndimage.gaussian_filter(x, 1.5)
        assert np.abs(off).max() <= max(1, 1e-15 * high)
    mask = rng.random((30, 30)) < 0.5
    for sigma in (0.2, 1.0):
        np.testing.assert_array_equal(blurfield.gaussian_filter(mask, sigma),
                                      ndimage.gaussian_filter(mask, sigma))


@pytest.mark.parametrize("axes", [(0,), (1, 2), (0, 2), (2, 0), -1])
def test_axes(rng, axes):
    x = rng.normal(size=(6, 8, 7))
    chosen = [axes] if isinstance(axes, int) else list(axes)
    sigma = [1.0 + 0.5 * i for i in range(len(chosen))]
    expected = x
    for axis, s in sorted((a % 3, s) for a, s in zip(chosen, sigma)):
        expected = ndimage.gaussian_filter1d(expected, s, axis)
    np.testing.assert_allclose(blurfield.gaussian_filter(x, sigma, axes=axes), expected, atol=1e-13)


def test_radius_per_axis(rng):
    x = rng.normal(size=(9, 10))
    expected = ndimage.gaussian_filter1d(ndimage.gaussian_filter1d(x, 2, 0, radius=3), 2, 1,
                                         radius=5)
    np.testing.assert_allclose(blurfield.gaussian_filter(x, 2, radius=(3, 5)), expected, atol=1e-13)


def test_sigma_may_be_a_field(rng):
    x = rng.random((3, 20, 22))
    sigma = rng.uniform(0.5, 3, (20, 22))
    np.testing.assert_array_equal(blurfield.gaussian_filter(x, sigma),
                                  blurfield.adaptive_blur(x, sigma=sigma))
    flat = np.full((20, 22), 1.5)
    np.testing.assert_allclose(blurfield.gaussian_filter(x, flat),
                               ndimage.gaussian_filter(x, (0, 1.5, 1.5)), atol=1e-13)
    grey = (255 * x[0]).astype(np.uint8)
    out = blurfield.gaussian_filter(grey, flat)
    assert out.dtype == np.uint8
    assert np.abs(out.astype(int) - ndimage.gaussian_filter(grey.astype(float), 1.5)).max() < 1.01
    with pytest.raises(ValueError, match="order 0, one mode and the last two axes"):
        blurfield.gaussian_filter(x, sigma, order=1)


def test_tolerance(rng):
    x = rng.random((300, 300))
    exact = ndimage.gaussian_filter(x, 20, truncate=7)
    near = blurfield.gaussian_filter(x, 20, tolerance=1e-3)
    assert 0 < np.abs(near - exact).max() < 1e-3
    with pytest.raises(ValueError, match="order 0 with a tolerance"):
        blurfield.gaussian_filter(x, 20, order=1, tolerance=1e-3)


@FAST
@given(st.data())
def test_one_axis(data):
    x = data.draw(arrays(dtypes=("float64", "float32", "int16")))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    mode = data.draw(ALL_MODES)
    sigma, order = data.draw(st.floats(0.2, 5)), data.draw(st.integers(0, 3))
    if x.dtype.kind == "f":
        agree(*(f(x, sigma, axis, order, None, mode, 1.5) for f in (
            blurfield.gaussian_filter1d, ndimage.gaussian_filter1d)),
              (size_of(x) + 1.5) * 20 / sigma**order)
    weights = data.draw(hnp.arrays(np.float64, st.integers(1, 9), elements=st.floats(-2, 2)))
    size = len(weights)
    origin = data.draw(st.integers(-(size // 2), (size - 1) // 2))
    for ours, theirs in ((blurfield.correlate1d, ndimage.correlate1d),
                         (blurfield.convolve1d, ndimage.convolve1d)):
        try:
            expected = theirs(x, weights, axis, None, mode, 0.5, origin)
        except ValueError:
            with pytest.raises(ValueError, match="origin"):
                ours(x, weights, axis, None, mode, 0.5, origin)
            continue
        agree(ours(x, weights, axis, None, mode, 0.5, origin), expected,
              (size_of(x) + 0.5) * max(1e-3, np.abs(weights).sum()))


@FAST
@given(st.data())
def test_correlate_and_convolve(data):
    x = data.draw(arrays(low=1, high=3))
    along = data.draw(st.lists(st.integers(0, x.ndim - 1), min_size=1, max_size=2, unique=True))
    shape = [data.draw(st.integers(1, 6)) if axis in along else 1 for axis in range(x.ndim)]
    weights = data.draw(hnp.arrays(np.float64, shape, elements=st.floats(-2, 2)))
    origin = [data.draw(st.integers(-(n // 2), (n - 1) // 2)) for n in shape]
    mode = data.draw(ALL_MODES)
    for ours, theirs in ((blurfield.correlate, ndimage.correlate),
                         (blurfield.convolve, ndimage.convolve)):
        try:
            expected = theirs(x, weights, None, mode, -0.5, origin)
        except ValueError:
            with pytest.raises(ValueError, match="origin"):
                ours(x, weights, None, mode, -0.5, origin)
            continue
        agree(ours(x, weights, None, mode, -0.5, origin), expected,
              (size_of(x) + 0.5) * max(1e-3, np.abs(weights).sum()))


def test_weights_along_three_axes_are_refused(rng):
    with pytest.raises(ValueError, match="two axes at most"):
        blurfield.correlate(rng.random((4, 4, 4)), np.ones((2, 2, 2)))


@FAST
@given(st.data())
def test_laplacian_and_gradient(data):
    x = data.draw(arrays(low=1, high=3))
    sigma = per_axis(data.draw, x.ndim, st.floats(0.5, 3))
    mode = data.draw(ALL_MODES)
    least = float(np.min(sigma))
    for name in ("gaussian_laplace", "gaussian_gradient_magnitude"):
        ours, theirs = (getattr(m, name)(x, sigma, None, mode, 0.3, truncate=5.0)
                        for m in (blurfield, ndimage))
        # A root of rounding near 0.
        root = 1e6 if name == "gaussian_gradient_magnitude" else 1
        agree(ours, theirs, (size_of(x) + 0.3) * 10 * root / least**2)


def test_outputs(rng):
    x = rng.random((9, 9))
    for name in ("gaussian_laplace", "gaussian_gradient_magnitude", "gaussian_filter"):
        out = np.empty((9, 9), np.float32)
        function = getattr(blurfield, name)
        assert function(x, 1.5, output=out) is out
        np.testing.assert_allclose(out, getattr(ndimage, name)(x, 1.5), atol=1e-6)
        y = x.copy()
        function(y, 1.5, output=y)
        np.testing.assert_allclose(y, getattr(ndimage, name)(x, 1.5), atol=1e-14)
        wide = np.empty((9, 18))[:, ::2]
        function(x, 1.5, output=wide)
        np.testing.assert_allclose(wide, getattr(ndimage, name)(x, 1.5), atol=1e-14)


@FAST
@given(st.data())
def test_convolution_by_fft(data):
    rank = data.draw(st.integers(1, 3))
    count = data.draw(st.integers(1, min(rank, 2)))
    axes = data.draw(st.permutations(range(rank)))[:count]
    a = data.draw(hnp.array_shapes(min_dims=rank, max_dims=rank, max_side=9))
    b = [data.draw(st.integers(1, 9)) if axis in axes else
         data.draw(st.sampled_from([1, a[axis]])) for axis in range(rank)]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, y = rng.normal(size=a), rng.normal(size=b)
    mode = data.draw(st.sampled_from(["full", "same", "valid"]))
    for name in ("fftconvolve", "oaconvolve"):
        ours, theirs = getattr(blurfield, name), getattr(signal, name)
        try:
            expected = theirs(x, y, mode, axes)
        except ValueError:
            with pytest.raises(ValueError):
                ours(x, y, mode, axes)
            continue
        np.testing.assert_allclose(ours(x, y, mode, axes), expected, atol=1e-12)


def test_large_convolution(rng):
    x, y = rng.normal(size=(300, 280)), rng.normal(size=(40, 31))
    np.testing.assert_allclose(blurfield.oaconvolve(x, y, "same"), signal.oaconvolve(x, y, "same"),
                               atol=1e-9)
    single = blurfield.fftconvolve(x.astype(np.float32), y.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, signal.fftconvolve(x, y), atol=2e-3)


def test_local_filter(rng):
    x = rng.normal(size=(2, 12, 10))
    weights = rng.normal(size=(3, 5, 12, 10))
    expected = np.zeros_like(x)
    padded = np.pad(x, [(0, 0), (1, 1), (2, 2)], "symmetric")
    for i in range(3):
        for j in range(5):
            expected += weights[i, j] * padded[:, i:i + 12, j:j + 10]
    np.testing.assert_allclose(blurfield.local_filter(x, weights), expected, atol=1e-13)


def test_windows(rng):
    x = rng.normal(size=(2, 9, 8))
    views = blurfield.sliding_window(x, (3, 2), (2, 1))
    assert views.shape == (2, 4, 7, 3, 2) and np.shares_memory(views, x)
    np.testing.assert_array_equal(views[1, 2, 3], x[1, 4:7, 3:5])
    columns = blurfield.im2col(x, (3, 3))
    kernel = rng.normal(size=(3, 3))
    out = np.einsum("k,ckp->cp", kernel.ravel(), columns.reshape(2, 9, -1)).reshape(x.shape)
    np.testing.assert_allclose(out[0], ndimage.correlate(x[0], kernel), atol=1e-13)
    c = rng.normal(size=columns.shape)
    assert np.vdot(columns, c) == pytest.approx(
        np.vdot(x, blurfield.col2im(c, x.shape, (3, 3))), rel=1e-12)


def test_filter_bank():
    bank = {f.name: f for f in blurfield.filter_bank()}
    assert len(bank) == 19
    sobel = bank["sobel-x"].kernel()
    assert sobel[0, 2] > 0  # positive where brightness grows to the right
    np.testing.assert_array_equal(sobel / sobel[0, 2], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    for f in bank.values():
        assert f.kernel().shape == (f.usual_size, f.usual_size) and f.summary
    with pytest.raises(ValueError, match="sobel-x"):
        blurfield.make_filter("nonsense", 3)


def test_nothing_warns(rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        blurfield.gaussian_filter(rng.random((8, 8)), 1)
        blurfield.gaussian_filter(np.zeros((8, 8), np.uint8), 1)
