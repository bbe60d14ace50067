# SPDX-License-Identifier: BSD-3-Clause
"""What arrays may be handed in, and what comes out."""
import numpy as np
import pytest

import blurfield

SIGMA = np.full((10, 12), 1.5)


@pytest.mark.parametrize("given, expected", [
    (np.float32, np.float32), (np.float64, np.float64), (np.float16, np.float32),
    (np.uint8, np.float32), (np.int16, np.float32), (bool, np.float32), (np.int32, np.float64),
    (np.int64, np.float64), (np.longdouble, np.float64), (">f4", np.float32), (">f8", np.float64)])
def test_types(rng, given, expected):
    x = (100 * rng.random((10, 12))).astype(given)
    out = blurfield.adaptive_blur(x, sigma=SIGMA)
    assert out.dtype == expected and out.dtype.isnative
    np.testing.assert_allclose(out, blurfield.adaptive_blur(x.astype(float), sigma=SIGMA),
                               rtol=1e-5)


@pytest.mark.parametrize("bad, error, words", [
    (np.zeros((4, 4), complex), TypeError, "input: expected real numbers, got an array of complex"),
    (np.zeros((4, 4), object), TypeError, "input: expected real numbers, got an array of object"),
    (np.array([["a"]]), TypeError, "input: expected real numbers, got an array of <U1"),
    (np.zeros((0, 4)), ValueError, r"input: expected at least one element, got shape \(0, 4\)"),
    (np.zeros((2,) * 5), ValueError, r"input: expected \(L\), \(H, W\)"),
    (np.float64(3), ValueError, r"input: expected \(L\), \(H, W\)"),
    (np.array([[1, np.nan], [0, 0]]), ValueError, "finite")])
def test_refused_images(bad, error, words):
    with pytest.raises(error, match=words):
        blurfield.adaptive_blur(bad, sigma=np.ones(bad.shape[-2:], float))
    if 0 < bad.ndim < 5:
        with pytest.raises(error, match=words):
            blurfield.gaussian_filter(bad, 1)


@pytest.mark.parametrize("arguments, error, words", [
    ({}, TypeError, "expected one of sigma, logchol, cov, got none"),
    ({"sigma": SIGMA, "cov": SIGMA}, TypeError, "got sigma and cov"),
    ({"sigma": np.ones((3, 3))}, ValueError, r"sigma: expected shape \(10, 12\) or \(2, 10, 12\)"),
    ({"sigma": 2.0}, ValueError, "uniform_blur and gaussian_filter take that"),
    ({"sigma": SIGMA, "radius": 2.7}, TypeError, "radius: expected whole numbers, got 2.7"),
    ({"sigma": SIGMA, "radius": 2**40}, ValueError, "radius: expected a whole number of 0 to"),
    ({"sigma": 0 * SIGMA}, ValueError, "sigma"),
    ({"sigma": -SIGMA}, ValueError, "sigma"),
    ({"sigma": SIGMA * np.nan}, ValueError, "finite pixels in field"),
    ({"sigma": SIGMA * 1j}, TypeError, "sigma: expected real numbers"),
    ({"logchol": SIGMA}, ValueError, r"logchol: expected shape \(3, 10, 12\)"),
    ({"cov": np.ones((10, 12, 2, 3))}, ValueError, r"cov: expected shape \(10, 12, 2, 2\)"),
    ({"cov": np.ones((10, 12, 2, 2))}, ValueError, "positive definite"),
    ({"cov": np.broadcast_to([[1, 0.5], [0, 1]], (10, 12, 2, 2))}, ValueError, "symmetric"),
    ({"sigma": SIGMA, "mode": "bounce"}, ValueError, "mode: expected reflect.*got 'bounce'"),
    ({"sigma": SIGMA, "method": "magic"}, ValueError, "method: expected auto"),
    ({"sigma": SIGMA, "tolerance": 2}, ValueError, "tolerance"),
    ({"sigma": SIGMA, "truncate": -1}, ValueError, "truncate"),
    ({"sigma": SIGMA, "radius": (1, 2, 3)}, ValueError, "radius"),
    ({"sigma": SIGMA, "radius": -1}, ValueError, "radius")])
def test_refused_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        blurfield.adaptive_blur(np.ones((10, 12)), **arguments)


