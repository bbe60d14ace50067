# SPDX-License-Identifier: BSD-3-Clause
"""blurfield.torch: the package's results, and gradients of first and second order."""
import numpy as np
import pytest
from conftest import MODES

import blurfield

torch = pytest.importorskip("torch")
import blurfield.torch as bt  # noqa: E402
from torch.autograd import gradcheck, gradgradcheck  # noqa: E402

SHAPE = (2, 3, 4, 5)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(5)


def image(*shape, dtype=torch.float64):
    return torch.randn(shape or SHAPE, dtype=dtype).requires_grad_()


def field(kind, *front, size=SHAPE[2:], dtype=torch.float64):
    """Sigmas, log-Cholesky parameters or covariances, far from where radii jump."""
    if kind.startswith("sigma"):
        front += (1, 2) if kind == "sigma_yx" else ()  # as the batch is of two
        value = 0.6 + 0.3 * torch.rand(*front, *size, dtype=dtype)
    else:
        value = 0.2 * torch.randn(*front, 3, *size, dtype=dtype)
        value = bt.logchol_to_cov(value) if kind == "cov" else value
    return value.requires_grad_()


def adaptive(kind, **keywords):
    keywords = {"radius": 2, **keywords}
    return lambda x, f: bt.adaptive_blur(x, **{kind.split("_")[0]: f}, **keywords)


def uniform(kind, **keywords):
    keywords = {"radius": (2, 1), **keywords}
    return lambda x, p: bt.uniform_blur(x, **{kind: p}, **keywords)


def weight():
    return torch.rand(SHAPE[2:], dtype=torch.float64, requires_grad=True)


def number(*values):
    return torch.tensor(values if len(values) > 1 else values[0], dtype=torch.float64,
                        requires_grad=True)


def mixed(x, least, most, w):
    return bt.mix(x, least, most, w, radius=(2, 3), mode="constant", cval=0.5)


FUNCTIONS = {
    "sigma": (adaptive("sigma"), lambda: (image(), field("sigma"))),
    "sigma yx": (adaptive("sigma_yx", mode="mirror"), lambda: (image(), field("sigma_yx"))),
    "logchol": (adaptive("logchol", mode="nearest"), lambda: (image(), field("logchol"))),
    "cov": (adaptive("cov", mode="wrap"), lambda: (image(), field("cov"))),
    "cval": (adaptive("sigma", mode="constant", cval=2), lambda: (image(), field("sigma"))),
    "scatter": (adaptive("logchol", scatter=True), lambda: (image(), field("logchol"))),
    "tolerance": (lambda x, s: bt.adaptive_blur(x, sigma=s, tolerance=1e-2, method="stack"),
                  lambda: (image(), field("sigma"))),
    "field per image": (adaptive("logchol"), lambda: (image(), field("logchol", 2))),
    "signal": (adaptive("sigma"), lambda: (image(9), field("sigma", size=(9,)))),
    "uniform": (uniform("sigma"), lambda: (image(), number(0.8))),
    "uniform yx": (uniform("sigma", mode="nearest"), lambda: (image(), number(0.8, 0.6))),
    "uniform logchol": (uniform("logchol"), lambda: (image(), number(-0.2, 0.1, 0.1))),
    "uniform cov": (uniform("cov", mode="mirror"),
                    lambda: (image(), bt.logchol_to_cov(number(-0.2, 0.1, 0.1)).detach()
                             .requires_grad_())),
    "gaussian_filter": (lambda x, s: bt.gaussian_filter(x, s, axes=(-2, -1), radius=2),
                        lambda: (image(), number(0.8, 0.7))),
    "gaussian_filter by a field": (lambda x, s: bt.gaussian_filter(x, s, radius=2),
                                   lambda: (image(), field("sigma"))),
    "mix": (mixed, lambda: (image(), number(0.6), number(1.1), weight())),
    "mix_levels": (lambda x, s: bt.mix_levels(x, s, (0.5, 0.7, 1.0)),
                   lambda: (image(), field("sigma"))),
    "correlate": (lambda x, w: bt.correlate(x, w, mode="mirror"), lambda: (image(), image(3, 2))),
    "depthwise": (lambda x, w: bt.convolve(x, w, output="full"), lambda: (image(), image(3, 2, 3))),
    "bank": (lambda x, w: bt.correlate(x, w, mode="constant", cval=1, stride=(1, 2), padding=1),
             lambda: (image(), image(2, 3, 3, 2))),
    "local_filter": (lambda x, w: bt.local_filter(x, w, mode="wrap"),
                     lambda: (image(), image(3, 2, *SHAPE[2:]))),
    "local_filter of a batch": (bt.local_filter, lambda: (image(), image(2, 1, 3, *SHAPE[2:]))),
    "logchol_to_cov": (bt.logchol_to_cov, lambda: (field("logchol"),)),
    "cov_to_logchol": (bt.cov_to_logchol, lambda: (field("cov"),)),
    "soft_maximum": (bt.soft_maximum, lambda: (image(7),)),
}
FORWARD = [name for name in FUNCTIONS if name != "mix_levels"]  # whose field has no jvp
TWICE = ["correlate", "depthwise", "bank", "local_filter", "local_filter of a batch",
         "logchol_to_cov", "cov_to_logchol", "soft_maximum"]
