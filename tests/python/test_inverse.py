# SPDX-License-Identifier: BSD-3-Clause
"""Learning a blur, and undoing it."""
import warnings

import numpy as np
import pytest
from conftest import DATA, cases

import blurfield

PIL = pytest.importorskip("PIL.Image")
pytest.importorskip("scipy.sparse.linalg")
PHOTOGRAPH = DATA.parent.parent / "examples" / "images" / "ascent.png"


@pytest.fixture(scope="module")
def photograph():
    with PIL.open(PHOTOGRAPH) as image:
        return np.asarray(image.convert("L"), np.float64)[100:260, 100:260] / 255


def psnr(a, b):
    return -10 * np.log10(np.mean((a - b)**2))


def test_estimate_a_field(photograph, rng):
    sigma = np.linspace(0.6, 3, 160) * np.ones((160, 1))
    blurred = blurfield.adaptive_blur(photograph, sigma=sigma)
    blurred += rng.normal(0, 0.005, blurred.shape)
    steps = []
    found = blurfield.estimate(photograph, blurred, callback=steps.append)
    known = found.confidence >= 0.5
    assert found.field.shape == found.confidence.shape == photograph.shape
    assert found.known == pytest.approx(known.mean(), abs=1e-6) and found.known > 0.4
    assert np.median(np.abs(found.field / sigma - 1)[known]) < 0.05
    assert found.noise == pytest.approx(0.005, rel=0.15)
    assert len(steps) == len(found.trace) and steps[-1]["value"] < steps[0]["value"]
    assert found.iterations > 0 and "trace" not in repr(found)


def test_estimate_other_models(photograph):
    one = blurfield.estimate(photograph, blurfield.gaussian_filter(photograph, 1.7),
                             model="uniform")
    assert one.field.shape == (1, 1) and one.field[0, 0] == pytest.approx(1.7, rel=1e-3)
    cov = blurfield.uniform_blur(photograph, cov=[[4, 1.2], [1.2, 2]])
    field = blurfield.estimate(photograph, cov, model="logchol", max_iterations=15).field
    assert field.shape == (3, 160, 160)
    middle = blurfield.logchol_to_cov(np.median(field.reshape(3, -1), axis=1))
    np.testing.assert_allclose(middle, [[4, 1.2], [1.2, 2]], atol=0.15)
    weight = np.linspace(0.1, 0.9, 160) * np.ones((160, 1))
    mixed = blurfield.mix(photograph, 1, 4, weight)
    found = blurfield.estimate(photograph, mixed, model="mix", sigmas=(1, 4))
    assert np.median(np.abs(found.field - weight)[found.confidence >= 0.5]) < 0.02


def test_estimates_of_batches_and_signals(photograph, rng):
    batch = np.stack([photograph[:64, :64], photograph[64:128, 64:128]])[:, None]
    blurred = np.stack([blurfield.gaussian_filter(image, (0, s, s))
                        for image, s in zip(batch, (1.0, 2.0))])
    found = blurfield.estimate(batch, blurred, shared=False)
    assert found.field.shape == (2, 1, 64, 64)
    assert np.median(found.field[0]) < 1.3 < np.median(found.field[1])
    x = rng.normal(size=300)
    signal = blurfield.estimate(x, blurfield.gaussian_filter(x, 2.0), model="uniform")
    assert signal.field.shape == (1,) and signal.field[0] == pytest.approx(2, rel=1e-3)


def test_estimate_stops_when_told(photograph):
    blurred = blurfield.gaussian_filter(photograph, 2)
    found = blurfield.estimate(photograph, blurred, callback=lambda step: step["iteration"] < 2)
    assert found.stop == "cancelled" and np.all(np.isfinite(found.field))

    def fail(step):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        blurfield.estimate(photograph, blurred, callback=fail)


def test_deblur(photograph, rng):
    sigma = np.linspace(0.6, 2.5, 160) * np.ones((160, 1))
    seen = blurfield.adaptive_blur(photograph, sigma=sigma, scatter=True)
    seen += rng.normal(0, 0.005, seen.shape)
    steps = []
    found = blurfield.deblur(seen, sigma=sigma, scatter=True, callback=steps.append)
    assert found.image.shape == seen.shape and found.image.dtype == np.float64
    assert psnr(found.image, photograph) > psnr(seen, photograph) + 2
    assert found.noise == pytest.approx(0.005, rel=0.3) and found.lambda_ > 0
    assert found.method == "lbfgs" and found.why and steps
    A = blurfield.BlurOperator(seen.shape, sigma=sigma, scatter=True, mode="extend")
    same = blurfield.deblur(seen, operator=A)
    np.testing.assert_array_equal(same.image, found.image)
    with pytest.raises(TypeError, match="got both"):
        blurfield.deblur(seen, operator=A, sigma=sigma)
    with pytest.raises(ValueError, match="frame"):
        blurfield.deblur(seen[:50], operator=A)