@pytest.mark.parametrize("call, words", [
    (lambda x: blurfield.gaussian_filter(x, -1), "sigma: expected a finite number >= 0"),
    (lambda x: blurfield.gaussian_filter(x, np.inf), "sigma: expected a finite number"),
    (lambda x: blurfield.gaussian_filter(x, (1, 2, 3)), "sigma: expected one for all or one for"),
    (lambda x: blurfield.gaussian_filter(x, 1, order=-1), "order: expected 0 or more"),
    (lambda x: blurfield.gaussian_filter(x, 1, mode="no"), "mode: expected"),
    (lambda x: blurfield.gaussian_filter(x, 1, axes=5), "axis: expected one of 2 axes, got 5"),
    (lambda x: blurfield.gaussian_filter(x, 1, axes=(0, 0)), "axes: expected each once"),
    (lambda x: blurfield.gaussian_filter(x, 1, radius=-2), "radius: expected a whole number"),
    (lambda x: blurfield.gaussian_filter(x, 1e12), "radius: expected a whole number of 0 to"),
    (lambda x: blurfield.gaussian_filter(x, 1, output=np.empty(3)), "output: expected shape"),
    (lambda x: blurfield.correlate(x, np.ones(3)), "weights: expected 2 axes"),
    (lambda x: blurfield.correlate1d(x, np.ones(3), origin=2), "origin: expected the middle"),
    (lambda x: blurfield.fftconvolve(x, np.ones(3)), "two arrays of one rank"),
    (lambda x: blurfield.sliding_window(x, 20), "windows of 1 to"),
    (lambda x: blurfield.local_filter(x, np.ones((3, 3, 2, 2))), "weights: expected shape"),
    (lambda x: blurfield.mix(x, 1, 2, np.ones((3, 3, 3, 3, 3))), "weight"),
    (lambda x: blurfield.uniform_blur(x, sigma=(1, 2, 3)), "sigma: expected sigma or"),
    (lambda x: blurfield.uniform_blur(x, cov=np.ones((3, 3))), r"cov: expected shape \(2, 2\)"),
    (lambda x: blurfield.gaussian_kernel(0), "sigma"),
    (lambda x: blurfield.estimate(x, x[:5]), "blurred: expected shape"),
    (lambda x: blurfield.estimate(x, x, model="x"), "model: expected sigma"),
    (lambda x: blurfield.deblur(x, sigma=1, method="x"), "method: expected auto"),
    (lambda x: blurfield.deblur(x, psf=np.ones(3)), r"psf: expected shape \(h, w\)"),
    (lambda x: blurfield.set_num_threads(-1), "set_num_threads: expected 0 or more")])
def test_refused_calls(rng, call, words):
    with pytest.raises(ValueError, match=words):
        call(rng.random((10, 12)))


def strided(x):
    """The same numbers, stored in many ways."""
    wide = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    wide[::2, ::3] = x
    packed = np.zeros(x.shape, [("pad", "i1"), ("x", x.dtype)])  # unaligned
    packed["x"] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    return {"fortran": np.asfortranarray(x), "steps": wide[::2, ::3],
            "reversed": x[::-1, ::-1].copy()[::-1, ::-1], "transposed": x.T.copy().T,
            "unaligned": packed["x"], "read-only": read_only,
            "swapped": x.astype(x.dtype.newbyteorder())}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_strides(rng, dtype):
    x = rng.random((10, 12)).astype(dtype)
    expected = blurfield.adaptive_blur(x, sigma=SIGMA)
    for name, same in strided(x).items():
        np.testing.assert_array_equal(blurfield.adaptive_blur(same, sigma=SIGMA), expected, name)
        np.testing.assert_allclose(blurfield.gaussian_filter(same, 2),
                                   blurfield.gaussian_filter(x, 2), rtol=1e-6, err_msg=name)
        out = np.zeros_like(same)
        assert blurfield.adaptive_blur(x, sigma=SIGMA, out=out) is out
        np.testing.assert_array_equal(out, expected, name)
    for name, same in strided(SIGMA.astype(dtype)).items():
        np.testing.assert_array_equal(blurfield.adaptive_blur(x, sigma=same), expected, name)
    spread = np.broadcast_to(x[:, :1], x.shape)
    np.testing.assert_array_equal(blurfield.adaptive_blur(spread, sigma=SIGMA),
                                  blurfield.adaptive_blur(spread.copy(), sigma=SIGMA))


def test_no_copies(rng, monkeypatch):
    """Contiguous, aligned floats go to the library where they are."""
    seen = {}

    def adaptive_blur(x, field, out, options, progress):
        seen.update(x=x, field=field, out=out)

    x, out = rng.random((2, 10, 12)), np.empty((2, 10, 12))
    monkeypatch.setattr(blurfield._core, "adaptive_blur", adaptive_blur)
    assert blurfield.adaptive_blur(x, sigma=SIGMA, out=out) is out
    assert np.shares_memory(seen["x"], x) and np.shares_memory(seen["field"], SIGMA)
    assert np.shares_memory(seen["out"], out)
    returned = blurfield.adaptive_blur(x[:, ::2, ::3], sigma=SIGMA[::2, ::3])
    assert np.shares_memory(seen["x"], x) and np.shares_memory(seen["out"], returned)


def test_out(rng):
    x = rng.random((10, 12))
    expected = blurfield.adaptive_blur(x, sigma=SIGMA)
    y = x.copy()
    assert blurfield.adaptive_blur(y, sigma=SIGMA, out=y) is y
    np.testing.assert_array_equal(y, expected)
    read_only = np.empty_like(x)
    read_only.flags.writeable = False
    for bad, words in ((np.empty((3, 3)), "out: expected an array float64"),
                       (np.empty((10, 12), np.float32), "got float32"), ([1], "got list"),
                       (read_only, "read-only")):
        with pytest.raises(ValueError, match=words):
            blurfield.adaptive_blur(x, sigma=SIGMA, out=bad)


def test_lists_and_subclasses(rng):
    x = rng.random((4, 4))
    np.testing.assert_array_equal(blurfield.gaussian_filter(x.tolist(), 1),
                                  blurfield.gaussian_filter(x, 1))
    masked = np.ma.masked_array(x, x > 0.5)
    assert type(blurfield.gaussian_filter(masked, 1)) is np.ndarray
    assert type(blurfield.adaptive_blur(masked, sigma=np.ones((4, 4)))) is np.ndarray


def test_results_are_fresh(rng):
    x = rng.random((10, 12))
    a = blurfield.gaussian_filter(x, 0)
    np.testing.assert_array_equal(a, x)
    assert not np.shares_memory(a, x)
