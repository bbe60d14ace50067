# SPDX-License-Identifier: BSD-3-Clause
"""Chunks give the result of the whole: on threads, and on processes of which one is killed."""

import os
import pathlib
import signal
import time

import numpy as np
import pytest

da = pytest.importorskip("dask.array", reason="dask is what is tested")

import blurfield  # noqa: E402
import blurfield.dask  # noqa: E402
import dask  # noqa: E402
from conftest import MODES  # noqa: E402

UNEVEN = ((7, 20, 18), (31, 22))
TINY = ((4,) * 5 + (1,), (3,) * 7 + (2,))


@pytest.fixture(autouse=True)
def scheduler():
    with dask.config.set(scheduler="single-threaded"):
        yield


def fields(height, width):
    """One of each kind, wide in one corner only."""
    y, x = np.mgrid[:height, :width]
    sigma = 0.4 + 6 * (x / width) ** 4 + 2 * y / height
    logchol = np.stack([np.log(sigma), np.sin(x / 7), np.log(0.5 + 3 * (y / height) ** 2)])
    return {"sigma": sigma, "sigma_yx": np.stack([sigma, sigma[::-1]]), "logchol": logchol,
            "cov": blurfield.logchol_to_cov(logchol)}


def image(*shape, dtype=np.float64):
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


def close(ours, whole, error):
    assert ours.shape == whole.shape
    assert ours.dtype == whole.dtype
    result = ours.compute()
    assert result.dtype == whole.dtype
    assert np.abs(result - whole).max() <= error


