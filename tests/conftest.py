"""What all tests share: how hard hypothesis looks, and how figures are drawn and let go of."""

import gc
import os
import signal
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# Deterministic; SIMS_EXAMPLES=60 looks harder.
settings.register_profile(
    "tests",
    deadline=None,
    max_examples=int(os.environ.get("SIMS_EXAMPLES", "20")),
    derandomize=True,
)
settings.load_profile("tests")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ["MATPLOTLIBRC"] = str(Path(__file__).with_name("matplotlibrc"))

# A shell starts background jobs, and nohup its command, with Ctrl-C ignored; children inherit it,
# and the tests that interrupt them would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# While thousands of tests are collected, hardly anything is let go of: to look for it over and over
# takes as long as to collect them.
gc.disable()

#: Read by type checkers alone.
collect_ignore = ["typed_user.py"]


def pytest_addoption(parser):
    parser.addoption("--approve", action="store_true", help="write the texts that tests say now")


@pytest.fixture
def approved(request):
    """Compare texts of errors with the approved ones: ``raises(TypeError, text=approved)``."""
    from approved import ApprovedTexts  # imports the command line

    has_folder = "tmp_path" in request.fixturenames
    folder = str(request.getfixturevalue("tmp_path")) if has_folder else ""
    name = request.node.nodeid.removeprefix("tests/")
    return ApprovedTexts(name, folder, approve=request.config.getoption("--approve"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a test marked `few(n)`, n cases stay, from first to last; as many more are slow.

    With `few(n, total)`, these and the slow ones are `total`; where all are slow, n are run. The
    rest is a study.
    """
    cases = defaultdict(list)
    for item in items:
        if item.get_closest_marker("few"):
            cases[item.nodeid.partition("[")[0]].append(item)
    for same in cases.values():
        n, *total = same[0].get_closest_marker("few").args
        if all(item.get_closest_marker("slow") for item in same):
            total = [n]
        kept, more = (
            {*np.linspace(0, len(same) - 1, m).round()} for m in (n, total[0] if total else 2 * n)
        )
        for place, item in enumerate(same):
            if place not in kept:
                item.add_marker(pytest.mark.slow if place in more else pytest.mark.study)


def pytest_collection_finish():
    """Collect garbage again, of what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


def pytest_sessionfinish():
    """Look once through everything that is let go of, where pytest looks five times."""
    gc.collect()
    gc.freeze()
