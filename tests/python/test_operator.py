# SPDX-License-Identifier: BSD-3-Clause
"""BlurOperator, by itself and within SciPy."""
import pickle

import numpy as np
import pytest
from conftest import MODES

pytest.importorskip("scipy.sparse.linalg")
from scipy.sparse.linalg import LinearOperator, lsqr, svds  # noqa: E402

import blurfield  # noqa: E402

BLURS = {
    "psf": lambda rng: {"psf": rng.random((5, 7))},
    "grid": lambda rng: {"psfs": rng.random((2, 3, 3, 5))},
    "sigma": lambda rng: {"sigma": 1.4},
    "sigmas": lambda rng: {"sigma": (0.8, 2.0)},
    "cov": lambda rng: {"cov": [[3, 1], [1, 2]]},
    "field": lambda rng: {"sigma": rng.uniform(0.5, 2, (16, 18))},
    "scattered": lambda rng: {"sigma": rng.uniform(0.5, 2, (16, 18)), "scatter": True},
    "covariances": lambda rng: {"cov": np.broadcast_to([[3.0, 1], [1, 2]], (16, 18, 2, 2))},
}


@pytest.mark.parametrize("mode", [*MODES, "extend"])
@pytest.mark.parametrize("kind", BLURS)
def test_adjoint(rng, kind, mode):
    A = blurfield.BlurOperator((2, 16, 18), mode=mode, **BLURS[kind](rng))
    x, y = rng.normal(size=A.scene_shape), rng.normal(size=A.frame_shape)
    forward = A.forward(x)
    assert forward.shape == (2, 16, 18) and A.shape == (y.size, x.size)
    there, back = np.vdot(forward, y), np.vdot(x, A.adjoint(y))
    assert there == pytest.approx(back, rel=1e-12)
    if mode == "extend":
        assert A.margin[0] > 0 and A.scene_shape[1] == 16 + 2 * A.margin[0]
        assert A.visible(x).shape == y.shape
    else:
        assert A.margin == (0, 0) and A.scene_shape == A.frame_shape
    constant = A.forward(np.ones(A.scene_shape))
    if mode != "constant" and kind not in ("grid", "scattered"):
        np.testing.assert_allclose(constant, 1, atol=1e-12)


def test_it_is_the_blur(rng):
    x = rng.normal(size=(16, 18))
    sigma = rng.uniform(0.5, 2, x.shape)
    for scatter in (False, True):
        A = blurfield.BlurOperator(x.shape, sigma=sigma, scatter=scatter, mode="mirror")
        np.testing.assert_allclose(
            A.forward(x), blurfield.adaptive_blur(x, sigma=sigma, scatter=scatter, mode="mirror"),
            atol=1e-13)
    psf = rng.random((5, 3))
    A = blurfield.BlurOperator(x.shape, psf=psf, mode="constant")
    np.testing.assert_allclose(A.forward(x),
                               blurfield.convolve(x, psf / psf.sum(), mode="constant"), atol=1e-13)
    coarse = blurfield.BlurOperator((8, 9), sigma=1.0, factor=2, mode="reflect")
    fine = blurfield.gaussian_filter(x, 1.0)
    np.testing.assert_allclose(coarse.forward(x),
                               fine.reshape(8, 2, 9, 2).mean(axis=(1, 3)), atol=1e-13)


def test_scipy_takes_it(rng):
    A = blurfield.BlurOperator((12, 14), sigma=rng.uniform(0.4, 1.0, (12, 14)), mode="reflect")
    assert isinstance(A, LinearOperator) and A.dtype == np.float64
    dense = A @ np.eye(A.shape[1])
    np.testing.assert_allclose(A.H @ np.eye(A.shape[0]), dense.T, atol=1e-14)
    np.testing.assert_allclose(A.adjoint() @ np.ones(A.shape[0]), dense.sum(0), atol=1e-13)
    largest = svds(A, k=1, return_singular_vectors=False, v0=np.ones(A.shape[1]))
    assert largest[0] == pytest.approx(np.linalg.norm(dense, 2), rel=1e-8)
    x = rng.random((12, 14))
    found = lsqr(A, A.forward(x).ravel(), atol=1e-13, btol=1e-13, iter_lim=2000)[0]
    np.testing.assert_allclose(found.reshape(x.shape), x, atol=1e-5)
    twice = A.H @ A  # composes like any other
    np.testing.assert_allclose(twice @ x.ravel(), dense.T @ (dense @ x.ravel()), atol=1e-12)


@pytest.mark.parametrize("kind", BLURS)
def test_another_process_makes_it_anew(rng, kind):
    A = blurfield.BlurOperator((16, 18), mode="mirror", **BLURS[kind](rng))
    B = pickle.loads(pickle.dumps(A))
    x = rng.normal(size=A.scene_shape)
    np.testing.assert_array_equal(B.forward(x), A.forward(x))


def test_single_precision_and_out(rng):
    A = blurfield.BlurOperator((10, 11), sigma=1.2, dtype=np.float32)
    x = rng.random((10, 11)).astype(np.float32)
    out = np.empty_like(x)
    assert A.forward(x, out=out) is out and A.adjoint(x).dtype == np.float32
    np.testing.assert_allclose(out, blurfield.gaussian_filter(x, 1.2), atol=1e-6)


@pytest.mark.parametrize("arguments, error, words", [
    ({"frame": (8, 8)}, TypeError, "expected one of psf, psfs, sigma, logchol, cov, got none"),
    ({"frame": (8, 8), "sigma": 1, "psf": np.ones((3, 3))}, TypeError, "got psf and sigma"),
    ({"frame": (8,), "sigma": 1}, ValueError, "frame: expected"),
    ({"frame": (8, 8), "sigma": 1, "mode": "no"}, ValueError, "mode: expected extend, reflect"),
    ({"frame": (8, 8), "sigma": 1, "dtype": int}, TypeError, "dtype: expected float32 or float64"),
    ({"frame": (8, 8), "psf": np.zeros((3, 3))}, ValueError, "sum"),
    ({"frame": (8, 8), "psf": np.ones((3, 3, 3))}, ValueError, "psf: expected shape"),
    ({"frame": (8, 8), "psfs": np.ones((1, 1, 3, 3)), "order": "no"}, ValueError, "order: expected"),
    ({"frame": (8, 8), "sigma": 1, "factor": 0}, ValueError, "factor|frame|shape|extents")])
def test_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        blurfield.BlurOperator(arguments.pop("frame"), **arguments)


def test_refused_images(rng):
    A = blurfield.BlurOperator((8, 8), sigma=1)
    with pytest.raises(ValueError, match=r"expected an image of shape \(8, 8\), got \(9, 8\)"):
        A.forward(rng.random((9, 8)))
