# SPDX-License-Identifier: BSD-3-Clause
"""Blurs and their derivatives: against the reference arrays, definitions and each other."""
import numpy as np
import pytest
from conftest import MODES, cases

import blurfield

LOCAL = {name: case for name, case in cases("local", "local_").items() if "own" not in name}


def radius_of(case):
    return int(case["half"]) if "half" in case else (int(case["half_y"]), int(case["half_x"]))


def field_of(case):
    """What adaptive_blur takes; the reference's y axis points up."""
    if "sigma" in case:
        return {"sigma": case["sigma"]}
    return {"logchol": np.moveaxis(case["cov"] * [1, -1, 1], -1, 0)}


@pytest.mark.parametrize("name", LOCAL)
def test_adaptive_blur_equals_the_reference(name):
    case = LOCAL[name]
    options = dict(field_of(case), radius=radius_of(case), mode="constant")
    out = blurfield.adaptive_blur(case["x"], **options)
    np.testing.assert_allclose(out, case["out"], atol=1e-12)
    grad_x, grad_field = blurfield.adaptive_blur_vjp(case["x"], out - case["target"], **options)
    np.testing.assert_allclose(grad_x, case["grad_x"], atol=1e-11)
    expected = (case["grad_sigma"] if "grad_sigma" in case
                else np.moveaxis(case["grad_cov"] * [1, -1, 1], -1, 0))
    np.testing.assert_allclose(grad_field, expected, atol=1e-10)


def test_a_batch_keeps_its_fields():
    case = cases("local_batch")["inline_b2k3"]
    cov = case["cov"].reshape(2, 12, 12, 3) * [1, -1, 1]
    logchol = np.moveaxis(cov, -1, 1)
    # The original's radius: ceil(2 * the largest sigma of the field).
    radius = int(np.ceil(2 * blurfield.logchol_to_sigma(logchol).max()))
    out = blurfield.adaptive_blur(case["x"], logchol=logchol, radius=radius, mode="constant")
    np.testing.assert_allclose(out, case["out"], atol=1e-12)
    out = blurfield.adaptive_blur(case["x"], logchol=logchol)
    for n in range(2):
        alone = blurfield.adaptive_blur(case["x"][n], logchol=logchol[n])
        np.testing.assert_array_equal(out[n], alone)
    assert np.abs(case["out"] - case["library_out_wrong"]).max() > 1e-3


@pytest.mark.parametrize("name", cases("mix"))
def test_mix_equals_the_reference(name):
    case = cases("mix")[name]
    sigmas = float(case["min_sigma"]), float(case["max_sigma"])
    weight = case["mix"]
    options = {"radius": [int(np.ceil(2 * s)) for s in sigmas], "mode": "constant"}
    out = blurfield.mix(case["x"], *sigmas, weight, **options)
    np.testing.assert_allclose(out, case["out"], atol=1e-12)
    grad_x, by_sigmas, by_weight = blurfield.mix_vjp(case["x"], *sigmas, weight,
                                                     out - case["target"], **options)
    np.testing.assert_allclose(grad_x, case["grad_x"], atol=1e-11)
    np.testing.assert_allclose(by_sigmas, [case["grad_min_sigma"], case["grad_max_sigma"]],
                               atol=1e-9)
    np.testing.assert_allclose(by_weight, case["grad_mix"], atol=1e-10)


def fields(rng, shape):
    """A field of each kind, for images of a shape."""
    sigma = rng.uniform(0.4, 2.5, shape)
    logchol = np.stack([rng.uniform(-0.5, 0.8, shape), rng.uniform(-1, 1, shape),
                        rng.uniform(-0.5, 0.8, shape)])
    return {"sigma": {"sigma": sigma},
            "sigma-yx": {"sigma": np.stack([sigma, sigma[::-1]])},
            "logchol": {"logchol": logchol},
            "cov": {"cov": blurfield.logchol_to_cov(logchol)}}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scatter", [False, True])
@pytest.mark.parametrize("kind", ["sigma", "sigma-yx", "logchol", "cov"])
def test_derivatives_agree(rng, kind, scatter, mode):
    """vjp against jvp, and jvp against central differences."""
    x = rng.normal(size=(2, 9, 11))
    field = fields(rng, (9, 11))[kind]
    (name, values), = field.items()
    options = {"scatter": scatter, "mode": mode, "cval": 0.3 if mode == "constant" else 0.0,
               "radius": 4}
    c, x_dot, field_dot = rng.normal(size=x.shape), rng.normal(size=x.shape), rng.normal(
        size=values.shape)
    if name == "cov":
        field_dot = 0.01 * (field_dot + np.swapaxes(field_dot, -1, -2))
    grad_x, grad_field = blurfield.adaptive_blur_vjp(x, c, **field, **options)
    assert grad_field.shape == values.shape
    out_dot = blurfield.adaptive_blur_jvp(x, x_dot, field_dot, **field, **options)
    there = np.vdot(c, out_dot)
    back = np.vdot(grad_x, x_dot) + np.vdot(grad_field, field_dot)
    assert there == pytest.approx(back, rel=1e-11)
    h = 1e-6
    moved = [blurfield.adaptive_blur(x + s * h * x_dot, **{name: values + s * h * field_dot},
                                     **options) for s in (1, -1)]
    np.testing.assert_allclose((moved[0] - moved[1]) / (2 * h), out_dot, atol=1e-6)