BY_IMAGE = [name for name in FUNCTIONS if name not in TWICE]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name):
    function, inputs = FUNCTIONS[name]
    assert gradcheck(function, inputs(), fast_mode=True, check_forward_ad=name in FORWARD)


@pytest.mark.parametrize("name", TWICE)
def test_second_gradients(name):
    function, inputs = FUNCTIONS[name]
    assert gradgradcheck(function, inputs(), fast_mode=True)


@pytest.mark.parametrize("name", BY_IMAGE)
def test_second_gradients_by_image_and_cotangent(name):
    function, inputs = FUNCTIONS[name]
    x, *rest = (a.detach() for a in inputs())
    assert gradgradcheck(lambda x: function(x, *rest), (x.requires_grad_(),), fast_mode=True)


def test_gradients_element_by_element():
    assert gradcheck(adaptive("logchol", mode="constant"),
                     (image(1, 2, 3, 4), field("logchol", size=(3, 4))))


def gradient_by(function, i):
    """The gradient by input i as a function of cotangent and inputs."""
    def gradient(cotangent, *inputs):
        held = [a.requires_grad_() for a in inputs]
        return torch.autograd.grad(function(*held), held[i], cotangent, create_graph=True)[0]
    return gradient


@pytest.mark.parametrize("name", ["sigma", "logchol", "cov", "cval", "scatter", "tolerance",
                                  "uniform", "uniform logchol"])
def test_the_gradient_by_the_image_has_one_by_the_field(name):
    function, inputs = FUNCTIONS[name]
    x, f = inputs()
    by_image = gradient_by(function, 0)
    assert gradcheck(lambda g, f: by_image(g, x, f), (image(), f), fast_mode=True)


@pytest.mark.parametrize("name, mode", [
    ("scatter", "constant"), ("scatter", "wrap"),
    *((name, mode) for mode in MODES for name in ("sigma", "sigma_yx", "logchol", "cov", "signal",
                                                  "uniform", "uniform logchol"))])
def test_the_gradient_by_the_field_has_one_by_the_image(name, mode):
    x, g = image(), image()
    if name.startswith("uniform"):
        function = uniform(name.split()[-1].replace("uniform", "sigma"), mode=mode, radius=None)
        f = number(-0.2, 0.1, 0.1) if "logchol" in name else number(0.8, 0.9)
    elif name == "signal":
        x, g, f = image(9), image(9), field("sigma", size=(9,))
        function = adaptive("sigma", mode=mode)
    elif name == "scatter":
        function, f = adaptive("logchol", mode=mode, scatter=True), field("logchol")
    else:
        function, f = adaptive(name, mode=mode, radius=None), field(name)
    by_field = gradient_by(function, 1)
    assert gradcheck(lambda g, x: by_field(g, x, f), (g, x), fast_mode=True)


