# SPDX-License-Identifier: BSD-3-Clause
"""blurfield.jax: the package's results and gradients, under jit, grad and vmap."""
import subprocess
import sys

import numpy as np
import pytest

import blurfield

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
import blurfield.jax as bj  # noqa: E402
import jax.numpy as jnp  # noqa: E402

SHAPE = (2, 3, 6, 16)


def arrays(dtype=np.float64):
    rng = np.random.default_rng(3)
    x = rng.standard_normal(SHAPE).astype(dtype)
    sigma = rng.uniform(0.6, 0.9, SHAPE[2:]).astype(dtype)
    logchol = (0.2 * rng.standard_normal((3, *SHAPE[2:]))).astype(dtype)
    return x, sigma, logchol, rng.uniform(0, 1, SHAPE[2:]).astype(dtype)


X, SIGMA, LOGCHOL, WEIGHT = arrays()
COV = np.asarray(blurfield.logchol_to_cov(LOGCHOL))
# A function of arrays, and what it is called with.
FUNCTIONS = {
    "sigma": (lambda b, x, f: b.adaptive_blur(x, sigma=f, radius=2), (X, SIGMA)),
    "logchol": (lambda b, x, f: b.adaptive_blur(x, logchol=f, radius=2, mode="nearest",
                                                scatter=True), (X, LOGCHOL)),
    "cov": (lambda b, x, f: b.adaptive_blur(x, cov=f, radius=2, mode="wrap"), (X, COV)),
    "tolerance": (lambda b, x, f: b.adaptive_blur(x, sigma=f, tolerance=1e-2), (X, SIGMA)),
    "signal": (lambda b, x, f: b.adaptive_blur(x, sigma=f, radius=2), (X[0, 0, 0], SIGMA[0])),
    "uniform": (lambda b, x, p: b.uniform_blur(x, sigma=p, radius=2), (X, np.array([0.8, 0.7]))),
    "uniform logchol": (lambda b, x, p: b.uniform_blur(x, logchol=p, radius=2),
                        (X, np.array([-0.2, 0.1, 0.1]))),
    "uniform cov": (lambda b, x, p: b.uniform_blur(x, cov=p, radius=2),
                    (X, np.array([[0.6, 0.1], [0.1, 0.8]]))),
    "gaussian_filter": (lambda b, x, s: b.gaussian_filter(x, s, axes=(-2, -1), mode="mirror"),
                        (X, np.array([0.8, 0.7]))),
    "one axis": (lambda b, x, s: b.gaussian_filter(x, s, axes=-2), (X, np.array(0.8))),
    "mix": (lambda b, x, w: b.mix(x, 0.6, 1.1, w, radius=(2, 3)), (X, WEIGHT)),
}


def each():
    return pytest.mark.parametrize("name", FUNCTIONS)


@each()
def test_the_same_as_from_numpy(name):
    function, inputs = FUNCTIONS[name]
    expected = function(blurfield, *inputs)
    found = function(bj, *inputs)
    assert isinstance(found, jax.Array) and found.dtype == jnp.float64
    np.testing.assert_allclose(found, expected, atol=1e-13)
    compiled = jax.jit(lambda *a: function(bj, *a))
    np.testing.assert_array_equal(compiled(*inputs), found)


@each()
def test_gradients_against_differences(name):
    function, inputs = FUNCTIONS[name]
    rng = np.random.default_rng(4)
    cotangent = rng.standard_normal(inputs[0].shape)

    def value(*a):
        return jnp.sum(function(bj, *a) * cotangent)

    gradients = jax.jit(jax.grad(value, argnums=(0, 1)))(*inputs)
    for i, gradient in enumerate(gradients):
        d = rng.standard_normal(inputs[i].shape)
        if "cov" in name and i == 1:
            d = d + d.swapaxes(-1, -2)
        d *= 1e-5 / np.abs(d).max()

        def moved(sign, i=i, d=d):
            return value(*(a + sign * d if k == i else a for k, a in enumerate(inputs)))

        np.testing.assert_allclose(np.vdot(gradient, d), (moved(1) - moved(-1)) / 2, rtol=1e-6,
                                   atol=1e-12)


def test_gradients_by_both_sigmas_of_a_mix():
    loss = lambda a, b: jnp.sum(bj.mix(X, a, b, WEIGHT, mode="wrap") ** 2)  # noqa: E731
    found = jax.grad(loss, argnums=(0, 1))(1.0, 2.0)
    out = blurfield.mix(X, 1.0, 2.0, WEIGHT, mode="wrap")
    expected = blurfield.mix_vjp(X, 1.0, 2.0, WEIGHT, 2 * out, mode="wrap")[1]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_only_what_is_asked_for_is_computed(monkeypatch):
    asked = []
    vjp = bj.ops.AdaptiveBlur.vjp

    def told(self, inputs, cotangent, wanted):
        asked.append(list(wanted))
        return vjp(self, inputs, cotangent, wanted)

    monkeypatch.setattr(bj.ops.AdaptiveBlur, "vjp", told)
    loss = lambda x, f: jnp.sum(bj.adaptive_blur(x, sigma=f) ** 2)  # noqa: E731
    for i, wanted in ((0, [True, False]), (1, [False, True]), ((0, 1), [True, True])):
        jax.block_until_ready(jax.grad(loss, argnums=i)(X, SIGMA))
        assert asked.pop() == wanted