def test_kinds_of_fields_agree(rng):
    x = rng.normal(size=(12, 10))
    kinds = fields(rng, x.shape)
    logchol, cov = (blurfield.adaptive_blur(x, **kinds[k]) for k in ("logchol", "cov"))
    np.testing.assert_allclose(logchol, cov, atol=1e-13)
    sigma = kinds["sigma"]["sigma"]
    one = blurfield.adaptive_blur(x, sigma=sigma)
    np.testing.assert_allclose(blurfield.adaptive_blur(x, sigma=np.stack([sigma, sigma])), one,
                               atol=1e-14)
    as_cov = np.zeros((*x.shape, 2, 2))
    as_cov[..., 0, 0] = as_cov[..., 1, 1] = sigma**2
    np.testing.assert_allclose(blurfield.adaptive_blur(x, cov=as_cov), one, atol=1e-13)
    flat = np.full(x.shape, 1.7)
    for scatter in (False, True):
        np.testing.assert_allclose(blurfield.adaptive_blur(x, sigma=flat, scatter=scatter),
                                   blurfield.uniform_blur(x, sigma=1.7), atol=1e-13)


def test_a_single_pixel_by_the_definition():
    """A scattered point is its own kernel, y downwards, (y, x) order."""
    x = np.zeros((21, 21))
    x[10, 10] = 1
    logchol = np.array([0.9, 0.8, 0.1])
    field = np.broadcast_to(logchol[:, None, None], (3, 21, 21))
    spread = blurfield.adaptive_blur(x, logchol=field, scatter=True, mode="constant")
    kernel = blurfield.gaussian_kernel(logchol=logchol)
    ry, rx = (n // 2 for n in kernel.shape)
    np.testing.assert_allclose(spread[10 - ry:11 + ry, 10 - rx:11 + rx], kernel, atol=1e-15)
    cov = blurfield.logchol_to_cov(logchol)
    assert cov[0, 1] > 0 and kernel[ry + 2, rx + 2] > kernel[ry + 2, rx - 2]


def test_adjoint_of_scatter_is_gather_under_constant(rng):
    x, c = rng.normal(size=(2, 14, 15))
    sigma = rng.uniform(0.5, 3, x.shape)
    grad, _ = blurfield.adaptive_blur_vjp(x, c, sigma=sigma, scatter=True, mode="constant",
                                          by_field=False)
    np.testing.assert_allclose(grad, blurfield.adaptive_blur(c, sigma=sigma, mode="constant"),
                               atol=1e-13)


def test_a_batch_of_fields(rng):
    x = rng.normal(size=(3, 2, 8, 9))
    sigma = rng.uniform(0.5, 2, (3, 8, 9))
    each = np.stack([blurfield.adaptive_blur(x[n], sigma=sigma[n]) for n in range(3)])
    np.testing.assert_array_equal(blurfield.adaptive_blur(x, sigma=sigma), each)
    np.testing.assert_array_equal(blurfield.adaptive_blur(x, sigma=sigma[:, None]), each)
    _, grad = blurfield.adaptive_blur_vjp(x, x, sigma=sigma)
    assert grad.shape == sigma.shape
    _, shared = blurfield.adaptive_blur_vjp(x, x, sigma=sigma[0])
    parts = [blurfield.adaptive_blur_vjp(x[n], x[n], sigma=sigma[0])[1] for n in range(3)]
    np.testing.assert_allclose(shared, sum(parts), atol=1e-12)
    with pytest.raises(ValueError, match=r"may mean \(N, H, W\) or \(2, H, W\)"):
        blurfield.adaptive_blur(x[:2], sigma=sigma[:2])


def test_tolerance_and_its_report(rng):
    x = rng.random((200, 210))
    sigma = np.linspace(6, 12, 210) * np.ones((200, 1))
    exact = blurfield.adaptive_blur(x, sigma=sigma, truncate=8)
    near = blurfield.adaptive_blur(x, sigma=sigma, tolerance=1e-3)
    assert 0 < np.abs(near - exact).max() < 1e-3
    plan = blurfield.adaptive_blur_plan(x, sigma=sigma, tolerance=1e-3)
    assert plan.stack > 0.9 and 0 < plan.error_bound <= 1e-3 and max(plan.steps) >= 2
    assert "stack=" in repr(plan)
    forced = blurfield.adaptive_blur_plan(x, sigma=sigma, tolerance=1e-3, method="exact")
    assert forced.exact == 1


def test_uniform_blur_and_derivatives(rng):
    x, c, x_dot = rng.normal(size=(3, 10, 12))
    for gaussian in ({"sigma": 1.3}, {"sigma": (0.8, 2)}, {"logchol": (0.2, 0.4, 0.5)}):
        (name, values), = gaussian.items()
        grad_x, grad = blurfield.uniform_blur_vjp(x, c, **gaussian)
        dot = rng.normal(size=np.shape(np.atleast_1d(values)))
        out_dot = blurfield.uniform_blur_jvp(x, x_dot, dot, **gaussian)
        assert np.vdot(c, out_dot) == pytest.approx(np.vdot(grad_x, x_dot) + grad @ dot, rel=1e-11)
        h = 1e-6
        moved = [blurfield.uniform_blur(x + s * h * x_dot, **{name: np.add(values, s * h * dot)
                                                              if np.ndim(values) else
                                                              values + s * h * dot[0]})
                 for s in (1, -1)]
        np.testing.assert_allclose((moved[0] - moved[1]) / (2 * h), out_dot, atol=1e-7)
    cov = np.array([[4.0, 1.5], [1.5, 2.0]])
    np.testing.assert_allclose(
        blurfield.uniform_blur(x, cov=cov),
        blurfield.uniform_blur(x, logchol=blurfield.cov_to_logchol(cov)), atol=1e-14)


def test_mix_derivatives(rng):
    x, c, x_dot = rng.normal(size=(3, 10, 12))
    for weight in (np.float64(0.3), rng.random((10, 12)), rng.random((10, 1))):
        grad_x, by_sigmas, by_weight = blurfield.mix_vjp(x, 1.0, 2.5, weight, c)
        weight_dot = rng.normal(size=weight.shape)
        out_dot = blurfield.mix_jvp(x, 1.0, 2.5, weight, x_dot, (0.5, -0.2), weight_dot)
        back = np.vdot(grad_x, x_dot) + by_sigmas @ [0.5, -0.2] + np.vdot(by_weight, weight_dot)
        assert np.vdot(c, out_dot) == pytest.approx(back, rel=1e-11)


def test_mix_levels(rng):
    x = rng.random((60, 50))
    sigma = np.linspace(1, 4, 50) * np.ones((60, 1))
    exact = blurfield.adaptive_blur(x, sigma=sigma, truncate=8)
    errors = [np.abs(blurfield.mix_levels(x, sigma, tolerance=e) - exact).max()
              for e in (1e-2, 1e-4)]
    assert errors[0] < 1e-2 and errors[1] < 1e-4
    flat = blurfield.mix_levels(x, np.full(x.shape, 2.0))
    np.testing.assert_allclose(flat, blurfield.uniform_blur(x, sigma=2, truncate=8), atol=1e-3)
    levels = blurfield.mix_level_sigmas(1, 4, 1e-3)
    assert len(levels) > 3 and levels == sorted(levels)


def test_signals(rng):
    x = rng.normal(size=40)
    sigma = np.linspace(0.5, 3, 40)
    image = blurfield.adaptive_blur(x[None], sigma=np.stack([np.full((1, 40), 1e-3), sigma[None]]))
    np.testing.assert_allclose(blurfield.adaptive_blur(x, sigma=sigma), image[0], atol=1e-14)
    np.testing.assert_allclose(blurfield.uniform_blur(x, sigma=2),
                               blurfield.gaussian_filter(x, 2), atol=1e-14)


def test_gaussians(rng):
    kernel = blurfield.gaussian_kernel(1.5)
    assert kernel.shape == (13, 13) and kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(kernel, np.outer(*[blurfield.gaussian_kernel(1.5, ndim=1)] * 2))
    assert blurfield.gaussian_kernel((1, 3), radius=(2, 5)).shape == (5, 11)
    np.testing.assert_allclose(blurfield.gaussian_kernel(cov=[[2.25, 0], [0, 2.25]]), kernel)
    logchol = rng.normal(size=(2, 3, 4, 5))
    cov = blurfield.logchol_to_cov(logchol)
    assert cov.shape == (2, 4, 5, 2, 2)
    np.testing.assert_allclose(blurfield.cov_to_logchol(cov), logchol, atol=1e-12)
    a, b, c = logchol[1, :, 2, 3]
    u = np.array([[np.exp(a), b], [0, np.exp(c)]])
    np.testing.assert_allclose(cov[1, 2, 3], u.T @ u)
    np.testing.assert_allclose(blurfield.logchol_to_sigma(logchol[0])[0, 1, 2],
                               np.sqrt(cov[0, 1, 2, 0, 0]))
    np.testing.assert_allclose(
        blurfield.logchol_to_sigma(blurfield.sigma_to_logchol(2.0, 3.0)), [2, 3])
    s = np.array([-1e4, 0, 5, 1e4])
    sigma = blurfield.soft_maximum(s)
    assert sigma[0] == pytest.approx(0.3) and sigma[-1] == pytest.approx(9997)
    np.testing.assert_allclose(blurfield.soft_maximum_inverse(sigma[1:]), s[1:], rtol=1e-12,
                               atol=1e-14)
    assert blurfield.soft_maximum_derivative(0.0) == pytest.approx(
        (blurfield.soft_maximum(1e-6) - blurfield.soft_maximum(-1e-6)) / 2e-6, rel=1e-6)
    assert blurfield.noise_level(rng.normal(0, 0.1, (200, 200))) == pytest.approx(0.1, rel=0.05)
