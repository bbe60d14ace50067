# SPDX-License-Identifier: BSD-3-Clause
"""What blurfield.plot draws, without a screen."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib", reason="Matplotlib draws")
matplotlib.use("Agg")

import blurfield  # noqa: E402
from blurfield import plot  # noqa: E402
from matplotlib import pyplot  # noqa: E402


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def covariance(major, minor, degrees):
    """Of an ellipse whose long axis turns from x towards y, in (y, x) order."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    along, across = np.array([s, c]), np.array([c, -s])
    return major**2 * np.outer(along, along) + minor**2 * np.outer(across, across)


def outlines(ax):
    """Ellipses' outlines in data coordinates, (x, y)."""
    (collection,) = ax.collections
    return [path.to_polygons()[0] for path in collection.get_paths()]


def bar_label(ax):
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    return bar.get_ylabel()


def test_sigma_is_a_map():
    sigma = np.linspace(0.5, 4, 12 * 20).reshape(12, 20)
    ax = plot.show_field(sigma)
    (drawn,) = ax.images
    assert np.array_equal(drawn.get_array(), sigma)
    assert drawn.get_clim() == (0.5, 4)
    assert drawn.get_cmap().name == "viridis"
    assert bar_label(ax) == "sigma (pixels)"
    assert ax.get_xlabel() == "x (pixels)" and ax.get_ylabel() == "y (pixels)"
    assert ax.get_xlim() == (-0.5, 19.5) and ax.get_ylim() == (11.5, -0.5)
    assert ax.get_aspect() in ("equal", 1.0)


def test_on_given_axes():
    fig, axes = pyplot.subplots(1, 2)
    assert plot.show_field(np.ones((4, 4)), ax=axes[1], colorbar=False) is axes[1]
    assert not axes[0].images and len(fig.axes) == 2


@pytest.mark.parametrize("degrees", [0, 30, 90, 150])
def test_ellipses_lie_as_the_covariances(degrees):
    cov = np.broadcast_to(covariance(3, 1, degrees), (40, 60, 2, 2))
    ax = plot.show_field(cov=cov, spacing=10, scale=1)
    drawn = outlines(ax)
    assert len(drawn) == 4 * 6
    assert ax.get_xlim() == (-0.5, 59.5) and ax.get_ylim() == (39.5, -0.5)
    for outline, (y, x) in zip(drawn, [(5, 5), (5, 15), (5, 25)]):
        offsets = outline - (x, y)
        distance = np.hypot(*offsets.T)
        assert distance.max() == pytest.approx(3, rel=0.02)
        assert distance.min() == pytest.approx(1, rel=0.02)
        dx, dy = offsets[distance.argmax()]
        # From x towards y, which is clockwise on the page: y grows downwards.
        apart = (np.degrees(np.arctan2(dy, dx)) - degrees) % 180
        assert min(apart, 180 - apart) < 3
    assert np.allclose(ax.collections[0].get_array(), np.sqrt(3))
    assert bar_label(ax).startswith("geometric mean of sigma (pixels)")


def test_three_ways_to_say_a_covariance():
    rng = np.random.default_rng(0)
    logchol = 0.3 * rng.normal(size=(3, 32, 32))
    one = outlines(plot.show_field(logchol=logchol))
    other = outlines(plot.show_field(cov=blurfield.logchol_to_cov(logchol)))
    assert len(one) == 16 * 16
    assert np.allclose(one, other, atol=1e-9)
    # sigma_y = 3, sigma_x = 1: upright.
    upright = outlines(plot.show_field(np.stack([np.full((8, 8), 3.0), np.ones((8, 8))]), scale=1))
    assert np.ptp(upright[0], axis=0) == pytest.approx([2, 6], rel=0.01)


def test_largest_ellipses_touch():
    sigma = np.stack([np.linspace(1, 5, 64) * np.ones((64, 1))] * 2)
    ax = plot.show_field(sigma, spacing=16)
    assert max(np.ptp(o[:, 0]) for o in outlines(ax)) == pytest.approx(16, rel=0.01)


def test_ellipses_over_an_image():
    image = np.random.default_rng(0).random((3, 24, 24))
    ax = plot.show_field(np.ones((2, 24, 24)), image=image)
    assert np.allclose(ax.images[0].get_array(), np.moveaxis(image, 0, -1))
    with pytest.raises(ValueError, match="image"):
        plot.show_field(np.ones((2, 24, 24)), image=image[:, 1:])
    with pytest.raises(TypeError, match="one of"):
        plot.show_field()