@pytest.mark.parametrize("name", ["sigma", "cov", "uniform", "mix"])
def test_vmap(name):
    function, (x, p) = FUNCTIONS[name]
    one = lambda x, p: function(bj, x, p)  # noqa: E731
    several = jnp.stack([p, 1.05 * p])
    expected = [one(x[i], several[i]) for i in range(2)]
    np.testing.assert_array_equal(jax.vmap(one)(x, several), expected)
    shared = jax.jit(jax.vmap(one, in_axes=(0, None)))(x, p)
    np.testing.assert_allclose(shared, one(x, p), atol=1e-14)
    gradient = jax.grad(lambda x, p: jnp.sum(one(x, p) ** 2), argnums=1)
    np.testing.assert_array_equal(jax.vmap(gradient)(x, several),
                                  [gradient(x[i], several[i]) for i in range(2)])


@pytest.mark.parametrize("i, j", [(0, 0), (0, 1), (1, 0)])
@pytest.mark.parametrize("name", ["sigma", "cov", "uniform", "uniform logchol"])
def test_second_gradients(name, i, j):
    function, inputs = FUNCTIONS[name]
    rng = np.random.default_rng(5)
    v, w = (rng.standard_normal(inputs[k].shape) for k in (i, j))
    w = w + w.swapaxes(-1, -2) if name == "cov" and j == 1 else w
    w *= 1e-5 / np.abs(w).max()

    def along(*a):
        # Not linear in the image: the second gradient by it and by cotangents count.
        return jnp.vdot(jax.grad(lambda *a: jnp.sum(jnp.sin(function(bj, *a))), argnums=i)(*a), v)

    found = jnp.vdot(jax.jit(jax.grad(along, argnums=j))(*inputs), w)
    up, down = (along(*(a + s * w if k == j else a for k, a in enumerate(inputs))) for s in (1, -1))
    np.testing.assert_allclose(found, (up - down) / 2, rtol=1e-6, atol=1e-11)


def test_what_has_no_second_gradient_says_so():
    loss = lambda f: jnp.sum(bj.adaptive_blur(X, sigma=f) ** 2)  # noqa: E731
    with pytest.raises(RuntimeError, match="adaptive_blur: no second derivative by the field"):
        jax.grad(lambda f: jnp.sum(jax.grad(loss)(f)))(SIGMA)


def test_float32():
    x, sigma, logchol, weight = arrays(np.float32)
    for found, expected in [
            (bj.adaptive_blur(x, logchol=logchol), blurfield.adaptive_blur(x, logchol=logchol)),
            (bj.mix(x, 1, 2, weight), blurfield.mix(x, 1, 2, weight)),
            (bj.uniform_blur(x, sigma=1.5), blurfield.uniform_blur(x, sigma=1.5))]:
        assert found.dtype == jnp.float32
        np.testing.assert_array_equal(found, expected)
    gradient = jax.grad(lambda f: jnp.mean(bj.adaptive_blur(x, sigma=f) ** 2))(sigma)
    assert gradient.dtype == jnp.float32


def test_a_field_is_learned():
    target = blurfield.adaptive_blur(X, sigma=np.full(SHAPE[2:], 1.3))

    @jax.jit
    def step(s):
        return jax.value_and_grad(
            lambda s: jnp.sum((bj.adaptive_blur(X, sigma=jnp.exp(s)) - target) ** 2))(s)

    s = jnp.zeros(SHAPE[2:])
    first, _ = step(s)
    for _ in range(60):
        loss, gradient = step(s)
        s -= 0.1 * gradient
    assert loss < 1e-2 * first


def test_what_cannot_be_computed_is_named():
    with pytest.raises(TypeError, match="input: expected float32 or float64, got int32"):
        bj.adaptive_blur(jnp.ones((4, 5), jnp.int32), sigma=SIGMA)
    with pytest.raises(TypeError, match="got bfloat16"):
        bj.uniform_blur(jnp.ones((4, 5), jnp.bfloat16), sigma=1)
    with pytest.raises(TypeError, match="sigma: expected float32, as the input is, got float64"):
        bj.adaptive_blur(jnp.ones((4, 5), jnp.float32), sigma=jnp.ones((4, 5)))
    with pytest.raises(ValueError, match=r"sigma: expected shape \(6, 16\)"):
        jax.jit(lambda x: bj.adaptive_blur(x, sigma=SIGMA[1:]))(X)
    with pytest.raises(ValueError, match="logchol: expected shape"):
        bj.uniform_blur(X, logchol=(1, 2))
    with pytest.raises(ValueError, match="expected axes of the last two"):
        bj.gaussian_filter(X, 1)
    with pytest.raises(Exception, match="expected .*sigma.* > 0|sigma"):
        jax.block_until_ready(bj.adaptive_blur(X, sigma=-SIGMA))


def test_jax_is_imported_where_it_is_first_used():
    script = ("import sys, blurfield; print('jax' in sys.modules); blurfield.jax.mix; "
              "print('jax' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          timeout=60, check=True)
    assert done.stdout.split() == ["False", "True"]
