"""What all tests share: how hard hypothesis looks, and how figures are drawn and let go of."""

import os
import signal
import sys

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

# A shell starts background jobs, and nohup its command, with Ctrl-C ignored; children inherit it,
# and the tests that interrupt them would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Read by type checkers alone.
collect_ignore = ["typed_user.py"]


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
