"""Blocks shared out to threads: the same answers to the bit, and no thread where none is due."""

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
from batch_kernels import KERNELS, batch, metallurgical, of_rows

from sims_analysis.kernels import threads

LONG = 1e9  # nanoseconds
ALL = {**KERNELS, "metallurgical": metallurgical}
#: What is shared out, by layout; the rest is faster alone.
SHARED = {
    "shared": {
        "trapezoid",
        "trapezoid limits",
        "loglinear",
        "loglinear limits",
        "cumulative",
        "cumulative loglinear",
        "interpolation",
        "interpolation linear",
    },
    "own": {
        "cumulative",
        "cumulative loglinear",
        "interpolation",
        "interpolation linear",
        "metallurgical",
    },
}


@pytest.fixture
def started(monkeypatch):
    """Count the threads that are started."""
    names = []
    start = threading.Thread.start

    def counted(thread):
        names.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counted)
    return names


@pytest.fixture
def number(monkeypatch):
    """Set the number of threads, whatever there is to do."""

    def set_to(count):
        monkeypatch.setattr(threads, "_LEAST", 0.0)
        monkeypatch.setenv(threads.VARIABLE, str(count))

    return set_to


@pytest.mark.parametrize("layout", ["shared", "own"])
@pytest.mark.parametrize("name", ALL)
def test_any_number_of_threads_gives_the_same_bits(name, layout, number, started):
    depth, value = batch(layout, rows=2700)
    number(1)
    alone = ALL[name](depth, value)
    assert not started
    for count in (2, 5):
        started.clear()
        number(count)
        for mine, expected in zip(ALL[name](depth, value), alone, strict=True):
            np.testing.assert_array_equal(mine, expected)
        if name in SHARED[layout]:
            assert 1 <= len(started) < count


@pytest.mark.parametrize("layout", ["shared", "own"])
@pytest.mark.parametrize("name", KERNELS)
def test_any_order_of_rows_gives_the_same_bits(name, layout, number):
    depth, value = batch(layout, rows=2700)
    number(1)
    alone = KERNELS[name](depth, value)
    order = np.random.default_rng(5).permutation(len(value))
    number(5)
    shuffled = KERNELS[name](of_rows(depth, order), value[order])
    for mine, expected in zip(shuffled, alone, strict=True):
        np.testing.assert_array_equal(mine, expected[order])


def squares(nanoseconds=LONG, scratch=1, blocks=range(50)):
    return threads.each_block(lambda: lambda x: x * x, blocks, nanoseconds, scratch)


def test_work_of_many_short_steps_starts_no_thread(started, number):
    number(4)
    threads.each_block(lambda: abs, range(50), LONG, 1, alone=True)
    assert not started


def test_answers_come_in_the_order_of_the_blocks(number):
    number(3)
    assert squares() == [x * x for x in range(50)]


def test_little_work_starts_no_thread(started, monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, "4")
    squares(nanoseconds=1e4)
    squares(blocks=range(1))
    assert not started
    squares()
    assert len(started) == 3


@pytest.mark.parametrize("name", ALL)
def test_a_measurement_starts_no_thread(name, started, monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, "4")
    ALL[name](*batch("shared", rows=14, n=400))
    assert not started


def test_a_pool_of_threads_is_not_multiplied(started, number):
    number(4)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(squares).result()
    assert len(started) == 1  # the pool's own


def of_a_process(_):
    begun = []
    threading.Thread.start = begun.append
    squares()
    return len(begun)


def test_a_pool_of_processes_is_not_multiplied(number):
    number(4)
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        assert pool.map(of_a_process, [0]) == [0]


def test_scratch_arrays_limit_the_threads(started, number):
    number(64)
    squares(scratch=4 << 20)
    assert len(started) == 1
    started.clear()
    squares(scratch=1 << 20)
    assert len(started) == 7