def test_third_gradients_of_the_image():
    x, f, g, v = image(), field("sigma"), image(), field("sigma").detach()
    by_field = gradient_by(adaptive("sigma"), 1)

    def both(g, x, f):
        return torch.autograd.grad(by_field(g, x, f), x, v, create_graph=True)[0]

    assert gradcheck(lambda g: both(g, x, f), (g,), fast_mode=True)


def test_what_has_no_second_gradient_says_so_only_when_asked():
    x, f = image(), field("sigma")
    (by_field,) = torch.autograd.grad(bt.adaptive_blur(x, sigma=f).square().sum(), f,
                                      create_graph=True)
    torch.autograd.grad(by_field.sum(), x, retain_graph=True)
    with pytest.raises(RuntimeError, match="adaptive_blur: no second derivative by the field$"):
        torch.autograd.grad(by_field.sum(), f)
    (by_field,) = torch.autograd.grad(bt.adaptive_blur(x, sigma=f, scatter=True).sum(), f,
                                      create_graph=True)
    with pytest.raises(RuntimeError, match="no second derivative by the field and the image"):
        torch.autograd.grad(by_field.sum(), x)


def test_forward_mode_equals_jvp():
    x, f, dx, df = image(), field("logchol"), image(), field("logchol")
    out, along = torch.autograd.functional.jvp(
        lambda x, f: bt.adaptive_blur(x, logchol=f), (x, f), (dx, df))  # by two gradients
    expected = blurfield.adaptive_blur_jvp(*(a.detach().numpy() for a in (x, dx, df)),
                                           logchol=f.detach().numpy())
    np.testing.assert_allclose(along.detach(), expected, atol=1e-14)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual
        out = bt.adaptive_blur(dual(x, dx), logchol=dual(f, df))
        along = torch.autograd.forward_ad.unpack_dual(out).tangent
    np.testing.assert_allclose(along.detach(), expected, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_same_bits_as_from_numpy(dtype):
    x, w = image(2, 3, 20, 24, dtype=dtype).detach(), torch.rand(3, 3, dtype=dtype)
    s, t = (field(kind, size=(20, 24), dtype=dtype).detach() for kind in ("sigma", "logchol"))
    local = torch.rand(3, 3, 20, 24, dtype=dtype)
    options = {"mode": "mirror", "truncate": 3}
    pairs = [
        (bt.adaptive_blur(x, sigma=s, **options),
         blurfield.adaptive_blur(x.numpy(), sigma=s.numpy(), **options)),
        (bt.adaptive_blur(x, logchol=t, tolerance=1e-3),
         blurfield.adaptive_blur(x.numpy(), logchol=t.numpy(), tolerance=1e-3)),
        (bt.uniform_blur(x, sigma=(2, 3), **options),
         blurfield.uniform_blur(x.numpy(), sigma=(2, 3), **options)),
        (bt.uniform_blur(x, cov=[[4.0, 1.0], [1.0, 9.0]]),
         blurfield.uniform_blur(x.numpy(), cov=[[4.0, 1.0], [1.0, 9.0]])),
        (bt.gaussian_filter(x, 1.7, axes=(-2, -1)),
         blurfield.gaussian_filter(x.numpy(), 1.7, axes=(-2, -1))),
        (bt.gaussian_filter(x, 1.7, axes=-1, mode="wrap", radius=3),
         blurfield.gaussian_filter(x.numpy(), 1.7, axes=-1, mode="wrap", radius=3)),
        (bt.gaussian_filter(x[0, 0], 9, tolerance=1e-3),
         blurfield.gaussian_filter(x[0, 0].numpy(), 9, tolerance=1e-3)),
        (bt.mix(x, 1, 3, 0.25, **options), blurfield.mix(x.numpy(), 1, 3, 0.25, **options)),
        (bt.mix_levels(x, s), blurfield.mix_levels(x.numpy(), s.numpy())),
        (bt.local_filter(x, local), blurfield.local_filter(x.numpy(), local.numpy())),
        (bt.correlate(x[0, 0], w, mode="nearest"),
         blurfield.correlate(x[0, 0].numpy(), w.numpy(), mode="nearest")),
        (bt.convolve(x[0, 0], w), blurfield.convolve(x[0, 0].numpy(), w.numpy())),
    ]
    for found, expected in pairs:
        assert found.dtype == dtype
        np.testing.assert_array_equal(found.numpy(), expected)


def test_a_bank_equals_conv2d():
    x, w = image(), image(4, 3, 3, 3)
    expected = torch.nn.functional.conv2d(x, w, padding=1, stride=2)
    found = bt.correlate(x, w, mode="constant", padding=1, stride=2)
    torch.testing.assert_close(found, expected)
    assert bt.correlate(x[0, 0], w[:, :1]).shape == (4, 4, 5)


def test_any_strides():
    x, s = image(5, 4, 3, 2), field("sigma")
    turned = x.permute(3, 2, 1, 0)
    spread = torch.full((), 0.8, dtype=torch.float64).requires_grad_()
    assert gradcheck(lambda x, s: bt.adaptive_blur(x, sigma=s.expand(4, 5), radius=2),
                     (turned.detach().requires_grad_(), spread), fast_mode=True)
    np.testing.assert_array_equal(bt.adaptive_blur(turned, sigma=s).detach(),
                                  bt.adaptive_blur(turned.contiguous(), sigma=s).detach())
    # The gradient of a sum is one number, expanded.
    bt.adaptive_blur(x[::2, 1], sigma=field("sigma", size=(3, 2))).sum().backward()
    assert x.grad.shape == x.shape and bool((x.grad[1] == 0).all())


def test_no_graph_where_none_is_wanted():
    x = image()
    with torch.no_grad():
        assert not bt.adaptive_blur(x, sigma=field("sigma")).requires_grad
    out = bt.adaptive_blur(x.detach(), sigma=field("sigma"))
    out.sum().backward()
    assert bt.adaptive_blur(x.detach(), sigma=np.ones(SHAPE[2:])).grad_fn is None


def test_what_cannot_be_read_is_named():
    s = np.ones((4, 5))
    for wrong, said in [(torch.ones(4, 5, dtype=torch.int32), "torch.int32"),
                        (torch.ones(4, 5, dtype=torch.float16), "torch.float16"),
                        (torch.ones(4, 5, dtype=torch.complex64), "torch.complex64"),
                        (torch.ones(4, 5, device="meta"), "on the CPU, got one on meta"),
                        (torch.eye(4).to_sparse(), "sparse"), (s, "ndarray")]:
        with pytest.raises(TypeError, match=f"input: expected .*{said}"):
            bt.adaptive_blur(wrong, sigma=s)
    with pytest.raises(TypeError, match="sigma: expected torch.float32, as the input is, got"):
        bt.adaptive_blur(torch.ones(4, 5), sigma=torch.ones(4, 5, dtype=torch.float64))
    with pytest.raises(TypeError, match="expected one of sigma, logchol, cov, got none"):
        bt.adaptive_blur(torch.ones(4, 5))
    with pytest.raises(ValueError, match="expected axes of the last two"):
        bt.gaussian_filter(torch.ones(3, 4, 5), 1)
    with pytest.raises(ValueError, match="positive definite"):
        bt.cov_to_logchol(torch.tensor([[1.0, 2.0], [2.0, 1.0]]))
