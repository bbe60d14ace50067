# SPDX-License-Identifier: BSD-3-Clause
"""Threads, progress, signals, processes."""
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import blurfield

# Work of several seconds on one thread, told by progress on the way.
LONG = """
import numpy as np, blurfield
x = np.random.default_rng(0).random((3000, 3000))
sigma = np.full(x.shape, 60.0)
blurfield.set_num_threads({threads})
"""


def test_threads_change_nothing(rng):
    x = rng.random((200, 210))
    sigma = rng.uniform(0.5, 6, x.shape)
    before = blurfield.get_num_threads()
    assert before == os.cpu_count()
    results = []
    try:
        for threads in (1, 2, 5):
            blurfield.set_num_threads(threads)
            assert blurfield.get_num_threads() == threads
            results.append(blurfield.adaptive_blur(x, sigma=sigma, tolerance=1e-3))
    finally:
        blurfield.set_num_threads(0)
    assert blurfield.get_num_threads() == before
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_the_lock_is_released(rng):
    """Another thread of Python goes on while a call works."""
    x = rng.random((1500, 1500))
    sigma = np.full(x.shape, 30.0)
    ended = threading.Event()
    thread = threading.Thread(
        target=lambda: (blurfield.adaptive_blur(x, sigma=sigma), ended.set()))
    thread.start()
    count = 0
    while not ended.is_set() and count < 50:
        time.sleep(0.002)
        count += 1
    thread.join()
    assert count >= 50


def test_calls_side_by_side(rng):
    x = rng.random((3, 300, 300))
    sigma = rng.uniform(0.5, 5, (300, 300))
    expected = [blurfield.adaptive_blur(plane, sigma=sigma) for plane in x]
    results = [None] * 3

    def work(i):
        for _ in range(5):
            results[i] = blurfield.adaptive_blur(x[i], sigma=sigma)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(results, expected)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("work", [
    "blurfield.adaptive_blur(x, sigma=sigma)",
    "blurfield.adaptive_blur_vjp(x, x, sigma=sigma)",
    "blurfield.estimate(x, blurfield.gaussian_filter(x, 3))",
    "blurfield.deblur(blurfield.gaussian_filter(x, 3), sigma=3.0, noise=1e-3)"])
def test_ctrl_c_ends_a_long_call(work, threads):
    script = LONG.format(threads=threads) + textwrap.dedent(f"""
        print("ready", flush=True)
        try:
            {work}
        except KeyboardInterrupt:
            print("interrupted")
        """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                          text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert out == "interrupted\n"


def test_progress(rng):
    x = rng.random((900, 900))
    sigma = np.full(x.shape, 25.0)
    told = []
    blurfield.adaptive_blur(x, sigma=sigma, progress=told.append)
    assert told and told[-1] == 1 and told == sorted(told) and told[0] >= 0
    with pytest.raises(blurfield.Cancelled):
        blurfield.adaptive_blur(x, sigma=sigma, progress=lambda fraction: False)
    assert issubclass(blurfield.Cancelled, blurfield.Error)

    def fail(fraction):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        blurfield.adaptive_blur(x, sigma=sigma, progress=fail)


def test_a_bar(rng, capsys):
    pytest.importorskip("tqdm")
    x = rng.random((400, 400))
    blurfield.adaptive_blur(x, sigma=np.full(x.shape, 20.0), progress=True)
    err = capsys.readouterr().err
    assert "adaptive_blur 100%" in err


def _in_child(queue):
    x = np.random.default_rng(3).random((400, 400))
    queue.put(float(blurfield.gaussian_filter(x, 5).sum()
                    + blurfield.adaptive_blur(x, sigma=np.full(x.shape, 4.0)).sum()
                    + blurfield.fftconvolve(x, x[:50, :50]).sum()))


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_processes(way):
    """Calls in children of a process that has called already."""
    context = multiprocessing.get_context(way)
    queue = context.Queue()
    _in_child(queue)
    expected = queue.get(timeout=60)
    children = [context.Process(target=_in_child, args=(queue,)) for _ in range(3)]
    for child in children:
        child.start()
    results = [queue.get(timeout=120) for _ in children]
    for child in children:
        child.join(timeout=60)
        assert child.exitcode == 0
    assert results == [expected] * 3