@pytest.mark.parametrize("told", ["two", "0", "-1", "1.5", "1e3"])
def test_a_number_that_is_none_is_refused_by_name(told, monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, told)
    with pytest.raises(ValueError, match=f"SIMS_ANALYSIS_THREADS='{told}'; expected a whole"):
        squares()


def test_the_environment_decides_else_the_processors(monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, " 3 ")
    assert threads.allowed() == 3
    for told in ("", None):
        if told is None:
            monkeypatch.delenv(threads.VARIABLE)
        else:
            monkeypatch.setenv(threads.VARIABLE, told)
        assert 1 <= threads.allowed() <= os.cpu_count()


@pytest.mark.parametrize(
    ("running", "expected"), [(1, 7), (3, 5), (8, 0), (20, 0), (None, 7), ("?", 7)]
)
def test_processors_that_others_use_are_left_to_them(
    running, expected, started, number, monkeypatch, tmp_path
):
    number(1)
    monkeypatch.delenv(threads.VARIABLE)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(threads, "_processors", lambda: 8)
    file = tmp_path / "loadavg"
    monkeypatch.setattr(threads, "_RUNNING", file)
    if running is not None:
        file.write_text(f"0.10 0.20 0.30 {running}/300 4000\n")
    squares()
    assert len(started) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_processors_that_are_not_ours_are_not_counted():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from sims_analysis.kernels import threads; print(threads.allowed())"
    )
    free = {key: value for key, value in os.environ.items() if key != threads.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env=free
    )
    assert done.stdout.strip() == "1"


class Broken(Exception):
    pass


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt])
@pytest.mark.parametrize("in_main", [True, False])
def test_errors_arrive_and_stop_the_others(error, in_main, number):
    number(3)
    done = []
    main = threading.main_thread()

    def work(block):
        if (threading.current_thread() is main) == in_main and len(done) > 3:
            raise error(block)
        done.append(block)
        threading.Event().wait(0.002)

    with pytest.raises(error):
        threads.each_block(lambda: work, range(1000), LONG, 1)
    assert len(done) < 900
    assert threading.active_count() == len([t for t in threading.enumerate() if t.is_alive()])
    assert not [t for t in threading.enumerate() if "each_block" in t.name or "(run)" in t.name]


def test_ctrl_c_comes_before_other_errors(number):
    number(2)
    main = threading.main_thread()
    both = threading.Barrier(2)

    def work(block):
        both.wait(5)
        raise KeyboardInterrupt if threading.current_thread() is main else Broken

    with pytest.raises(KeyboardInterrupt):
        threads.each_block(lambda: work, range(2), LONG, 1)


def test_the_callers_floating_point_rules_hold_in_every_thread(number):
    number(3)
    seen = set()

    def work(block):
        seen.add(threading.current_thread())
        threading.Event().wait(0.005)
        return np.ones(2000) / np.zeros(2000)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="ignore"):
            threads.each_block(lambda: work, range(12), LONG, 1)
    assert len(seen) == 3
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        threads.each_block(lambda: work, range(12), LONG, 1)


@pytest.mark.parametrize("count", [1, 3])
def test_numpys_buffer_is_given_back(count, number):
    number(count)
    before = np.getbufsize()
    inside = set(threads.each_block(lambda: lambda _: np.getbufsize(), range(20), LONG, 1))
    assert inside == {256}
    assert np.getbufsize() == before != 256


def test_without_threads_to_be_had_the_caller_does_the_work(number, monkeypatch):
    number(4)

    def none(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    assert squares() == [x * x for x in range(50)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_after_threads_works_on():
    code = """
import os, warnings
from sims_analysis.kernels import threads
warnings.simplefilter("ignore")
run = lambda: threads.each_block(lambda: lambda x: x + 1, range(9), 1e9, 1)
assert run() == list(range(1, 10))
child = os.fork()
if child == 0:
    os._exit(0 if run() == list(range(1, 10)) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, threads.VARIABLE: "3"}
    )