def test_kernels_of_a_grid():
    psfs = np.stack([[blurfield.gaussian_kernel((1 + i, 1 + j), radius=4) for j in range(3)]
                     for i in range(2)])
    fig = plot.show_kernels(psfs)
    assert len(fig.axes) == 6
    for ax, kernel in zip(fig.axes, psfs.reshape(6, 9, 9)):
        assert np.array_equal(ax.images[0].get_array(), kernel)
        assert ax.images[0].get_clim() == (0, kernel.max())
        assert ax.get_xlim() == (-4.5, 4.5) and ax.get_ylim() == (4.5, -4.5)
    assert fig.axes[5].get_title() == f"(1, 2)  max {psfs[1, 2].max():.2g}"


def test_kernels_of_a_field():
    sigma = np.linspace(0.5, 3, 40) * np.ones((30, 1))
    fig = plot.show_kernels(sigma=sigma, at=[(3, 0), (3, 39)], shared=True)
    *panels, bar = fig.axes
    assert len(panels) == 2 and bar.get_ylabel() == "weight"
    for ax, x in zip(panels, (0, 39)):
        kernel = blurfield.gaussian_kernel(sigma[3, x])
        assert np.allclose(ax.images[0].get_array(), kernel)
        assert ax.get_title() == f"(3, {x})"
        assert ax.get_xlim() == (-12.5, 12.5)
    assert panels[0].images[0].get_clim() == panels[1].images[0].get_clim()
    assert len(plot.show_kernels(sigma=sigma).axes) == 9
    with pytest.raises(TypeError, match="one of them"):
        plot.show_kernels()


def test_kernels_of_both_signs_are_white_at_zero():
    kernel = blurfield.gaussian_kernel(2, order=(0, 1))
    fig = plot.show_kernels(kernel)
    drawn = fig.axes[0].images[0]
    assert drawn.get_clim() == pytest.approx((-kernel.max(), kernel.max()))
    assert min(drawn.to_rgba(0.0)) > 0.9


def test_compare():
    rng = np.random.default_rng(0)
    truth = rng.random((20, 30))
    images = [truth, truth + 0.1, 2 * truth]
    fig = plot.compare(*images, titles=["a", "b", "c"], reference=truth,
                       crops=[(2, 3, 5, 6), (10, 11, 4, 4)])
    assert len(fig.axes) == 9
    high = max(image.max() for image in images)
    assert {ax.images[0].get_clim() for ax in fig.axes} == {(truth.min(), high)}
    assert [ax.get_title() for ax in fig.axes[:2]] == ["a", "b  20.0 dB"]
    assert fig.axes[4].get_xlim() == (2.5, 8.5) and fig.axes[4].get_ylim() == (6.5, 1.5)
    first, second = fig.axes[0].patches
    assert first.get_bbox().bounds == (2.5, 1.5, 6, 5)
    assert second.get_bbox().bounds == (10.5, 9.5, 4, 4)


def test_compare_in_colour_and_on_a_given_figure():
    image = np.random.default_rng(0).random((3, 8, 8)).astype(np.float32)
    fig = pyplot.figure()
    assert plot.compare(image, vmin=0, vmax=1, fig=fig) is fig
    assert np.allclose(fig.axes[0].images[0].get_array(), np.moveaxis(image, 0, -1))
    with pytest.raises(ValueError, match="image 1"):
        plot.compare(image, image[:, :4])
    with pytest.raises(ValueError, match="titles"):
        plot.compare(image, titles=["a", "b"])


def test_trace_of_results():
    rng = np.random.default_rng(0)
    sharp = rng.random((24, 24))
    blurred = blurfield.uniform_blur(sharp, sigma=1.5)
    found = blurfield.estimate(sharp, blurred, model="uniform", max_iterations=3)
    ax = plot.trace(found, found.trace[:2], labels=["all", "two"], by="seconds")
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "mean squared misfit" and ax.get_xlabel() == "time (s)"
    assert [len(line.get_ydata()) for line in ax.lines] == [len(found.trace), 2]
    assert ax.lines[0].get_ydata()[0] == found.trace[0]["loss"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["all", "two"]


def test_trace_of_deblurring():
    pytest.importorskip("scipy", reason="BlurOperator is SciPy's")
    y = np.random.default_rng(0).random((24, 24))
    sharp = blurfield.deblur(y, sigma=1.0, noise=0.1, max_iterations=5)
    ax = plot.trace(sharp)
    assert ax.get_ylabel() == "residual (noise = 1)" and ax.get_legend() is None
    assert list(ax.lines[0].get_xdata()) == [row["iteration"] for row in sharp.trace]
    with pytest.raises(ValueError, match="key"):
        plot.trace(sharp, key="loss")
    with pytest.raises(ValueError, match="by"):
        plot.trace(sharp, by="hours")
