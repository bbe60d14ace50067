# SPDX-License-Identifier: BSD-3-Clause
"""blurfield.torch: modules that learn, and processes."""
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from conftest import cases

torch = pytest.importorskip("torch")
import blurfield.torch as bt  # noqa: E402


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(5)


def test_gaussian_blur_learns_its_sigma():
    x = torch.randn(1, 1, 24, 24, dtype=torch.float64)
    for parameter in ("exponential", "soft-maximum"):
        target = bt.uniform_blur(x, sigma=(1.5, 2.5))
        module = bt.GaussianBlur2d(1.0, per_axis=True, parameter=parameter, dtype=torch.float64)
        optimiser = torch.optim.LBFGS(module.parameters(), max_iter=50, tolerance_change=1e-16,
                                      tolerance_grad=1e-14, line_search_fn="strong_wolfe")

        def closure():
            optimiser.zero_grad()
            loss = (module(x) - target).square().mean()
            loss.backward()
            return loss

        optimiser.step(closure)
        np.testing.assert_allclose(module.sigma.detach(), [1.5, 2.5], rtol=1e-4)


@pytest.mark.parametrize("make", [
    lambda start: bt.GaussianBlur2d((start, 2.0)),
    lambda start: bt.GaussianBlur2d(start, parameter="soft-maximum"),
    lambda start: bt.GaussianBlur2d(start, learned=False, mode="wrap"),
    lambda start: bt.AdaptiveBlur2d((8, 9), sigma=start, scatter=True),
    lambda start: bt.AdaptiveBlur2d((8, 9), sigma=start, parameter="soft-maximum"),
    lambda start: bt.AdaptiveBlur2d(sigma=torch.full((2, 8, 9), start)),
    lambda start: bt.AdaptiveBlur2d((8, 9), logchol=(start, 0.1, 0.2)),
    lambda start: bt.MixBlur2d(1, 3, weight=start / 2),
    lambda start: bt.MixBlur2d(1, 3, (8, 9), weight=start / 2)])
def test_modules(make):
    x = torch.rand(2, 3, 8, 9)
    module, other = make(0.8), make(1.2)
    assert module(x).shape == x.shape
    assert not torch.equal(module(x), other(x))
    other.load_state_dict(module.state_dict())
    assert torch.equal(module(x), other(x))
    module(x.requires_grad_()).square().sum().backward()
    assert all(bool(p.grad.abs().max() > 0) for p in (x, *module.parameters()))
    assert len(list(module.parameters())) == (0 if "wrap" in repr(module) else 1)
    assert "mode=" in repr(module) and ("sigma" in repr(module) or "logchol" in repr(module))


def test_modules_start_where_told():
    np.testing.assert_allclose(bt.GaussianBlur2d(1.7, parameter="soft-maximum").sigma.detach(), 1.7,
                               rtol=1e-6)
    np.testing.assert_allclose(bt.AdaptiveBlur2d((2, 3)).sigma.detach(), np.ones((2, 3)))
    logchol = (0.3, 0.2, -0.1)
    np.testing.assert_allclose(
        bt.AdaptiveBlur2d((2, 3), logchol=logchol).sigma[:, 0, 0].detach(),
        np.sqrt(np.diag(bt.logchol_to_cov(torch.tensor(logchol)))), rtol=1e-6)
    np.testing.assert_allclose(bt.MixBlur2d(1, 3, weight=0.3).weight.detach(), 0.3, rtol=1e-6)
    for wrong in (lambda: bt.GaussianBlur2d(-1), lambda: bt.AdaptiveBlur2d(),
                  lambda: bt.MixBlur2d(1, 3, weight=2),
                  lambda: bt.GaussianBlur2d(1, parameter="x")):
        with pytest.raises(ValueError, match="expected"):
            wrong()


def take_steps(module, x, target, losses, rate=0.1, before=None):
    """Adamax on the mean squared error, each loss compared with the original's."""
    optimiser = torch.optim.Adamax(module.parameters(), lr=rate)
    for expected in losses:
        if before is not None:
            before()
        loss = (module(x) - target).square().mean()
        np.testing.assert_allclose(loss.item(), expected, rtol=1e-8)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@pytest.mark.parametrize("name", ["sphere", "full"])
def test_fields_take_the_original_way(name):
    """Document 000, with its one radius ceil(2 max sigma) for all pixels."""
    data = cases("recover")
    x, target = (torch.from_numpy(data["fields"][n]) for n in ("x", name))
    start = {"sigma": 1.0} if name == "sphere" else {"logchol": (0.0, 0.0, 0.0)}
    module = bt.AdaptiveBlur2d((32, 32), **start, mode="constant", dtype=torch.float64)

    def set_radius():
        most = module.sigma.detach().reshape(-1, 32 * 32).max(1).values.expand(2)
        module.keywords["radius"] = [int(np.ceil(2 * m)) for m in most.tolist()]

    take_steps(module, x, target, data[name]["loss_trace"], before=set_radius)


@pytest.mark.parametrize("name", ["global", "local"])
def test_mixes_take_the_original_way(name):
    """Document 001: a weight, or one for every pixel, between sigma 3 and 9."""
    data = cases("recover")
    x, target = (torch.from_numpy(data["mixes"][n]) for n in ("x", name))
    size = (64, 64) if name == "local" else None
    module = bt.MixBlur2d(3, 9, size, mode="constant", radius=(6, 18), dtype=torch.float64)
    take_steps(module, x, target, data[f"mix_{name}"]["loss_trace"][:200])


def run(script):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_torch_is_imported_where_it_is_first_used():
    assert run("import sys, blurfield; print('torch' in sys.modules); blurfield.torch.mix; "
               "print('torch' in sys.modules)").split() == ["False", "True"]


def test_workers_that_are_forked():
    """The parent's threads have run, in blurfield, autograd and torch."""
    assert run("""
        import numpy as np, torch, blurfield, blurfield.torch
        x = np.random.default_rng(0).random((512, 512), np.float32)
        blurfield.set_num_threads(2)
        torch.set_num_threads(2)
        blurfield.gaussian_filter(x, 3)
        t = torch.from_numpy(x).requires_grad_()
        blurfield.torch.uniform_blur(t, sigma=3.0).square().sum().backward()

        class Blurred(torch.utils.data.Dataset):
            def __len__(self):
                return 8
            def __getitem__(self, i):
                t = torch.from_numpy(x + i).requires_grad_()
                blurfield.torch.uniform_blur(t, sigma=3.0).sum().backward()
                return torch.from_numpy(blurfield.gaussian_filter(x + i, 3))

        loader = torch.utils.data.DataLoader(Blurred(), num_workers=2, timeout=30,
                                             multiprocessing_context="fork")
        for i, batch in enumerate(loader):
            assert np.array_equal(batch[0], blurfield.gaussian_filter(x + i, 3)), i
        print("done")
        """).split() == ["done"]