@pytest.mark.parametrize("chunks", [UNEVEN, TINY], ids=["uneven", "tiny"])
@pytest.mark.parametrize("scatter", [False, True], ids=["gather", "scatter"])
@pytest.mark.parametrize("mode", MODES)
def test_adaptive_blur(mode, scatter, chunks):
    size = tuple(map(sum, chunks))
    x = image(*size)
    for kind, field in fields(*size).items():
        keywords = {kind.split("_")[0]: field, "scatter": scatter, "mode": mode, "cval": 1.5}
        ours = blurfield.dask.adaptive_blur(da.from_array(x, chunks=chunks), **keywords)
        assert ours.chunks == chunks
        close(ours, blurfield.adaptive_blur(x, **keywords), 1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_kernels_wider_than_the_image(mode):
    x = image(9, 20)
    sigma = np.full((9, 20), 0.7)
    sigma[:, 15:] = 8
    for scatter in (False, True):
        keywords = dict(sigma=sigma, scatter=scatter, mode=mode)
        ours = blurfield.dask.adaptive_blur(da.from_array(x, chunks=(4, 6)), **keywords)
        close(ours, blurfield.adaptive_blur(x, **keywords), 1e-12)


@pytest.mark.parametrize("keywords", [dict(truncate=2.3), dict(radius=3), dict(radius=(2, 30))])
@pytest.mark.parametrize("scatter", [False, True])
def test_radius_and_truncate(keywords, scatter):
    x, sigma = image(40, 50), fields(40, 50)["sigma"]
    keywords = dict(sigma=sigma, scatter=scatter, **keywords)
    ours = blurfield.dask.adaptive_blur(da.from_array(x, chunks=(13, 17)), **keywords)
    close(ours, blurfield.adaptive_blur(x, **keywords), 1e-12)


def test_float32_channels_and_fields_of_other_chunks():
    x = image(3, 45, 53, dtype=np.float32)
    sigma = fields(45, 53)["sigma"].astype(np.float32)
    ours = blurfield.dask.adaptive_blur(da.from_array(x, chunks=((2, 1), *UNEVEN)),
                                        sigma=da.from_array(sigma, chunks=(11, 53)))
    assert ours.chunks == ((2, 1), *UNEVEN)
    close(ours, blurfield.adaptive_blur(x, sigma=sigma), 1e-5)


def test_batch_with_fields_of_its_own():
    x = image(3, 2, 45, 53)
    one = fields(45, 53)["logchol"]
    logchol = np.stack([one, one - 0.5, one[:, ::-1]])
    lazy = da.from_array(x, chunks=((1, 2), (2,), *UNEVEN))
    for scatter in (False, True):
        ours = blurfield.dask.adaptive_blur(lazy, logchol=logchol, scatter=scatter)
        close(ours, blurfield.adaptive_blur(x, logchol=logchol, scatter=scatter), 1e-12)


def test_integers():
    x = np.random.default_rng(0).integers(0, 255, (45, 53)).astype(np.uint8)
    sigma = fields(45, 53)["sigma"]
    lazy = da.from_array(x, chunks=UNEVEN)
    close(blurfield.dask.adaptive_blur(lazy, sigma=sigma), blurfield.adaptive_blur(x, sigma=sigma),
          1e-3)
    for s in (2, sigma):
        close(blurfield.dask.gaussian_filter(lazy, s), blurfield.gaussian_filter(x, s), 0)


@pytest.mark.parametrize("scatter", [False, True])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
def test_tolerance(tolerance, scatter):
    x, sigma = image(200, 230), fields(200, 230)["sigma"]
    ours = blurfield.dask.adaptive_blur(da.from_array(x, chunks=90), sigma=sigma, scatter=scatter,
                                        tolerance=tolerance).compute()
    exact = blurfield.adaptive_blur(x, sigma=sigma, scatter=scatter, truncate=7)
    assert np.abs(ours - exact).max() <= tolerance * np.abs(x).max()


@pytest.mark.parametrize("scatter, reached", [(False, 3), (True, 12)])
def test_chunks_take_what_their_own_kernels_reach(scatter, reached):
    """The chunk at the top left does not pay for the wide kernels that do not come there."""
    sigma = np.full((120, 120), 0.8)  # 3 pixels
    sigma[:, 40:80] = 3.0  # 12
    sigma[80:, 80:] = 9.0  # 36
    x = da.from_array(image(120, 120), chunks=40)
    corner = blurfield.dask.adaptive_blur(x, sigma=sigma, scatter=scatter).blocks[0, 0]
    wanted = {key for row in corner.__dask_keys__() for key in row}
    graph = corner.__dask_graph__().cull(wanted).to_dict()
    rows = {(s.start, s.stop) for key, task in graph.items() if "-cut-" in key[0]
            for s in [task[2][-2]]}
    assert rows == {(0, 40), (0, reached)}


def test_maxima_are_all_that_is_computed_at_once():
    def refuse(block):
        raise AssertionError("the input was read")

    x = da.from_array(image(40, 40), chunks=20).map_blocks(refuse, dtype=float,
                                                           meta=np.empty((0, 0)))
    blurfield.dask.adaptive_blur(x, sigma=np.ones((40, 40)))
    blurfield.dask.gaussian_filter(x, 2)


@pytest.mark.parametrize("keywords", [
    dict(sigma=2.0), dict(sigma=(0, 3, 1)), dict(sigma=30, mode="wrap", axes=(1, 2)),
    dict(sigma=(2, 3, 9), mode=["wrap", "nearest", "mirror"]), dict(sigma=3, order=(0, 1, 2)),
    dict(sigma=3, radius=2), dict(sigma=3, mode="constant", cval=2.0), dict(sigma=1, axes=0),
    dict(sigma=2, output=np.float32), dict(sigma=2, output="int16"), dict(sigma=0)])
def test_gaussian_filter(keywords):
    x = 50 * image(5, 45, 53)
    whole = blurfield.gaussian_filter(x, **keywords)
    ours = blurfield.dask.gaussian_filter(da.from_array(x, chunks=((2, 3), *UNEVEN)), **keywords)
    close(ours, whole, 1e-4 if whole.dtype == np.float32 else 1e-11)


def test_gaussian_filter_by_a_field_and_with_a_tolerance():
    x, sigma = image(2, 45, 53), fields(45, 53)["sigma"]
    lazy = da.from_array(x, chunks=(1, *UNEVEN))
    for s in (sigma, da.from_array(sigma, chunks=10)):
        close(blurfield.dask.gaussian_filter(lazy, s, axes=(1, 2), mode="wrap"),
              blurfield.gaussian_filter(x, sigma, mode="wrap"), 1e-12)
    exact = blurfield.gaussian_filter(x, (0, 6, 6), truncate=7)
    ours = blurfield.dask.gaussian_filter(lazy, (0, 6, 6), tolerance=1e-3).compute()
    assert np.abs(ours - exact).max() <= 1e-3 * np.abs(x).max()


def test_wrong_arguments_are_refused_at_once():
    x = da.from_array(image(2, 45, 53), chunks=20)
    sigma = np.ones((45, 53))
    blur, smooth = blurfield.dask.adaptive_blur, blurfield.dask.gaussian_filter
    for call, error, match in [
            (lambda: blur(x), TypeError, "expected one of sigma, logchol, cov"),
            (lambda: blur(x, sigma=sigma[1:]), ValueError, r"sigma: expected shape \(45, 53\)"),
            (lambda: blur(x, sigma=-sigma), ValueError, "sigma: expected finite numbers > 0"),
            (lambda: blur(x, sigma=sigma * np.nan), ValueError, "finite"),
            (lambda: blur(x, cov=sigma), ValueError, "cov: expected shape"),
            (lambda: blur(x * 1j, sigma=sigma), TypeError, "real"),
            (lambda: blur(x[x > 0], sigma=sigma), ValueError, "known chunks"),
            (lambda: blur(x[0, 0], sigma=sigma[0]), ValueError, "image"),
            (lambda: blur(x, sigma=sigma, mode="mirrored"), ValueError, "mode"),
            (lambda: blur(x, sigma=sigma, tolerance=2), ValueError, "tolerance"),
            (lambda: smooth(x, -1), ValueError, "sigma"),
            (lambda: smooth(x, sigma, order=1), ValueError, "order 0"),
            (lambda: smooth(x, 1, output=np.empty((2, 45, 53))), TypeError, "dtype")]:
        with pytest.raises(error, match=match):
            call()


def scene(height, width):
    """Rectangles on a slope."""
    rng = np.random.default_rng(1)
    x = np.linspace(0.2, 0.4, width) * np.ones((height, 1))
    for _ in range(60):
        y0, x0 = rng.integers(0, height - 8), rng.integers(0, width - 8)
        x[y0:y0 + rng.integers(4, 20), x0:x0 + rng.integers(4, 20)] = rng.random()
    return x


def blurred(x, noise=0.01, **blur):
    y = blurfield.BlurOperator(x.shape, **blur).forward(x)
    return y + noise * np.random.default_rng(2).normal(size=y.shape)


def psnr(a, b):
    return -10 * np.log10(np.mean((a - b) ** 2))


def options_of(tiles):
    """What deblur is told, for each tile."""
    return [task[3]["options"] for key, task in tiles.dask.items()
            if key[0].startswith("deblur_tile-") and "-cut" not in key[0]]


GIVEN = dict(noise=0.01, lambda_=4.0)


@pytest.fixture
def scipy():
    return pytest.importorskip("scipy", reason="BlurOperator is SciPy's")


def test_deblurred_tiles_agree_with_the_whole(scipy):
    x = scene(100, 130)
    sigma = np.linspace(0.6, 1.5, 130) * np.ones((100, 1))
    y = blurred(x, sigma=sigma, scatter=True)
    whole = blurfield.deblur(y, sigma=sigma, scatter=True, **GIVEN).image
    lazy = da.from_array(y, chunks=((40, 60), (50, 40, 40)))
    ours = blurfield.dask.deblur_tiles(lazy, sigma=da.from_array(sigma, chunks=64), scatter=True,
                                       **GIVEN)
    assert ours.chunks == lazy.chunks and ours.dtype == np.float64
    result = ours.compute()
    assert psnr(result, whole) > 55
    assert psnr(result, x) > psnr(whole, x) - 0.05 > psnr(y, x)
    # No step along the seam;
    steps = np.abs(np.diff(result - whole, axis=1))
    assert np.sqrt(np.mean(steps[:, 89] ** 2)) < 0.003
    # without an overlap there is one.
    cut = blurfield.dask.deblur_tiles(lazy, sigma=sigma, scatter=True, overlap=0, **GIVEN).compute()
    assert psnr(cut, whole) < 50
    assert np.sqrt(np.mean(np.diff(cut - whole, axis=1)[:, 89] ** 2)) > 0.01


def test_noise_and_lambda_are_found_once(scipy):
    x = scene(128, 128)
    y = blurred(x, sigma=1.2)
    lazy = da.from_array(y, chunks=64)
    found = blurfield.deblur(y, sigma=1.2)
    ours = blurfield.dask.deblur_tiles(lazy, sigma=1.2)
    options = options_of(ours)
    assert len(options) == 4
    assert all(o["lambda_"] == options[0]["lambda_"] for o in options)
    assert options[0]["noise"] == pytest.approx(found.noise, rel=0.1)
    assert options[0]["lambda_"] == pytest.approx(found.lambda_, rel=0.3)
    assert psnr(ours.compute(), found.image) > 50


def test_deblur_with_weights_channels_and_float32(scipy):
    x = np.stack([scene(90, 100), scene(90, 100)[::-1]]).astype(np.float32)
    psf = blurfield.disk_psf(2)
    y = blurred(x, psf=psf, dtype=np.float32).astype(np.float32)
    weight = np.ones((90, 100), np.float32)
    weight[44:47, 49:52] = 0
    y[:, 44:47, 49:52] = np.nan
    whole = blurfield.deblur(y, psf=psf, weight=weight, **GIVEN).image
    lazy = da.from_array(y, chunks=(1, 45, 50))
    ours = blurfield.dask.deblur_tiles(lazy, psf=psf, weight=weight, **GIVEN)
    assert ours.dtype == np.float32 and ours.chunks == ((2,), (45, 45), (50, 50))
    assert psnr(ours.compute(), whole) > 48
    found = options_of(blurfield.dask.deblur_tiles(lazy, psf=psf, weight=weight, lambda_=4.0))
    assert found[0]["noise"] == pytest.approx(0.01, rel=0.2)


def test_deblur_enlarges(scipy):
    x = scene(80, 80)
    sigma = np.linspace(1, 2, 80) * np.ones((80, 1))
    y = blurfield.BlurOperator((40, 40), sigma=sigma, factor=2).forward(x)
    whole = blurfield.deblur(y, sigma=sigma, upscale=2, **GIVEN).image
    ours = blurfield.dask.deblur_tiles(da.from_array(y, chunks=20), sigma=sigma, upscale=2, **GIVEN)
    assert ours.chunks == ((40, 40), (40, 40))
    assert psnr(ours.compute(), whole) > 48


def test_deblur_by_a_grid_of_functions(scipy):
    x = scene(80, 80)
    psfs = np.array([[blurfield.gaussian_kernel((1 + 0.3 * i, 1 + 0.3 * j), radius=6)
                      for j in range(4)] for i in range(3)])
    y = blurred(x, psfs=psfs)
    whole = blurfield.deblur(y, psfs=psfs, **GIVEN).image
    lazy = da.from_array(y, chunks=40)
    ours = blurfield.dask.deblur_tiles(lazy, psfs=psfs, overlap=20, **GIVEN).compute()
    assert psnr(ours, whole) > 42
    # Better than by the functions of other places.
    other = blurfield.dask.deblur_tiles(lazy, psfs=psfs[::-1, ::-1], overlap=20, **GIVEN).compute()
    assert psnr(ours, x) > psnr(other, x) + 0.3


@pytest.mark.filterwarnings("error::RuntimeWarning")  # as of a residual at cuts
@pytest.mark.parametrize("mode", ["constant", "wrap"])
def test_deblur_a_batch_under_other_rules(mode, scipy):
    x = np.stack([scene(64, 64), scene(64, 64).T])[:, None]
    sigma = np.stack([np.full((1, 64, 64), s) for s in (0.8, 1.6)])
    y = blurred(x, sigma=sigma, mode=mode)
    keywords = dict(sigma=sigma, mode=mode, **GIVEN)
    whole = blurfield.deblur(y, **keywords).image
    ours = blurfield.dask.deblur_tiles(da.from_array(y, chunks=(1, 1, 32, 20)), **keywords)
    # Under wrap the tiles' prior crosses the border, which the whole's does not.
    edge = 10 if mode == "wrap" else 0
    inner = np.s_[..., edge:64 - edge, edge:64 - edge]
    assert psnr(ours.compute()[inner], whole[inner]) > 50


def test_deblur_refuses_what_belongs_to_one_image(scipy):
    x = da.from_array(scene(40, 40), chunks=20)
    tiles = blurfield.dask.deblur_tiles
    for call, error, match in [
            (lambda: tiles(x, sigma=1.0, start=x, **GIVEN), TypeError, "start"),
            (lambda: tiles(x, **GIVEN), TypeError, "one of psf"),
            (lambda: tiles(x, sigma=1.0, fidelity="poisson"), ValueError, "gain"),
            (lambda: tiles(x, sigma=1.0, weight=np.ones(40), **GIVEN), ValueError, "weight"),
            (lambda: tiles(x[0], sigma=1.0, **GIVEN), ValueError, "image")]:
        with pytest.raises(error, match=match):
            call()


@pytest.fixture
def alarm():
    """No test of processes hangs."""
    def late(*_):
        raise TimeoutError("the cluster did not answer")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(90)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_a_killed_worker_changes_nothing(alarm, tmp_path):
    distributed = pytest.importorskip("distributed", reason="distributed starts workers")
    zarr = pytest.importorskip("zarr", reason="zarr stores arrays")
    x, sigma = image(480, 500, dtype=np.float32), fields(480, 500)["sigma"].astype(np.float32)
    for name, values in (("x", x), ("sigma", sigma)):
        zarr.array(values, chunks=(60, 50), store=str(tmp_path / name))
    whole = blurfield.adaptive_blur(x, sigma=sigma, scatter=True)

    def slow(block):
        time.sleep(0.05)  # so that the end is not reached before the kill
        return block

    with dask.config.set({"scheduler": None, "distributed.comm.timeouts.connect": "5s"}), \
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                local_directory=str(tmp_path / "spill"), memory_limit=0, silence_logs=50
            ) as cluster, distributed.Client(cluster, timeout=20) as client:
        blurfield.dask.limit_threads(client)
        assert set(client.run(lambda: blurfield.get_num_threads()).values()) == {1}
        lazy = da.from_zarr(str(tmp_path / "x"))
        ours = blurfield.dask.adaptive_blur(lazy.map_blocks(slow, dtype=lazy.dtype),
                                            sigma=da.from_zarr(str(tmp_path / "sigma")),
                                            scatter=True)
        target = tmp_path / "result"
        job = client.compute(da.to_zarr(ours, str(target), compute=False))

        def written():
            return sum(1 for f in pathlib.Path(target).glob("*") if f.name[0].isdigit())

        while written() < 8:
            time.sleep(0.01)
        killed = next(iter(client.run(os.getpid).values()))
        os.kill(killed, signal.SIGKILL)
        assert written() < 80 and not job.done(), "the job was over before the worker was killed"
        job.result(timeout=60)
        client.wait_for_workers(2, timeout=20)
        assert killed not in client.run(os.getpid).values()
        # The one that came in its place, too.
        assert set(client.run(lambda: blurfield.get_num_threads()).values()) == {1}
    result = zarr.open(str(target), mode="r")[...]
    assert result.dtype == np.float32
    assert np.abs(result - whole).max() <= 1e-5