def test_deblur_in_other_ways(photograph):
    colours = np.stack([photograph, photograph**2, np.sqrt(photograph)]).astype(np.float32)
    psf = blurfield.motion_psf(7, 30)
    seen = blurfield.BlurOperator(colours.shape, psf=psf, dtype=np.float32).forward(colours)
    found = blurfield.deblur(seen, psf=psf, noise=0.002, max_iterations=30)
    assert found.image.shape == colours.shape and found.image.dtype == np.float32
    assert psnr(found.image, colours) > psnr(seen, colours) + 3
    half = seen.reshape(3, 80, 2, 80, 2).mean(axis=(2, 4))
    large = blurfield.deblur(half, psf=psf, upscale=2, noise=0.002, max_iterations=20)
    assert large.image.shape == colours.shape
    weight = np.ones(colours.shape[1:])
    broken = seen.copy()
    broken[:, 40:44, 50:54] = 30
    weight[40:44, 50:54] = 0
    masked = blurfield.deblur(broken, psf=psf, noise=0.002, weight=weight, max_iterations=30)
    assert psnr(masked.image, colours) > psnr(seen, colours) + 2


def test_doubts_are_warned_of(photograph):
    seen = blurfield.gaussian_filter(photograph, 1.0)
    with pytest.warns(RuntimeWarning, match="deblur: the residual is .* times the noise"):
        blurfield.deblur(seen, sigma=1.0, noise=1e-3, lambda_=1e3)


def test_document_004():
    """The objective of the document, from its own start, in the words of this package."""
    data = np.load(DATA / "deblur.npz")
    best = np.load(DATA / "deblur_points.npz")
    psf, blur = data["psf"], data["blur"]
    value = {key: float(best[key]) for key in best.files if best[key].ndim == 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = blurfield.deblur(blur, psf=psf, mode="constant", fidelity="norm", prior="norm",
                                 lambda_=float(data["mu"]), method="newton-cg", change=1e-10)
    assert found.trace[-1]["value"] == pytest.approx(2.0585317, abs=2e-7), value
    assert psnr(found.image, best["astro"]) == pytest.approx(24.047, abs=0.01)


@pytest.mark.parametrize("iterations", [1, 10, 40])
def test_richardson_lucy_equals_scikit_image(iterations):
    case = cases("richardson_lucy")["skimage"]
    ours = blurfield.richardson_lucy(case["image"], case["psf"], iterations, clip=False,
                                     mode="constant", sensitivity=False)
    expected = case[f"iterations{iterations}"]
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6 * expected.max())


def test_richardson_lucy(photograph):
    psf = blurfield.disk_psf(2.5)
    seen = blurfield.BlurOperator(photograph.shape, psf=psf).forward(photograph)
    for options in ({}, {"accelerate": True, "num_iter": 10}, {"tv": 0.002}, {"mode": "extend"}):
        sharp = blurfield.richardson_lucy(seen, psf, **{"num_iter": 30, **options})
        assert sharp.shape == seen.shape and sharp.max() <= 1
        assert psnr(sharp, photograph) > psnr(seen, photograph) + 1.5, options


def test_closed_forms(photograph, rng):
    psf = blurfield.gaussian_psf(1.5)
    seen = blurfield.BlurOperator(photograph.shape, psf=psf).forward(photograph)
    seen += rng.normal(0, 0.005, seen.shape)
    for sharp in (blurfield.wiener(seen, psf), blurfield.wiener(seen, psf, noise=0.005),
                  blurfield.tikhonov(seen, psf)[0]):
        assert psnr(sharp, photograph) > psnr(seen, photograph) + 1
    with pytest.raises(ValueError, match="noise: expected a number"):
        blurfield.wiener(np.ones((32, 32)), psf)


def test_psfs():
    for psf in (blurfield.gaussian_psf(1.2), blurfield.disk_psf(3), blurfield.motion_psf(9, 90),
                blurfield.moffat_psf(3, 3)):
        assert psf.sum() == pytest.approx(1) and all(n % 2 for n in psf.shape)
    upright = blurfield.motion_psf(9, 90)
    assert (upright.sum(axis=1) > 0).sum() > (upright.sum(axis=0) > 0).sum()
